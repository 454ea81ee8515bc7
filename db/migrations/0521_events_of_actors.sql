-- expand: the same for what a person has done to others. What people do to themselves, nearly all that happens, is found by subject.
CREATE INDEX CONCURRENTLY IF NOT EXISTS events_of_actor ON events (actor_id, id)
    WHERE actor_id IS NOT NULL AND actor_id IS DISTINCT FROM subject_id;
