-- expand: whom somebody has invited, and who has not come yet, is found by them.
CREATE INDEX CONCURRENTLY IF NOT EXISTS staff_invited_by ON staff (invited_by) WHERE invited_by IS NOT NULL;
