-- expand: whom another account's directory has made inactive may be back there tomorrow, in their role: whatever asks for all that
-- somebody has a role in counts it. Else one account could, in the meantime, become who is another's again.
CREATE FUNCTION roles_to_reckon_with(person uuid) RETURNS TABLE (account_id uuid, role text)
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT staff.account_id, staff.role FROM staff WHERE user_id = person AND invited_at IS NULL
    UNION ALL
    SELECT directory_people.account_id, inactive_role FROM directory_people
    WHERE user_id = person AND inactive_role IS NOT NULL
$$;

CREATE OR REPLACE FUNCTION roles_everywhere(person uuid, here uuid)
RETURNS TABLE (elsewhere uuid[], owned_elsewhere uuid[], needs_approval boolean)
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT coalesce(array_agg(account_id) FILTER (WHERE account_id <> here), '{}')
            -- the platform, as an account that nobody manages
            || ARRAY(SELECT '00000000-0000-0000-0000-000000000000'::uuid FROM users WHERE id = person AND is_super_admin),
        coalesce(array_agg(account_id) FILTER (WHERE account_id <> here AND role = 'OWNER'), '{}'),
        coalesce(bool_or(reset_needs_approval(reset_approval, role)), false)
    FROM roles_to_reckon_with(person) JOIN accounts ON accounts.id = account_id
$$;

-- As in 0181; and none for whoever is inactive everywhere, who is shut out.
CREATE OR REPLACE FUNCTION account_recovery_days(person uuid) RETURNS smallint LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN bool_and(policy.account_id IS NOT NULL AND NOT reset_needs_approval(reset_approval, role))
        THEN max(CASE role WHEN 'OWNER' THEN owner_days WHEN 'ADMIN' THEN admin_days ELSE member_days END) END
    FROM users
    CROSS JOIN LATERAL roles_to_reckon_with(users.id) AS held
    JOIN accounts ON accounts.id = held.account_id
    LEFT JOIN account_recovery_policies AS policy ON policy.account_id = accounts.id
    WHERE users.id = person AND NOT is_super_admin
        AND EXISTS (SELECT FROM staff WHERE staff.user_id = person AND invited_at IS NULL)
$$;
