-- expand: an account recovery that holds no more has lapsed for good: what is allowed again, or changed back, before the sweep
-- comes by lets nobody go on waiting from a start of before. Triggers note it, so that a version of before does so, too.

ALTER TABLE account_recoveries ADD COLUMN has_lapsed boolean NOT NULL DEFAULT false;

CREATE OR REPLACE FUNCTION account_recovery_due_at(recovery account_recoveries) RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT greatest(recovery.ends_at, recovery.started_at + make_interval(hours => 24 * days))
    FROM users, account_recovery_days(recovery.user_id) AS days
    WHERE users.id = recovery.user_id AND days IS NOT NULL AND users.email = recovery.email
        AND users.password_set_at IS NOT DISTINCT FROM recovery.password_set_at AND NOT recovery.has_lapsed
$$;

-- What begins anew in the same row has not.
CREATE FUNCTION begin_account_recovery_anew() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.has_lapsed := false;
    RETURN NEW;
END $$;
CREATE TRIGGER begin_anew BEFORE UPDATE OF email ON account_recoveries
    FOR EACH ROW EXECUTE FUNCTION begin_account_recovery_anew();

-- Of these people's those that hold no more.
CREATE FUNCTION lapse_account_recoveries(people uuid[]) RETURNS void LANGUAGE sql AS $$
    UPDATE account_recoveries SET has_lapsed = true
    WHERE user_id = ANY (people) AND NOT has_lapsed AND account_recovery_due_at(account_recoveries) IS NULL
$$;

CREATE FUNCTION account_recovering_in(account uuid) RETURNS uuid[] LANGUAGE sql STABLE AS $$
    SELECT coalesce(array_agg(user_id), '{}') FROM account_recoveries
    WHERE EXISTS (SELECT FROM staff WHERE staff.account_id = account AND staff.user_id = account_recoveries.user_id)
$$;

CREATE FUNCTION lapse_of_policy() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM lapse_account_recoveries(account_recovering_in(OLD.account_id));
    RETURN NULL;
END $$;
CREATE TRIGGER lapse_recoveries AFTER DELETE ON account_recovery_policies
    FOR EACH ROW EXECUTE FUNCTION lapse_of_policy();

CREATE FUNCTION lapse_of_account() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM lapse_account_recoveries(account_recovering_in(NEW.id));
    RETURN NULL;
END $$;
CREATE TRIGGER lapse_recoveries AFTER UPDATE OF reset_approval ON accounts
    FOR EACH ROW WHEN (OLD.reset_approval <> NEW.reset_approval) EXECUTE FUNCTION lapse_of_account();

CREATE FUNCTION lapse_of_person() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM lapse_account_recoveries(ARRAY[NEW.id]);
    RETURN NULL;
END $$;
CREATE TRIGGER lapse_recoveries AFTER UPDATE OF email, is_super_admin ON users
    FOR EACH ROW WHEN (OLD.email <> NEW.email OR OLD.is_super_admin <> NEW.is_super_admin)
    EXECUTE FUNCTION lapse_of_person();

CREATE FUNCTION lapse_of_member() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM lapse_account_recoveries(ARRAY[NEW.user_id]);
    RETURN NULL;
END $$;
CREATE TRIGGER lapse_recoveries AFTER UPDATE OF role, invited_at ON staff
    FOR EACH ROW WHEN (OLD.role <> NEW.role OR OLD.invited_at IS DISTINCT FROM NEW.invited_at)
    EXECUTE FUNCTION lapse_of_member();

-- Of thousands who come or go at once, all in one look.
CREATE FUNCTION lapse_of_members() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM lapse_account_recoveries(ARRAY(SELECT user_id FROM account_recoveries WHERE user_id IN (SELECT user_id FROM changed)));
    RETURN NULL;
END $$;
CREATE TRIGGER lapse_recoveries_of_joined AFTER INSERT ON staff
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION lapse_of_members();
CREATE TRIGGER lapse_recoveries_of_gone AFTER DELETE ON staff
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION lapse_of_members();
