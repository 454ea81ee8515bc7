-- expand: whom to ask next.
CREATE INDEX CONCURRENTLY IF NOT EXISTS factors_check_up ON factors (coalesce(checked_up_at, enabled_at));
