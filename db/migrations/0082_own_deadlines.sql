-- expand: reminders of deadlines of members' own.

CREATE INDEX staff_exceptions_end ON staff (excepted_until) WHERE excepted_until IS NOT NULL;

-- Each reminder of a member's own deadline happens once; 0 days is its end.
CREATE TABLE own_reminders (
    account_id uuid NOT NULL REFERENCES accounts ON DELETE CASCADE,
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    deadline timestamptz NOT NULL,
    threshold_days smallint NOT NULL,
    planned_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, user_id, deadline, threshold_days)
);

-- Of whoever is no member, nothing is asked.
CREATE OR REPLACE FUNCTION mfa_deadline(
    required_since timestamptz, grace_deadline timestamptz, joiner_days int, required_of text,
    role text, joined_at timestamptz, excepted_until timestamptz
) RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN required_since IS NOT NULL AND role IS NOT NULL
        AND (required_of = 'EVERYONE' OR role IN ('OWNER', 'ADMIN'))
    THEN
        greatest(
            grace_deadline,
            CASE WHEN joiner_days > 0 AND joined_at > required_since THEN
                joined_at + joiner_days * interval '24 hours' END,
            excepted_until
        )
    END
$$;
