-- expand: webhooks: endpoints that are told of events, and each delivery on its way.

CREATE TABLE webhooks (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    -- null: of all accounts and of the platform
    account_id uuid REFERENCES accounts ON DELETE CASCADE,
    url text NOT NULL CHECK (length(url) <= 2000),
    -- null: all
    event_types text[],
    secret_sealed bytea NOT NULL,
    secret_key_id text NOT NULL,
    -- still signs along until then, so that a receiver can change over
    previous_sealed bytea,
    previous_key_id text,
    previous_until timestamptz,
    -- since when every attempt has failed; switched off once that is too long
    failing_since timestamptz,
    disabled_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK (num_nulls(previous_sealed, previous_key_id, previous_until) IN (0, 3))
);
CREATE INDEX webhooks_account ON webhooks (account_id);

CREATE TABLE webhook_deliveries (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    webhook_id uuid NOT NULL REFERENCES webhooks ON DELETE CASCADE,
    -- null: a test
    event_id bigint REFERENCES events ON DELETE CASCADE,
    -- those about one person keep their order
    subject_id uuid,
    state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'sending', 'delivered', 'failed')),
    attempts smallint NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    claimed_at timestamptz,
    -- tried again for so long from then on
    tried_since timestamptz NOT NULL DEFAULT now(),
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (webhook_id, event_id)
);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (webhook_id, next_attempt_at) WHERE state = 'pending';
CREATE INDEX webhook_deliveries_claimed ON webhook_deliveries (webhook_id) WHERE state = 'sending';
CREATE INDEX webhook_deliveries_order ON webhook_deliveries (webhook_id, subject_id, id)
    WHERE state IN ('pending', 'sending');
CREATE INDEX webhook_deliveries_listed ON webhook_deliveries (webhook_id, id);
CREATE INDEX webhook_deliveries_event ON webhook_deliveries (event_id);
CREATE INDEX webhook_deliveries_age ON webhook_deliveries (created_at);

CREATE TABLE webhook_attempts (
    delivery_id bigint NOT NULL REFERENCES webhook_deliveries ON DELETE CASCADE,
    attempted_at timestamptz NOT NULL DEFAULT now(),
    duration_ms int NOT NULL,
    status smallint,
    answer text,
    error text
);
CREATE INDEX webhook_attempts_delivery ON webhook_attempts (delivery_id);

-- Whichever way an event comes to show in an account, its webhooks are told in the same transaction.
CREATE FUNCTION tell_account_webhooks() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO webhook_deliveries (webhook_id, event_id, subject_id)
    SELECT webhooks.id, events.id, events.subject_id
    FROM shown
    JOIN webhooks ON webhooks.account_id = shown.account_id AND disabled_at IS NULL
    JOIN events ON events.id = shown.event_id
    WHERE event_types IS NULL OR events.type = ANY (event_types)
    ORDER BY events.id
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;
CREATE TRIGGER tell_webhooks AFTER INSERT ON account_events
    REFERENCING NEW TABLE AS shown FOR EACH STATEMENT EXECUTE FUNCTION tell_account_webhooks();

CREATE FUNCTION tell_platform_webhooks() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO webhook_deliveries (webhook_id, event_id, subject_id)
    SELECT webhooks.id, appended.id, appended.subject_id
    FROM appended
    JOIN webhooks ON webhooks.account_id IS NULL AND disabled_at IS NULL
    WHERE event_types IS NULL OR appended.type = ANY (event_types)
    ORDER BY appended.id
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;
CREATE TRIGGER tell_webhooks AFTER INSERT ON events
    REFERENCING NEW TABLE AS appended FOR EACH STATEMENT EXECUTE FUNCTION tell_platform_webhooks();
