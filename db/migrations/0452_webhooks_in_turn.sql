-- expand: deliveries that fell due in one moment, as those of a whole import do, are found in their order, without sorting them.
CREATE INDEX CONCURRENTLY IF NOT EXISTS webhook_deliveries_in_turn ON webhook_deliveries (webhook_id, next_attempt_at, id)
    WHERE state = 'pending';
