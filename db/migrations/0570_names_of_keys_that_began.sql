-- expand: the name of the service key that has begun a session is kept with it, as with a challenge, so that what is set up in it
-- is told as through that key, which may have been revoked meanwhile. Of what is older the key itself tells, while it is there.

ALTER TABLE sessions ADD COLUMN service_key text;
