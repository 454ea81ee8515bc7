-- expand: a person's own deadline in an account, decided in one place.

ALTER TABLE accounts
    -- days that somebody who joins later gets at least
    ADD COLUMN joiner_days smallint NOT NULL DEFAULT 0 CHECK (joiner_days BETWEEN 0 AND 30),
    ADD COLUMN required_of text NOT NULL DEFAULT 'EVERYONE' CHECK (required_of IN ('EVERYONE', 'OWNERS_AND_ADMINS'));

-- The exception that holds for a member; its words and its author are in mfa_exceptions.
ALTER TABLE staff
    ADD COLUMN excepted_until timestamptz,
    ADD COLUMN is_exempt boolean NOT NULL DEFAULT false,
    ADD CHECK (excepted_until IS NOT NULL OR NOT is_exempt);

-- What a page's filters ask of a member is read off the index.
CREATE INDEX staff_standing ON staff (account_id, role, email, id)
    INCLUDE (user_id, created_at, excepted_until, is_exempt);
DROP INDEX staff_page;

-- Deadlines of members' own that come near.
CREATE INDEX staff_excepted ON staff (account_id, excepted_until) WHERE excepted_until IS NOT NULL;
CREATE INDEX staff_joined ON staff (account_id, created_at);

-- When a member who is not enrolled is stopped; null when nothing is asked of them. A reset stops whatever this says.
CREATE FUNCTION mfa_deadline(
    required_since timestamptz, grace_deadline timestamptz, joiner_days int, required_of text,
    role text, joined_at timestamptz, excepted_until timestamptz
) RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN required_since IS NOT NULL AND (required_of = 'EVERYONE' OR role IN ('OWNER', 'ADMIN')) THEN
        greatest(
            grace_deadline,
            CASE WHEN joiner_days > 0 AND joined_at > required_since THEN
                joined_at + joiner_days * interval '24 hours' END,
            excepted_until
        )
    END
$$;

CREATE FUNCTION mfa_deadline(account accounts, member staff) RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT mfa_deadline(
        account.required_since, account.grace_deadline, account.joiner_days, account.required_of,
        member.role, member.created_at, member.excepted_until
    )
$$;

-- How the member's MFA stands at an instant.
CREATE FUNCTION mfa_state(is_enrolled boolean, is_reset boolean, deadline timestamptz, at timestamptz)
RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN is_enrolled THEN 'ENABLED'
        WHEN is_reset OR deadline <= at THEN 'BLOCKED'
        ELSE 'NOT_ENABLED' END
$$;
