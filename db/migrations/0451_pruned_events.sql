-- expand: until when events have been pruned is kept, so that nobody is shown what is left of a window as the whole of it.

CREATE TABLE pruned_events (
    is_the_one boolean PRIMARY KEY DEFAULT true CHECK (is_the_one),
    -- of what happened then or before some may be gone; of what happened later nothing is
    until timestamptz NOT NULL
);

CREATE FUNCTION note_pruned_events() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO pruned_events AS noted (until) SELECT max(occurred_at) FROM pruned HAVING count(*) > 0
    ON CONFLICT (is_the_one) DO UPDATE SET until = greatest(noted.until, excluded.until);
    RETURN NULL;
END
$$;
CREATE TRIGGER note_pruned_events AFTER DELETE ON events
    REFERENCING OLD TABLE AS pruned FOR EACH STATEMENT EXECUTE FUNCTION note_pruned_events();
