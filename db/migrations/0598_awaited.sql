-- expand: whose invitation holds no more is found each minute without looking at all staff.
CREATE INDEX CONCURRENTLY IF NOT EXISTS staff_awaited ON staff (user_id) WHERE invited_at IS NOT NULL;
