-- expand: which sighting of a device was kept past its time for being the person's last, so that it is not looked at each minute.
ALTER TABLE seen_devices ADD COLUMN kept_at timestamptz;
