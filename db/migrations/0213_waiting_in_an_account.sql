-- expand: what waits for staff of an account, to be listed and counted by one rule; and whose resets need a second one.

-- Those of the account are found first: what is asked of each costs more.
CREATE FUNCTION account_recoveries_of(account uuid) RETURNS TABLE (user_id uuid, ends_at timestamptz)
LANGUAGE sql STABLE AS $$
    WITH here AS MATERIALIZED (
        SELECT account_recoveries AS recovery FROM account_recoveries
        WHERE (SELECT invited_at IS NULL FROM staff
            WHERE staff.account_id = account AND staff.user_id = account_recoveries.user_id)
    )
    SELECT (recovery).user_id, due_at FROM here, account_recovery_due_at(recovery) AS due_at WHERE due_at IS NOT NULL
$$;

CREATE FUNCTION reset_needs_approval(approval text, role text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT approval = 'EVERYONE' OR approval = 'OWNERS_AND_ADMINS' AND role IN ('OWNER', 'ADMIN')
$$;
