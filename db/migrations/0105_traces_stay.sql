-- expand: the trace that an event was made in stays as it was told, as all else of it.
CREATE OR REPLACE TRIGGER keep_facts BEFORE UPDATE
    OF id, type, account_id, subject_id, actor_id, occurred_at, data, transaction_id, service_key, request_id, traceparent
    ON events FOR EACH STATEMENT EXECUTE FUNCTION keep_events();
