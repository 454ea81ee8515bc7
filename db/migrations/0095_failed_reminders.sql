-- expand: when a member's latest reminder failed, until another one is sent.
ALTER TABLE staff ADD COLUMN last_reminder_failed_at timestamptz;
