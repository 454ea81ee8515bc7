-- expand: a reset of MFA that waits for a second owner or admin.

-- for whose resets a second one must approve
ALTER TABLE accounts ADD COLUMN reset_approval text NOT NULL DEFAULT 'NOBODY';
-- 0433 looks at each account for it, while others go on.
ALTER TABLE accounts ADD CONSTRAINT accounts_reset_approval_check
    CHECK (reset_approval IN ('NOBODY', 'OWNERS_AND_ADMINS', 'EVERYONE')) NOT VALID;

-- those that wait: whatever ends one deletes it, and so does leaving the account
CREATE TABLE reset_requests (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    account_id uuid NOT NULL,
    -- one a person, in whichever account
    user_id uuid NOT NULL UNIQUE,
    requester_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    reason text,
    requested_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    FOREIGN KEY (account_id, user_id) REFERENCES staff (account_id, user_id) ON DELETE CASCADE
);
CREATE INDEX reset_requests_account ON reset_requests (account_id, user_id);
CREATE INDEX reset_requests_requester ON reset_requests (requester_id);
CREATE INDEX reset_requests_end ON reset_requests (expires_at);
