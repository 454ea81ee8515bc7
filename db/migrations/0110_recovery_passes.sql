-- expand: a pass in place of a lost second factor, and the session that it starts, which only replaces the factor.

CREATE TABLE recovery_passes (
    -- one a person; it goes with the factor, and with the membership that it was given in
    user_id uuid PRIMARY KEY REFERENCES factors ON DELETE CASCADE,
    account_id uuid NOT NULL,
    issuer_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    token_hash bytea NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    expires_at timestamptz NOT NULL,
    FOREIGN KEY (account_id, user_id) REFERENCES staff (account_id, user_id) ON DELETE CASCADE
);
CREATE INDEX recovery_passes_issuer ON recovery_passes (issuer_id);
CREATE INDEX recovery_passes_end ON recovery_passes (expires_at);

ALTER TABLE sessions ADD COLUMN is_recovery boolean NOT NULL DEFAULT false;
