-- expand: a device is seen with a cookie, without one, or by a product's word, and is known by the like alone. What a version before
-- this one has seen says of no such thing and counts for all of them until its sessions, of 30 days, have ended: whoever keeps
-- no cookie has signed in again by then. A sighting with a cookie has the digest of before, and writes null.
ALTER TABLE seen_devices ADD COLUMN bearers_until timestamptz DEFAULT now() + interval '30 days';
