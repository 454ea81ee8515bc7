-- expand: whether somebody might still reset another one of an account, as rules.people.may_reset has it, for what they gave or asked
-- for earlier: recovery passes and resets that wait. They must have had MFA on ever since.
CREATE FUNCTION may_reset(actor uuid, person uuid, here uuid, since timestamptz) RETURNS boolean
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
            FROM staff WHERE user_id = actor AND role IN ('OWNER', 'ADMIN') AND invited_at IS NULL
        ) AS own
    WHERE member.account_id = here AND member.user_id = person
$$;
