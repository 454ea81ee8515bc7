-- expand: whoever moves somebody's factor to another app says anew through which key, which the version before, beside this one,
-- does not: then the key's name alone is known, in the events. So it is of a secret that is sealed anew.
CREATE FUNCTION forget_set_up_by_key() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    new.set_up_by_key := NULL;
    RETURN new;
END
$$;
CREATE TRIGGER factors_moved BEFORE UPDATE OF secret_sealed ON factors
    FOR EACH ROW WHEN (old.set_up_by_key IS NOT NULL) EXECUTE FUNCTION forget_set_up_by_key();
