-- expand: whoever looks for what concerns a person finds it without reading all that has happened.
CREATE INDEX CONCURRENTLY IF NOT EXISTS events_of_subject ON events (subject_id, id);
