-- expand: when a mail about their account recovery last left for whoever waits: it is carried out a day after that.
CREATE FUNCTION account_recovery_mailed_at(recovery account_recoveries) RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT max(sent_at)
    FROM events JOIN deliveries ON deliveries.event_id = events.id
    WHERE subject_id = recovery.user_id AND type IN ('ACCOUNT_RECOVERY_STARTED', 'ACCOUNT_RECOVERY_REMINDED')
        AND occurred_at >= recovery.started_at AND deliveries.user_id = subject_id AND state = 'sent'
$$;
