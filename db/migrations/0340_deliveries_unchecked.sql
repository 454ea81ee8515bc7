-- expand: whether a delivery's event is there is not looked at for each one, which took a third of a fan-out. Deliveries are
-- written only while their event is locked and undispatched, and an event that has any is kept by its own deletion.

ALTER TABLE deliveries DROP CONSTRAINT deliveries_event_id_fkey;

CREATE FUNCTION keep_events_of_deliveries() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM deliveries WHERE event_id = OLD.id) THEN
        RAISE EXCEPTION 'An event stays as long as a delivery of it.' USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN OLD;
END $$;
-- By its name it comes after keep_events, which says who may delete at all.
CREATE TRIGGER keep_events_of_deliveries BEFORE DELETE ON events
    FOR EACH ROW EXECUTE FUNCTION keep_events_of_deliveries();
