-- expand: and by the address that it has known.
CREATE INDEX CONCURRENTLY IF NOT EXISTS member_history_email ON member_history (email);
