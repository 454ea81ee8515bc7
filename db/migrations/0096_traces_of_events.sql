-- expand: the W3C trace that an event was made in, so that what follows from it is found there, too.
ALTER TABLE events ADD COLUMN traceparent text;
-- 0432 looks at each event for it, while others go on; this holds them up for no such look.
ALTER TABLE events ADD CONSTRAINT events_traceparent_check CHECK (length(traceparent) <= 64) NOT VALID;
