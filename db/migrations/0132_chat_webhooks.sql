-- expand: webhooks that speak to a channel of Slack or Teams.
ALTER TABLE webhooks ADD COLUMN format text NOT NULL DEFAULT 'STANDARD'
    CHECK (format IN ('STANDARD', 'SLACK', 'TEAMS'));
