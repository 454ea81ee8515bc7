-- expand: a roster's page is one range for each role and for those enrolled and not; what else its filters ask is read
-- off the same index.
CREATE INDEX CONCURRENTLY IF NOT EXISTS staff_by_standing ON staff (account_id, role, has_mfa, email, id)
    INCLUDE (user_id, created_at, excepted_until, is_exempt, invited_at, was_reset);
