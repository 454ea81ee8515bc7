-- Events are the audit log and the outbox; deliveries carry each email to its end.

CREATE TABLE events (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    type text NOT NULL,
    account_id uuid,
    subject_id uuid,
    actor_id uuid,
    occurred_at timestamptz NOT NULL DEFAULT now(),
    data jsonb NOT NULL DEFAULT '{}',
    -- a reader that stays below the oldest running transaction misses no late commit
    transaction_id xid8 NOT NULL DEFAULT pg_current_xact_id(),
    -- when it was last handed to a worker, and how often one has begun it without getting on
    handed_at timestamptz,
    attempts smallint NOT NULL DEFAULT 0,
    -- how far a fan-out over an account's staff has come: the last person's id
    fanned_out_to uuid,
    dispatched_at timestamptz,
    -- set aside: why no worker could dispatch it
    failure text
);
CREATE INDEX events_undispatched ON events (id) WHERE dispatched_at IS NULL AND failure IS NULL;
CREATE INDEX events_set_aside ON events (id) WHERE failure IS NOT NULL;
CREATE INDEX events_in_commit_order ON events (transaction_id, id);

-- In which accounts' audit logs an event shows: its own account, or those its subject was staff of then.
CREATE TABLE account_events (
    account_id uuid NOT NULL REFERENCES accounts ON DELETE CASCADE,
    event_id bigint NOT NULL REFERENCES events ON DELETE CASCADE,
    PRIMARY KEY (account_id, event_id)
);

CREATE TABLE deliveries (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id bigint NOT NULL REFERENCES events ON DELETE CASCADE,
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    -- the template's name
    message text NOT NULL,
    email text NOT NULL,
    queue text NOT NULL CHECK (queue IN ('security', 'bulk')),
    state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'sending', 'sent', 'failed', 'dropped')),
    attempts smallint NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    -- who sends it and since when; every mark names its claim, so that one taken over marks nothing
    claim_id uuid,
    claimed_at timestamptz,
    sent_at timestamptz,
    last_error text,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (event_id, user_id, message)
);
CREATE INDEX deliveries_due ON deliveries (queue, next_attempt_at) WHERE state = 'pending';
CREATE INDEX deliveries_claimed ON deliveries (queue, claimed_at) WHERE state = 'sending';
CREATE INDEX deliveries_claim ON deliveries (claim_id) WHERE state = 'sending';
CREATE INDEX deliveries_failed ON deliveries (id) WHERE state = 'failed';
CREATE INDEX deliveries_age ON deliveries (created_at);

-- Each reminder of a requirement happens once: the planner's insert decides.
CREATE TABLE reminders (
    account_id uuid NOT NULL REFERENCES accounts ON DELETE CASCADE,
    required_since timestamptz NOT NULL,
    threshold_days smallint NOT NULL,
    planned_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, required_since, threshold_days)
);
