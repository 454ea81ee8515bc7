-- expand: one person's emails that have not ended, in the order of their events.
CREATE INDEX CONCURRENTLY IF NOT EXISTS deliveries_open ON deliveries (user_id, event_id, id)
    WHERE state IN ('pending', 'sending');
