-- expand: who a person is at an OpenID provider, and which provider vouches for the addresses of a domain.

CREATE TABLE identities (
    issuer text NOT NULL CHECK (length(issuer) <= 500),
    subject text NOT NULL CHECK (length(subject) BETWEEN 1 AND 255),
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    linked_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (issuer, subject),
    -- linked by an address once: who has it later is somebody else
    UNIQUE (user_id, issuer)
);

CREATE TABLE account_domains (
    domain text PRIMARY KEY CHECK (domain = lower(domain) AND length(domain) <= 253),
    account_id uuid NOT NULL REFERENCES accounts ON DELETE CASCADE,
    -- the provider's name in the settings
    provider text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX account_domains_account ON account_domains (account_id);
