-- expand: coming back alone, slowly, without the second factor, where an account allows it.

-- how long whoever has which role waits; without a row the account does not allow it
CREATE TABLE account_recovery_policies (
    account_id uuid PRIMARY KEY REFERENCES accounts ON DELETE CASCADE,
    owner_days smallint NOT NULL CHECK (owner_days BETWEEN 1 AND 7),
    admin_days smallint NOT NULL CHECK (admin_days BETWEEN 1 AND 7),
    member_days smallint NOT NULL CHECK (member_days BETWEEN 1 AND 7)
);

-- those that wait: whatever ends one deletes it, and so does whatever takes the factor away
CREATE TABLE account_recoveries (
    user_id uuid PRIMARY KEY REFERENCES factors ON DELETE CASCADE,
    -- as they were when it began
    email text NOT NULL,
    password_set_at timestamptz,
    started_at timestamptz NOT NULL DEFAULT now(),
    ends_at timestamptz NOT NULL,
    -- when the person was last mailed of it
    told_at timestamptz NOT NULL DEFAULT now()
);

-- How many days this person would have to wait; null when one of their accounts does not allow it, or wants a second one
-- to approve their resets, and for whoever is in none or runs the platform.
CREATE FUNCTION account_recovery_days(person uuid) RETURNS smallint LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN bool_and(policy.account_id IS NOT NULL AND NOT (reset_approval = 'EVERYONE'
            OR reset_approval = 'OWNERS_AND_ADMINS' AND role IN ('OWNER', 'ADMIN')))
        THEN max(CASE role WHEN 'OWNER' THEN owner_days WHEN 'ADMIN' THEN admin_days ELSE member_days END) END
    FROM users
    JOIN staff ON staff.user_id = users.id AND invited_at IS NULL
    JOIN accounts ON accounts.id = staff.account_id
    LEFT JOIN account_recovery_policies AS policy ON policy.account_id = accounts.id
    WHERE users.id = person AND NOT is_super_admin
$$;

-- When this one is over: not before what was said, and not before what holds now. Null once it holds no more.
CREATE FUNCTION account_recovery_due_at(recovery account_recoveries) RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT greatest(recovery.ends_at, recovery.started_at + make_interval(hours => 24 * days))
    FROM users, account_recovery_days(recovery.user_id) AS days
    WHERE users.id = recovery.user_id AND days IS NOT NULL AND users.email = recovery.email
        AND users.password_set_at IS NOT DISTINCT FROM recovery.password_set_at
$$;
