-- expand: what the recovery passes of somebody have begun is found by whom it ends with.
CREATE INDEX CONCURRENTLY IF NOT EXISTS sessions_pass_issuer ON sessions (pass_issuer) WHERE pass_issuer IS NOT NULL;
