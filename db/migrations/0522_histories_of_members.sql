-- expand: what an account has last known of somebody, who may be staff of it no more, is found by whom it is about.
CREATE INDEX CONCURRENTLY IF NOT EXISTS member_history_member ON member_history (account_id, user_id, valid_from);
