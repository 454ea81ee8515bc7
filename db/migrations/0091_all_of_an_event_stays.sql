-- expand: what came to events since stays as it was told, too: who did it in a system's name, and in which request.
CREATE OR REPLACE TRIGGER keep_facts BEFORE UPDATE
    OF id, type, account_id, subject_id, actor_id, occurred_at, data, transaction_id, service_key, request_id
    ON events FOR EACH STATEMENT EXECUTE FUNCTION keep_events();
