-- expand: a person's other accounts, those that they own, and whether a reset of theirs needs a second approver, by one rule.
CREATE FUNCTION roles_everywhere(person uuid, here uuid)
RETURNS TABLE (elsewhere uuid[], owned_elsewhere uuid[], needs_approval boolean)
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT coalesce(array_agg(account_id) FILTER (WHERE account_id <> here), '{}'),
        coalesce(array_agg(account_id) FILTER (WHERE account_id <> here AND role = 'OWNER'), '{}'),
        coalesce(bool_or(reset_needs_approval(reset_approval, role)), false)
    FROM staff JOIN accounts ON accounts.id = account_id
    WHERE user_id = person AND invited_at IS NULL
$$;
