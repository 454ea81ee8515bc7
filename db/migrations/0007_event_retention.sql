-- For pruning events: each one's places in the logs are found without reading them all.
CREATE INDEX account_events_event ON account_events (event_id);
