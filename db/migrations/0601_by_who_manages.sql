-- expand: the functions that asked for an owner or admin by literals ask `manages`; otherwise as in 0082, 0213 and 0370.
CREATE OR REPLACE FUNCTION mfa_deadline(
    required_since timestamptz, grace_deadline timestamptz, joiner_days int, required_of text,
    role text, joined_at timestamptz, excepted_until timestamptz
) RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN required_since IS NOT NULL AND role IS NOT NULL AND (required_of = 'EVERYONE' OR manages(role)) THEN
        greatest(
            grace_deadline,
            CASE WHEN joiner_days > 0 AND joined_at > required_since THEN
                joined_at + joiner_days * interval '24 hours' END,
            excepted_until
        )
    END
$$;

CREATE OR REPLACE FUNCTION reset_needs_approval(approval text, role text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT approval = 'EVERYONE' OR approval = 'OWNERS_AND_ADMINS' AND manages(role)
$$;

CREATE OR REPLACE FUNCTION may_reset(actor uuid, person uuid, here uuid, since timestamptz) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT EXISTS (SELECT FROM factors WHERE user_id = actor AND enabled_at <= since)
        AND here = ANY (managed)
        AND (here = ANY (owned) OR member.role <> 'OWNER' AND enrollment_stopped_at IS NULL)
        AND elsewhere <@ managed AND owned_elsewhere <@ owned
    FROM staff AS member JOIN users ON users.id = member.user_id
        CROSS JOIN LATERAL roles_everywhere(person, here)
        CROSS JOIN (
            SELECT array_agg(account_id) AS managed,
                coalesce(array_agg(account_id) FILTER (WHERE role = 'OWNER'), '{}') AS owned
            FROM staff WHERE user_id = actor AND manages(role) AND invited_at IS NULL
        ) AS own
    WHERE member.account_id = here AND member.user_id = person
$$;
