-- expand: the weekly digest, once for each account and week: the insert decides.
CREATE TABLE digests (
    account_id uuid NOT NULL REFERENCES accounts ON DELETE CASCADE,
    -- when it was due
    week timestamptz NOT NULL,
    PRIMARY KEY (account_id, week)
);
CREATE INDEX digests_age ON digests (week);
