-- expand: an operator of the platform stands above every account, so that nobody of one account manages all that they reach.
CREATE OR REPLACE FUNCTION roles_everywhere(person uuid, here uuid)
RETURNS TABLE (elsewhere uuid[], owned_elsewhere uuid[], needs_approval boolean)
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT coalesce(array_agg(account_id) FILTER (WHERE account_id <> here), '{}')
            -- the platform, as an account that nobody manages
            || ARRAY(SELECT '00000000-0000-0000-0000-000000000000'::uuid FROM users WHERE id = person AND is_super_admin),
        coalesce(array_agg(account_id) FILTER (WHERE account_id <> here AND role = 'OWNER'), '{}'),
        coalesce(bool_or(reset_needs_approval(reset_approval, role)), false)
    FROM staff JOIN accounts ON accounts.id = account_id
    WHERE user_id = person AND invited_at IS NULL
$$;
