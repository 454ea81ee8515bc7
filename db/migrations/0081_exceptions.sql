-- expand: exceptions from an account's MFA requirement, each with its author, its words and its end.

CREATE TABLE mfa_exceptions (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    account_id uuid NOT NULL REFERENCES accounts ON DELETE CASCADE,
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('EXTENDED', 'EXEMPTED')),
    -- each sign-in of a break-glass account is told to all owners
    is_break_glass boolean NOT NULL DEFAULT false CHECK (kind = 'EXEMPTED' OR NOT is_break_glass),
    until timestamptz NOT NULL,
    reason text NOT NULL CHECK (length(btrim(reason)) BETWEEN 1 AND 500),
    -- null: an operator
    author_id uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    -- when it was ended before its time, by hand, by a newer one or by the member's leaving
    ended_at timestamptz,
    ended_by uuid
);
CREATE UNIQUE INDEX mfa_exceptions_open ON mfa_exceptions (account_id, user_id) WHERE ended_at IS NULL;
CREATE INDEX mfa_exceptions_account ON mfa_exceptions (account_id, created_at DESC, id);
CREATE INDEX mfa_exceptions_break_glass ON mfa_exceptions (user_id) WHERE is_break_glass AND ended_at IS NULL;

CREATE FUNCTION end_exception_of_leaver() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE mfa_exceptions SET ended_at = now()
    WHERE account_id = old.account_id AND user_id = old.user_id AND ended_at IS NULL;
    RETURN NULL;
END
$$;
CREATE TRIGGER staff_leave AFTER DELETE ON staff FOR EACH ROW EXECUTE FUNCTION end_exception_of_leaver();

-- Why the member's deadline is when it is; null when nothing is asked of them.
CREATE FUNCTION mfa_deadline_reason(account accounts, member staff, is_reset boolean)
RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN is_reset THEN 'RESET'
        WHEN mfa_deadline(account, member) = account.grace_deadline THEN 'POLICY'
        WHEN mfa_deadline(account, member) = member.excepted_until THEN
            CASE WHEN member.is_exempt THEN 'EXEMPTED' ELSE 'EXTENDED' END
        WHEN mfa_deadline(account, member) IS NOT NULL THEN 'JOINED_LATER'
    END
$$;
