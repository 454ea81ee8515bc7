-- expand: people whom an account's own directory keeps by SCIM: what it has said of them, and who is inactive there.

CREATE TABLE directory_people (
    account_id uuid NOT NULL REFERENCES accounts ON DELETE CASCADE,
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    -- the directory's name for them, in the form in which it is looked up
    user_name text NOT NULL CHECK (length(user_name) BETWEEN 1 AND 255),
    -- the resource as the directory last wrote it; where it and our own tables differ, those are right
    said jsonb NOT NULL,
    -- while they are inactive, which nobody with a role is: the role that they come back to
    inactive_role text CHECK (inactive_role IN ('OWNER', 'ADMIN', 'MEMBER')),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, user_id),
    UNIQUE (account_id, user_name)
);
CREATE INDEX directory_people_user ON directory_people (user_id);
CREATE INDEX directory_people_inactive ON directory_people (account_id, user_id) WHERE inactive_role IS NOT NULL;

-- Whichever way somebody comes or goes: with a role they are active, and without one only the inactive stay known.
CREATE FUNCTION keep_directory() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF tg_op = 'DELETE' THEN
        DELETE FROM directory_people
        WHERE account_id = old.account_id AND user_id = old.user_id AND inactive_role IS NULL;
    ELSIF new.invited_at IS NULL THEN
        UPDATE directory_people SET inactive_role = NULL
        WHERE account_id = new.account_id AND user_id = new.user_id AND inactive_role IS NOT NULL;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER staff_directory AFTER INSERT OR DELETE OR UPDATE OF invited_at ON staff
    FOR EACH ROW EXECUTE FUNCTION keep_directory();
