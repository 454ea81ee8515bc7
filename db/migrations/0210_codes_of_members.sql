-- expand: how many backup codes a member has left, and whether nobody has said that they are saved, kept in the member's
-- own row, so that a forecast reads it off an index. Of who has no MFA, or has not come yet, neither is said.
--
-- Whatever makes, spends or replaces codes holds the person's row in users as it does so.

ALTER TABLE staff
    ADD COLUMN codes_left smallint,
    ADD COLUMN codes_unsaved boolean NOT NULL DEFAULT false;

-- Whoever has spent a code has saved them; of sets from before that could be said nothing is known.
CREATE FUNCTION codes_of(factor factors, OUT remaining smallint, OUT are_unsaved boolean) LANGUAGE sql STABLE AS $$
    SELECT (SELECT count(*) FROM backup_codes WHERE backup_codes.user_id = factor.user_id)::smallint,
        factor.codes_shown_at IS NOT NULL AND factor.codes_saved_at IS NULL
            AND NOT EXISTS (SELECT FROM spent_backup_codes AS spent WHERE spent.user_id = factor.user_id)
$$;

CREATE FUNCTION keep_codes_of_members(people uuid[]) RETURNS void LANGUAGE sql AS $$
    UPDATE staff SET codes_left = codes.remaining, codes_unsaved = codes.are_unsaved
    FROM factors, codes_of(factors) AS codes
    WHERE factors.user_id = ANY (people) AND staff.user_id = factors.user_id AND invited_at IS NULL
        AND (codes_left, codes_unsaved) IS DISTINCT FROM (codes.remaining, codes.are_unsaved)
$$;

CREATE FUNCTION keep_codes_of_set() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM keep_codes_of_members(ARRAY(SELECT DISTINCT user_id FROM changed));
    RETURN NULL;
END
$$;
CREATE TRIGGER backup_codes_made AFTER INSERT ON backup_codes
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION keep_codes_of_set();
CREATE TRIGGER backup_codes_gone AFTER DELETE ON backup_codes
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION keep_codes_of_set();

CREATE FUNCTION keep_codes_saved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM keep_codes_of_members(ARRAY[new.user_id]);
    RETURN NULL;
END
$$;
CREATE TRIGGER factors_codes AFTER UPDATE OF codes_shown_at, codes_saved_at ON factors
    FOR EACH ROW EXECUTE FUNCTION keep_codes_saved();

CREATE OR REPLACE FUNCTION keep_standing_of_member() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    codes record;
BEGIN
    new.has_mfa := false;
    new.was_reset := false;
    new.codes_left := NULL;
    new.codes_unsaved := false;
    IF new.invited_at IS NOT NULL THEN
        RETURN new;
    END IF;
    PERFORM FROM users WHERE id = new.user_id FOR SHARE;
    new.was_reset := EXISTS (SELECT FROM users WHERE id = new.user_id AND reenrollment_required_at IS NOT NULL);
    SELECT of_them.* INTO codes FROM factors, codes_of(factors) AS of_them WHERE factors.user_id = new.user_id;
    IF found THEN
        new.has_mfa := true;
        new.codes_left := codes.remaining;
        new.codes_unsaved := codes.are_unsaved;
    END IF;
    RETURN new;
END
$$;

CREATE OR REPLACE FUNCTION keep_standing_of_factor() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    person uuid := CASE WHEN tg_op = 'DELETE' THEN old.user_id ELSE new.user_id END;
BEGIN
    PERFORM FROM users WHERE id = person FOR NO KEY UPDATE;
    UPDATE staff SET has_mfa = tg_op = 'INSERT', codes_left = CASE tg_op WHEN 'INSERT' THEN 0 END, codes_unsaved = false
    WHERE user_id = person AND invited_at IS NULL;
    RETURN NULL;
END
$$;
