-- expand: which service key has begun a session or a challenge is kept with it, so that it ends as well where the key has been
-- revoked meanwhile, by what stood there alone or when the person joins another account.

ALTER TABLE sessions ADD COLUMN begun_by_key uuid, ADD COLUMN begun_by_account uuid;
ALTER TABLE challenges ADD COLUMN begun_by_key uuid, ADD COLUMN begun_by_account uuid;

-- All end as before of whoever has had nothing but an account with such a key: of what is older, and of what a process of the
-- version before begins, the key is kept nowhere.
CREATE OR REPLACE FUNCTION end_what_keys_began(person uuid, but uuid) RETURNS void LANGUAGE plpgsql AS $$
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
        RETURN;
    END IF;
    DELETE FROM sessions
    WHERE user_id = person AND begun_by_account IS NOT NULL AND begun_by_account IS DISTINCT FROM but;
    DELETE FROM challenges
    WHERE user_id = person AND begun_by_account IS NOT NULL AND begun_by_account IS DISTINCT FROM but;
END
$$;

-- A key that signs the person in at this moment holds their row until it has: what it begins is seen here.
CREATE OR REPLACE FUNCTION keep_keys_within() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM users WHERE id = new.user_id FOR SHARE;
    PERFORM end_what_keys_began(new.user_id, new.account_id);
    PERFORM end_what_was_anothers(new.user_id, new.account_id);
    RETURN NULL;
END
$$;
