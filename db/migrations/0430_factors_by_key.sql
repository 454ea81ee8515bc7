-- expand: which keys seal factors is found without looking at each of them, as every probe asks for it.
CREATE INDEX CONCURRENTLY IF NOT EXISTS factors_by_secret_key ON factors (secret_key_id);
