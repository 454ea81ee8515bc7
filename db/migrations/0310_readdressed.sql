-- expand: whose address a key of one account has changed brings to another account nothing that was theirs before that.
-- Whoever had such a key could else make somebody known under a mailbox of their own, choose the password, and wait.

ALTER TABLE users ADD COLUMN readdressed_by uuid, ADD COLUMN readdressed_at timestamptz;

CREATE FUNCTION end_what_was_anothers(person uuid, but uuid) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    since timestamptz;
BEGIN
    SELECT readdressed_at INTO since FROM users
        WHERE id = person AND readdressed_by IS NOT NULL AND readdressed_by IS DISTINCT FROM but;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    UPDATE users SET readdressed_by = NULL, readdressed_at = NULL,
        password_hash = CASE WHEN password_set_at > since THEN password_hash END
        WHERE id = person;
    DELETE FROM identities WHERE user_id = person AND linked_at <= since;
    DELETE FROM sessions WHERE user_id = person;
    DELETE FROM challenges WHERE user_id = person;
END
$$;

CREATE OR REPLACE FUNCTION keep_keys_within() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM end_what_keys_began(new.user_id, new.account_id);
    PERFORM end_what_was_anothers(new.user_id, new.account_id);
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION keep_keys_from_operators() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM end_what_keys_began(new.id, NULL);
    PERFORM end_what_was_anothers(new.id, NULL);
    RETURN NULL;
END
$$;
