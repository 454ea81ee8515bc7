-- expand: under which address an account knows somebody. Whoever has left it may have got another one since, of which it is told
-- nothing: it goes on knowing the one that it knew. Operators of the platform, and whoever was never staff of it, have theirs.
CREATE FUNCTION address_known_to(account uuid, person uuid) RETURNS TABLE (email text) LANGUAGE sql STABLE AS $$
    SELECT coalesce(staff.email, CASE WHEN NOT is_super_admin THEN (
        SELECT known.email FROM member_history AS known
        WHERE known.account_id = account AND known.user_id = person
        ORDER BY valid_from DESC, valid_to DESC LIMIT 1
    ) END, users.email)
    FROM users LEFT JOIN staff ON staff.account_id = account AND staff.user_id = users.id
    WHERE users.id = person
$$;
