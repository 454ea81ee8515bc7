-- Sessions, challenges, the second factor, and the throttles on guessing.
-- Whoever changes or uses a person's factor locks that person's row in users first.

CREATE TABLE sessions (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    token_hash bytea NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    password_at timestamptz NOT NULL,
    user_agent text CHECK (length(user_agent) <= 400),
    ip_address text CHECK (length(ip_address) <= 64),
    created_at timestamptz NOT NULL DEFAULT now(),
    last_used_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id, last_used_at DESC);
CREATE INDEX sessions_expiry ON sessions (expires_at);

CREATE TABLE challenges (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    token_hash bytea NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    use_cookie boolean NOT NULL,
    attempts smallint NOT NULL DEFAULT 0 CHECK (attempts BETWEEN 0 AND 5),
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);
CREATE INDEX challenges_user ON challenges (user_id);
CREATE INDEX challenges_expiry ON challenges (expires_at);

CREATE TABLE factors (
    user_id uuid PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    secret_sealed bytea NOT NULL,
    secret_key_id text NOT NULL,
    -- the newest accepted time step: it and every earlier one are spent
    last_step bigint NOT NULL,
    backup_salt bytea NOT NULL CHECK (length(backup_salt) = 16),
    backup_key_id text NOT NULL,
    enabled_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE backup_codes (
    user_id uuid NOT NULL REFERENCES factors ON DELETE CASCADE,
    digest bytea NOT NULL CHECK (length(digest) = 32),
    PRIMARY KEY (user_id, digest)
);

CREATE TABLE enrollments (
    user_id uuid PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    secret_sealed bytea NOT NULL,
    secret_key_id text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);

-- One row for each thing guessed at: the instants of the failures that still count, oldest first.
CREATE TABLE throttles (
    key text PRIMARY KEY CHECK (length(key) <= 400),
    failures timestamptz[] NOT NULL CHECK (cardinality(failures) <= 200),
    -- the newest lock that has been recorded as an event
    locked_until timestamptz,
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX throttles_age ON throttles (updated_at);
