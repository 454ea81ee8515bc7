-- expand: what a mutation was answered under a client's key, sealed, for whoever asks again after a lost answer.

CREATE TABLE idempotent_answers (
    -- a digest of who asks and their key
    place bytea PRIMARY KEY CHECK (length(place) = 32),
    -- the same by the session's token as the request brought it, which the change may have replaced
    token_place bytea UNIQUE CHECK (length(token_place) = 32),
    -- whose keys these are, to be counted: a person, a service or an address
    owner text NOT NULL CHECK (length(owner) <= 400),
    -- a keyed digest of mutation and input
    input_hash bytea NOT NULL CHECK (length(input_hash) = 32),
    key_id text NOT NULL,
    -- who executes it, and until when nobody else may
    claim uuid NOT NULL,
    claimed_until timestamptz NOT NULL,
    answer bytea CHECK (length(answer) <= 300000),
    other_inputs integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX idempotent_answers_owner ON idempotent_answers (owner, created_at);
CREATE INDEX idempotent_answers_age ON idempotent_answers (created_at);
