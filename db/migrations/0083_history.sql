-- expand: how things stood at any past instant: who was staff, who was enrolled or reset, which policy held.
-- Triggers keep it, so that whatever changes a row is recorded with it, in one transaction.

CREATE TABLE member_history (
    account_id uuid NOT NULL REFERENCES accounts ON DELETE CASCADE,
    user_id uuid NOT NULL,
    email text NOT NULL,
    role text NOT NULL,
    joined_at timestamptz NOT NULL,
    valid_from timestamptz NOT NULL,
    valid_to timestamptz
);
CREATE UNIQUE INDEX member_history_now ON member_history (account_id, user_id) WHERE valid_to IS NULL;
CREATE INDEX member_history_account ON member_history (account_id, valid_from);

CREATE TABLE factor_history (
    user_id uuid NOT NULL,
    valid_from timestamptz NOT NULL,
    valid_to timestamptz
);
CREATE UNIQUE INDEX factor_history_now ON factor_history (user_id) WHERE valid_to IS NULL;
CREATE INDEX factor_history_user ON factor_history (user_id, valid_from);

CREATE TABLE reset_history (
    user_id uuid NOT NULL,
    valid_from timestamptz NOT NULL,
    valid_to timestamptz
);
CREATE UNIQUE INDEX reset_history_now ON reset_history (user_id) WHERE valid_to IS NULL;
CREATE INDEX reset_history_user ON reset_history (user_id, valid_from);

CREATE TABLE policy_history (
    account_id uuid NOT NULL REFERENCES accounts ON DELETE CASCADE,
    required_since timestamptz,
    grace_days smallint,
    grace_deadline timestamptz,
    joiner_days smallint NOT NULL,
    required_of text NOT NULL,
    valid_from timestamptz NOT NULL,
    valid_to timestamptz
);
CREATE UNIQUE INDEX policy_history_now ON policy_history (account_id) WHERE valid_to IS NULL;
CREATE INDEX policy_history_account ON policy_history (account_id, valid_from);

-- What is known of the time before.
INSERT INTO member_history
SELECT account_id, user_id, email, role, created_at, created_at, NULL FROM staff WHERE invited_at IS NULL;
INSERT INTO factor_history SELECT user_id, enabled_at, NULL FROM factors;
INSERT INTO reset_history
SELECT id, reenrollment_required_at, NULL FROM users WHERE reenrollment_required_at IS NOT NULL;
INSERT INTO policy_history
SELECT id, required_since, grace_days, grace_deadline, joiner_days, required_of, policy_updated_at, NULL FROM accounts;

CREATE FUNCTION keep_member_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF tg_op <> 'INSERT' THEN
        UPDATE member_history SET valid_to = now()
        WHERE account_id = old.account_id AND user_id = old.user_id AND valid_to IS NULL;
    END IF;
    IF tg_op <> 'DELETE' AND new.invited_at IS NULL THEN
        INSERT INTO member_history
        VALUES (new.account_id, new.user_id, new.email, new.role, new.created_at, now(), NULL);
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER staff_history AFTER INSERT OR DELETE OR UPDATE OF email, role, invited_at, created_at ON staff
    FOR EACH ROW EXECUTE FUNCTION keep_member_history();

CREATE FUNCTION keep_factor_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF tg_op = 'DELETE' THEN
        UPDATE factor_history SET valid_to = now() WHERE user_id = old.user_id AND valid_to IS NULL;
    ELSE
        INSERT INTO factor_history VALUES (new.user_id, now(), NULL);
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER factors_history AFTER INSERT OR DELETE ON factors
    FOR EACH ROW EXECUTE FUNCTION keep_factor_history();

CREATE FUNCTION keep_reset_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE reset_history SET valid_to = now() WHERE user_id = new.id AND valid_to IS NULL;
    IF new.reenrollment_required_at IS NOT NULL THEN
        INSERT INTO reset_history VALUES (new.id, now(), NULL);
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER users_history AFTER UPDATE OF reenrollment_required_at ON users
    FOR EACH ROW WHEN (old.reenrollment_required_at IS DISTINCT FROM new.reenrollment_required_at)
    EXECUTE FUNCTION keep_reset_history();

CREATE FUNCTION keep_policy_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE policy_history SET valid_to = now() WHERE account_id = new.id AND valid_to IS NULL;
    INSERT INTO policy_history VALUES (
        new.id, new.required_since, new.grace_days, new.grace_deadline, new.joiner_days, new.required_of, now(), NULL
    );
    RETURN NULL;
END
$$;
CREATE TRIGGER accounts_history
    AFTER INSERT OR UPDATE OF required_since, grace_days, grace_deadline, joiner_days, required_of ON accounts
    FOR EACH ROW EXECUTE FUNCTION keep_policy_history();
