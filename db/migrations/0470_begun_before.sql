-- expand: which sessions a service key of the name has begun by the version before, which kept the key with none of them. The event
-- of the same transaction tells: it happened where that began, and the session soon after. Who signed in otherwise within
-- that minute is signed out as well.

CREATE FUNCTION begun_before(name text) RETURNS TABLE (session_id uuid, user_id uuid) LANGUAGE sql STABLE AS $$
    SELECT sessions.id, sessions.user_id FROM sessions
    JOIN events ON events.subject_id = sessions.user_id AND events.service_key = name
        AND type IN ('SIGN_IN_SUCCEEDED', 'RECOVERY_PASS_USED')
        AND occurred_at BETWEEN created_at - interval '1 minute' AND created_at
    WHERE begun_by_key IS NULL
$$;
