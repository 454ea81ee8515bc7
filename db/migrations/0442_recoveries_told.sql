-- expand: the events that tell of an account recovery, found by whom they are about: each sweep looks for those of whoever waits.
CREATE INDEX CONCURRENTLY IF NOT EXISTS events_telling_of_recovery ON events (subject_id)
    WHERE type IN ('ACCOUNT_RECOVERY_STARTED', 'ACCOUNT_RECOVERY_REMINDED');
