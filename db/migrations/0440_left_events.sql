-- expand: since when an event waits for a worker of a later version, which has left it so long that knows its type and facts.
ALTER TABLE events ADD COLUMN left_at timestamptz;
