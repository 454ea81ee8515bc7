-- expand: whoever belongs nowhere is let in nowhere: they can do nothing here, and a product that looks at nothing but whether
-- they are blocked let in again whom an account had removed.

CREATE FUNCTION belongs_nowhere(person uuid) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT NOT EXISTS (SELECT FROM users WHERE id = person AND is_super_admin)
        AND NOT EXISTS (SELECT FROM staff WHERE user_id = person AND invited_at IS NULL)
        AND NOT EXISTS (
            SELECT FROM portal_users AS portal
            WHERE user_id = person AND NOT EXISTS (SELECT FROM directory_people
                WHERE account_id = portal.account_id AND user_id = person AND inactive_role IS NOT NULL))
$$;

-- Whether it can still be accepted; the time is rules.links.INVITATION's, to which a test holds it.
CREATE FUNCTION invitation_is_open(invited staff) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT coalesce(invited.invited_at > now() - interval '7 days' AND inviter_may_invite(invited), false)
$$;

-- As in 0321, and whoever has been invited comes in to accept, unless a directory has made them inactive. Of most the first look
-- decides: a function of its own costs more.
CREATE OR REPLACE FUNCTION arrive(person uuid, checked_hash text, challenge uuid) RETURNS TABLE (
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
        NOT EXISTS (SELECT FROM staff WHERE user_id = person AND invited_at IS NULL) AND belongs_nowhere(person)
            AND (EXISTS (SELECT FROM directory_people WHERE user_id = person AND inactive_role IS NOT NULL)
                OR NOT EXISTS (SELECT FROM staff WHERE user_id = person AND invitation_is_open(staff))),
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
