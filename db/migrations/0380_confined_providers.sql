-- expand: a provider that was bound to a domain once is believed nothing about others, whatever becomes of that domain: whose
-- it is may end the binding, and is not to be believed of everybody then.

CREATE TABLE confined_providers (
    -- the provider's name in the settings
    provider text PRIMARY KEY,
    confined_at timestamptz NOT NULL DEFAULT now()
);

CREATE FUNCTION confine_provider() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO confined_providers (provider) VALUES (NEW.provider) ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER confine_provider AFTER INSERT OR UPDATE OF provider ON account_domains
    FOR EACH ROW EXECUTE FUNCTION confine_provider();

INSERT INTO confined_providers (provider) SELECT DISTINCT provider FROM account_domains;
