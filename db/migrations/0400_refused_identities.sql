-- expand: an identity that was taken from somebody stays away: their provider's word links no identity of it to them again, whatever
-- its subject, until that is allowed. A trigger holds it, so that a version of before links nobody either.

CREATE TABLE refused_identities (
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    issuer text NOT NULL CHECK (length(issuer) <= 500),
    refused_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, issuer)
);

CREATE FUNCTION refuse_identity() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM refused_identities WHERE user_id = NEW.user_id AND issuer = NEW.issuer) THEN
        RETURN NULL;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER refuse_identity BEFORE INSERT ON identities FOR EACH ROW EXECUTE FUNCTION refuse_identity();
