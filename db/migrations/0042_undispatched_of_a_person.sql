-- expand: what is still to be planned about a person, for sending in the order of events.
CREATE INDEX CONCURRENTLY IF NOT EXISTS events_undispatched_of ON events (subject_id, id)
    WHERE dispatched_at IS NULL AND failure IS NULL;
