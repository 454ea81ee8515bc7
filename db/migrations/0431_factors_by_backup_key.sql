-- expand: likewise which keys the backup codes depend on.
CREATE INDEX CONCURRENTLY IF NOT EXISTS factors_by_backup_key ON factors (backup_key_id);
