-- People, accounts, and who has which role where.

CREATE TABLE users (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    email text NOT NULL UNIQUE CHECK (email = lower(email) AND email LIKE '%_@_%' AND length(email) <= 254),
    password_hash text NOT NULL,
    is_super_admin boolean NOT NULL DEFAULT false,
    -- set by an admin's reset, cleared by the next enrollment
    reenrollment_required_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (id, email)
);

CREATE TABLE accounts (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name text NOT NULL CHECK (length(btrim(name)) BETWEEN 1 AND 200),
    required_since timestamptz,
    grace_days smallint CHECK (grace_days BETWEEN 0 AND 30),
    grace_deadline timestamptz,
    -- when staff were last told the deadline: that mail counts as the reminder of its day
    announced_at timestamptz,
    grace_ended_at timestamptz,
    policy_updated_at timestamptz NOT NULL DEFAULT now(),
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK (num_nulls(required_since, grace_days, grace_deadline, announced_at) IN (0, 4)),
    CHECK (grace_deadline = required_since + grace_days * interval '24 hours'),
    CHECK (grace_ended_at IS NULL OR required_since IS NOT NULL)
);
CREATE INDEX accounts_deadline ON accounts (grace_deadline) WHERE required_since IS NOT NULL;

CREATE TABLE staff (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    account_id uuid NOT NULL REFERENCES accounts ON DELETE CASCADE,
    user_id uuid NOT NULL,
    -- the person's email again, so that a roster page is one index range
    email text NOT NULL,
    role text NOT NULL CHECK (role IN ('OWNER', 'ADMIN', 'MEMBER')),
    -- claimed when a reminder is asked for (at most once in 24 hours) and when one has left
    reminder_claimed_at timestamptz,
    last_reminded_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (account_id, user_id),
    FOREIGN KEY (user_id, email) REFERENCES users (id, email) ON UPDATE CASCADE ON DELETE CASCADE
);
CREATE INDEX staff_roster ON staff (account_id, email, id);
CREATE INDEX staff_user ON staff (user_id);

CREATE TABLE portal_users (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    account_id uuid NOT NULL REFERENCES accounts ON DELETE CASCADE,
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (account_id, user_id)
);
CREATE INDEX portal_users_user ON portal_users (user_id);
