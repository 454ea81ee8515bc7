-- expand: whose word for a second factor an account takes, and which domains its owners have asked for.

-- The provider, by its name in the settings, that says it has asked for a second factor at this sign-in.
ALTER TABLE sessions ADD COLUMN provider_mfa text;

CREATE TABLE account_mfa_providers (
    account_id uuid NOT NULL REFERENCES accounts ON DELETE CASCADE,
    provider text NOT NULL,
    allowed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, provider)
);

CREATE TABLE domain_requests (
    account_id uuid NOT NULL REFERENCES accounts ON DELETE CASCADE,
    domain text NOT NULL CHECK (domain = lower(domain) AND length(domain) <= 253),
    provider text NOT NULL,
    requested_by uuid REFERENCES users ON DELETE SET NULL,
    requested_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, domain)
);
CREATE INDEX domain_requests_by ON domain_requests (requested_by);
