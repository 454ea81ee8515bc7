-- expand: keys by which a product's systems ask, what those call people by, and how a session's person was recognised.

CREATE TABLE service_keys (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 60),
    token_hash bytea NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    rights text[] NOT NULL CHECK (cardinality(rights) > 0),
    -- null: for all accounts
    account_id uuid REFERENCES accounts ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    last_used_at timestamptz,
    expires_at timestamptz
);

-- What an account's systems (or, without an account, the product's) call a person.
CREATE TABLE external_ids (
    account_id uuid REFERENCES accounts ON DELETE CASCADE,
    external_id text NOT NULL CHECK (length(external_id) BETWEEN 1 AND 255),
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    UNIQUE NULLS NOT DISTINCT (account_id, external_id),
    UNIQUE NULLS NOT DISTINCT (account_id, user_id)
);
CREATE INDEX external_ids_user ON external_ids (user_id);

-- What a mutation was answered under an idempotency key, so that sending it again changes nothing.
CREATE TABLE service_answers (
    scope text NOT NULL,
    idempotency_key text NOT NULL CHECK (length(idempotency_key) BETWEEN 1 AND 255),
    input_hash bytea NOT NULL CHECK (length(input_hash) = 32),
    answer jsonb,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (scope, idempotency_key)
);
CREATE INDEX service_answers_age ON service_answers (created_at);

-- How the person was recognised, in the words of RFC 8176.
ALTER TABLE sessions ADD COLUMN amr text[] NOT NULL DEFAULT '{pwd}';
ALTER TABLE challenges
    ADD COLUMN amr text[] NOT NULL DEFAULT '{pwd}',
    -- where the person is, when a service opened it for them
    ADD COLUMN user_agent text CHECK (length(user_agent) <= 400),
    ADD COLUMN ip_address text CHECK (length(ip_address) <= 64),
    -- that service key's name
    ADD COLUMN service_key text;

-- The name of the service key that did it.
ALTER TABLE events ADD COLUMN service_key text;
