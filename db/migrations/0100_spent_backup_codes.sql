-- expand: the spent codes of the set that holds, so that whoever tries one again is told that it was used.
CREATE TABLE spent_backup_codes (
    user_id uuid NOT NULL REFERENCES factors ON DELETE CASCADE,
    digest bytea NOT NULL CHECK (length(digest) = 32),
    PRIMARY KEY (user_id, digest)
);
