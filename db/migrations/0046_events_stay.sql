-- expand: what has happened stays as it was told: events lose nothing but to pruning, and only how far they are sent changes.
CREATE FUNCTION keep_events() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Pruning says so for its own transaction.
    IF TG_OP = 'DELETE' AND current_setting('gatehouse.pruning', true) = 'on' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'What has happened is neither changed nor deleted.' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER keep_facts BEFORE UPDATE
    OF id, type, account_id, subject_id, actor_id, occurred_at, data, transaction_id ON events
    FOR EACH STATEMENT EXECUTE FUNCTION keep_events();
CREATE TRIGGER keep_events BEFORE DELETE ON events FOR EACH ROW EXECUTE FUNCTION keep_events();
CREATE TRIGGER keep_all_events BEFORE TRUNCATE ON events FOR EACH STATEMENT EXECUTE FUNCTION keep_events();
