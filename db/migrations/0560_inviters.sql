-- expand: an invitation holds as long as whoever sent it might still send it. Null: an operator's, a key's, or of before.
ALTER TABLE staff ADD COLUMN invited_by uuid;

CREATE FUNCTION inviter_may_invite(invited staff) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT invited.invited_by IS NULL OR EXISTS (
        SELECT FROM staff AS inviter
        WHERE inviter.account_id = invited.account_id AND inviter.user_id = invited.invited_by
            AND inviter.invited_at IS NULL
            AND (inviter.role = 'OWNER' OR inviter.role = 'ADMIN' AND invited.role <> 'OWNER'))
$$;
