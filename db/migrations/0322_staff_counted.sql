-- expand: how many of an account's members are enrolled, how many are not, and who was reset, counted off an index so small
-- that a million of them take some 7 MB.
CREATE INDEX CONCURRENTLY IF NOT EXISTS staff_counted ON staff (account_id, has_mfa, was_reset) WHERE invited_at IS NULL;
