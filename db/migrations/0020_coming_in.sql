-- expand: people who have no password yet, invitations, and the links in emails that work once.

-- Null for whoever was invited or imported and has not set one.
ALTER TABLE users ALTER COLUMN password_hash DROP NOT NULL;
ALTER TABLE users ADD COLUMN password_set_at timestamptz;

-- While an invitation is open: the role holds only once the person has come. Inviting again moves it.
ALTER TABLE staff ADD COLUMN invited_at timestamptz;

-- One row for each copy of a link that has left in an email. Using one copy uses all of its event.
CREATE TABLE links (
    token_hash bytea PRIMARY KEY CHECK (length(token_hash) = 32),
    purpose text NOT NULL,
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    event_id bigint NOT NULL,
    -- of an invitation: the membership, which must still be invited at this instant
    staff_id uuid REFERENCES staff ON DELETE CASCADE,
    made_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz
);
CREATE INDEX links_event ON links (event_id);
CREATE INDEX links_user ON links (user_id, purpose);
CREATE INDEX links_staff ON links (staff_id) WHERE staff_id IS NOT NULL;
CREATE INDEX links_expiry ON links (expires_at);
