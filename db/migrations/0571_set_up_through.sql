-- expand: whose factor was set up through a service key is found without reading all events.
CREATE INDEX CONCURRENTLY IF NOT EXISTS events_setting_up ON events (service_key, id)
    WHERE service_key IS NOT NULL AND type IN ('MFA_ENABLED', 'AUTHENTICATOR_REPLACED');
