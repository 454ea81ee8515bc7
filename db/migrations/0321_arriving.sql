-- expand: a sign-in takes the person's lock, uses its challenge up and reads how the person stands by one round trip. Each
-- statement of the function sees what was committed before it, so what is read is read behind the lock.

CREATE FUNCTION arrive(person uuid, checked_hash text, challenge uuid) RETURNS TABLE (
    user_id uuid,
    email text,
    is_shut_out boolean,
    needs_enrollment_link boolean,
    break_glass uuid[],
    now timestamptz,
    secret_sealed bytea,
    secret_key_id text,
    last_step bigint,
    backup_salt bytea,
    backup_key_id text
) ROWS 1 LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    PERFORM FROM users
    WHERE id = person AND (checked_hash IS NULL OR password_hash = checked_hash) FOR NO KEY UPDATE;
    IF NOT found THEN
        RETURN;
    END IF;
    IF challenge IS NOT NULL THEN
        DELETE FROM challenges WHERE id = challenge AND expires_at > now();
        IF NOT found THEN
            RETURN;
        END IF;
    END IF;
    RETURN QUERY SELECT users.id, users.email,
        EXISTS (SELECT FROM directory_people WHERE user_id = person AND inactive_role IS NOT NULL)
            AND NOT is_super_admin
            AND NOT EXISTS (SELECT FROM staff WHERE user_id = person AND invited_at IS NULL)
            AND NOT EXISTS (
                SELECT FROM portal_users AS portal
                WHERE user_id = person AND NOT EXISTS (SELECT FROM directory_people
                    WHERE account_id = portal.account_id AND user_id = person AND inactive_role IS NOT NULL)),
        reenrollment_required_at IS NOT NULL AND enrollment_stopped_at IS NULL
            AND EXISTS (SELECT FROM staff JOIN accounts ON accounts.id = account_id
                WHERE user_id = person AND invited_at IS NULL AND confirm_reset_by_email),
        ARRAY(SELECT account_id FROM mfa_exceptions
            WHERE user_id = person AND is_break_glass AND ended_at IS NULL AND until > now()),
        clock_timestamp(), factors.secret_sealed, factors.secret_key_id, factors.last_step, factors.backup_salt,
        factors.backup_key_id
    FROM users LEFT JOIN factors ON factors.user_id = users.id WHERE users.id = person;
END
$$;
