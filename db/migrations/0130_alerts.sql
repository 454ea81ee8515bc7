-- expand: which alerts an account's owners and admins get by email, at most one of a kind an hour to each.

-- Whatever a row says nothing of is as it is by default.
CREATE TABLE alert_settings (
    account_id uuid NOT NULL REFERENCES accounts ON DELETE CASCADE,
    kind text NOT NULL,
    email boolean NOT NULL,
    email_admins boolean NOT NULL,
    PRIMARY KEY (account_id, kind)
);

-- Until when what happens is gathered, since an alert of the kind has left.
CREATE TABLE alert_turns (
    account_id uuid NOT NULL,
    user_id uuid NOT NULL,
    kind text NOT NULL,
    until timestamptz NOT NULL,
    PRIMARY KEY (account_id, user_id, kind),
    FOREIGN KEY (account_id, user_id) REFERENCES staff (account_id, user_id) ON DELETE CASCADE
);
CREATE INDEX alert_turns_end ON alert_turns (until);

CREATE TABLE gathered_alerts (
    account_id uuid NOT NULL,
    user_id uuid NOT NULL,
    kind text NOT NULL,
    event_id bigint NOT NULL REFERENCES events ON DELETE CASCADE,
    -- the sentence of the audit log
    told text NOT NULL,
    PRIMARY KEY (account_id, user_id, kind, event_id),
    FOREIGN KEY (account_id, user_id, kind) REFERENCES alert_turns ON DELETE CASCADE
);
CREATE INDEX gathered_alerts_event ON gathered_alerts (event_id);

-- Messages to an account's own people about what is told already are no news to the platform.
CREATE OR REPLACE FUNCTION tell_platform_webhooks() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO webhook_deliveries (webhook_id, event_id, subject_id)
    SELECT webhooks.id, appended.id, appended.subject_id
    FROM appended
    JOIN webhooks ON webhooks.account_id IS NULL AND disabled_at IS NULL
    WHERE (event_types IS NULL OR appended.type = ANY (event_types))
        AND appended.type NOT IN ('ALERT_RAISED', 'DIGEST_SENT')
    ORDER BY appended.id
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;
