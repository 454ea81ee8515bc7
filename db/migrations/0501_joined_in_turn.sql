-- expand: those who joined an account, page by page, any number of whom may have joined in one moment.
CREATE INDEX CONCURRENTLY IF NOT EXISTS staff_joined_in_turn ON staff (account_id, created_at, user_id);
