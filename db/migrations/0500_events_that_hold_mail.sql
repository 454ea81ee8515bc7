-- expand: what is to be dispatched about a person, which holds back their later mail, in words that no other index answers to:
-- a plan made while nothing waited looked through all of what waits for each person.
CREATE INDEX CONCURRENTLY IF NOT EXISTS events_that_hold_mail ON events (subject_id, id)
    WHERE num_nonnulls(dispatched_at, failure, left_at) = 0;
