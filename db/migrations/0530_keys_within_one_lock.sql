-- expand: whoever joins an account is held as they are changed afterwards: two accounts that take the same person at once, each of which
-- changes them, would else wait for each other.

-- A key that signs the person in at this moment holds their row until it has: what it begins is seen here.
CREATE OR REPLACE FUNCTION keep_keys_within() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM users WHERE id = new.user_id FOR NO KEY UPDATE;
    PERFORM end_what_keys_began(new.user_id, new.account_id);
    PERFORM end_what_was_anothers(new.user_id, new.account_id);
    RETURN NULL;
END
$$;
