-- expand: whether a member is enrolled, or was reset, kept in the member's own row, so that a roster's filters and
-- counts read it off an index. Of somebody who is only invited neither is said.
--
-- Whatever makes or takes a factor, or demands a new one, holds the person's row in users as it does so; whatever makes
-- a member of somebody waits for that here, and sees what came of it.

ALTER TABLE staff
    ADD COLUMN has_mfa boolean NOT NULL DEFAULT false,
    ADD COLUMN was_reset boolean NOT NULL DEFAULT false;

CREATE FUNCTION keep_standing_of_member() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF new.invited_at IS NOT NULL THEN
        new.has_mfa := false;
        new.was_reset := false;
        RETURN new;
    END IF;
    PERFORM FROM users WHERE id = new.user_id FOR SHARE;
    new.has_mfa := EXISTS (SELECT FROM factors WHERE user_id = new.user_id);
    new.was_reset := EXISTS (SELECT FROM users WHERE id = new.user_id AND reenrollment_required_at IS NOT NULL);
    RETURN new;
END
$$;
CREATE TRIGGER staff_standing BEFORE INSERT OR UPDATE OF user_id, invited_at ON staff
    FOR EACH ROW EXECUTE FUNCTION keep_standing_of_member();

CREATE FUNCTION keep_standing_of_factor() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    person uuid := CASE WHEN tg_op = 'DELETE' THEN old.user_id ELSE new.user_id END;
BEGIN
    PERFORM FROM users WHERE id = person FOR NO KEY UPDATE;
    UPDATE staff SET has_mfa = tg_op = 'INSERT' WHERE user_id = person AND invited_at IS NULL;
    RETURN NULL;
END
$$;
CREATE TRIGGER factors_standing AFTER INSERT OR DELETE ON factors
    FOR EACH ROW EXECUTE FUNCTION keep_standing_of_factor();

CREATE FUNCTION keep_standing_of_person() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE staff SET was_reset = new.reenrollment_required_at IS NOT NULL
    WHERE user_id = new.id AND invited_at IS NULL;
    RETURN NULL;
END
$$;
CREATE TRIGGER users_standing AFTER UPDATE OF reenrollment_required_at ON users
    FOR EACH ROW WHEN ((old.reenrollment_required_at IS NULL) IS DISTINCT FROM (new.reenrollment_required_at IS NULL))
    EXECUTE FUNCTION keep_standing_of_person();
