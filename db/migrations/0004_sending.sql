-- What the send judges a delivery by, so that it never has to read an event's facts; and how far a send has come.

ALTER TABLE deliveries
    -- only for staff not enrolled of an account that still requires it since then, and with that deadline
    ADD COLUMN required_since timestamptz,
    ADD COLUMN deadline timestamptz,
    -- of no use from then on
    ADD COLUMN expires_at timestamptz,
    -- set just before the message leaves: from then on nobody but the server knows whether it took it
    ADD COLUMN body_sent_at timestamptz,
    -- how often it may go out again when its sender died without knowing
    ADD COLUMN resends smallint NOT NULL DEFAULT 1 CHECK (resends >= 0);

-- How often it was handed to the broker since a worker last got on with it.
ALTER TABLE events ADD COLUMN hand_overs smallint NOT NULL DEFAULT 0;
