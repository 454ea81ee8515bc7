-- expand: the sightings that nobody has decided on; one that is seen again is among them again.
CREATE INDEX CONCURRENTLY IF NOT EXISTS seen_devices_undecided ON seen_devices (last_seen_at)
    WHERE kept_at IS DISTINCT FROM last_seen_at;
