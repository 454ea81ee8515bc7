-- expand: an endpoint that is removed is marked, which holds up no event, and goes in steps with what was written for it. The
-- version before takes it for one that is off: it writes and sends nothing there, and is kept from switching it on.
ALTER TABLE webhooks ADD COLUMN removed_at timestamptz,
    ADD CONSTRAINT webhooks_removed_are_off CHECK (removed_at IS NULL OR disabled_at IS NOT NULL);
