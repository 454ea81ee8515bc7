-- expand: where each person has signed in from before, by a digest of program and network: what is new is told to them.
CREATE TABLE seen_devices (
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    digest bytea NOT NULL CHECK (length(digest) = 32),
    first_seen_at timestamptz NOT NULL DEFAULT now(),
    last_seen_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, digest)
);
CREATE INDEX seen_devices_age ON seen_devices (last_seen_at);
