-- expand: what a service key of one account has begun for a person ends once they belong to more than that account.
-- Whoever has such a key could else be, in their name, wherever they are let in later.

-- Which sessions a key has begun is kept nowhere: all end of whoever has had nothing but an account with such a key.
CREATE FUNCTION end_what_keys_began(person uuid, but uuid) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM service_keys AS key
        WHERE key.account_id IS DISTINCT FROM but AND 'sign-in' = ANY (rights)
            AND (EXISTS (SELECT FROM staff
                    WHERE staff.account_id = key.account_id AND user_id = person AND invited_at IS NULL)
                OR EXISTS (SELECT FROM portal_users
                    WHERE portal_users.account_id = key.account_id AND user_id = person))
            -- who was in another one already could be signed in by neither's key
            AND NOT EXISTS (SELECT FROM staff WHERE user_id = person AND invited_at IS NULL
                AND staff.account_id <> key.account_id AND staff.account_id IS DISTINCT FROM but))
    THEN
        DELETE FROM sessions WHERE user_id = person;
        DELETE FROM challenges WHERE user_id = person;
    END IF;
END
$$;

CREATE FUNCTION keep_keys_within() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM end_what_keys_began(new.user_id, new.account_id);
    RETURN NULL;
END
$$;
CREATE TRIGGER staff_keys AFTER INSERT OR UPDATE OF invited_at ON staff
    FOR EACH ROW WHEN (new.invited_at IS NULL) EXECUTE FUNCTION keep_keys_within();
CREATE TRIGGER portal_users_keys AFTER INSERT ON portal_users
    FOR EACH ROW EXECUTE FUNCTION keep_keys_within();

CREATE FUNCTION keep_keys_from_operators() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM end_what_keys_began(new.id, NULL);
    RETURN NULL;
END
$$;
CREATE TRIGGER users_keys AFTER UPDATE OF is_super_admin ON users
    FOR EACH ROW WHEN (new.is_super_admin AND NOT old.is_super_admin) EXECUTE FUNCTION keep_keys_from_operators();
