-- expand: the W3C trace that an event was made in, so that what follows from it is found there, too.
ALTER TABLE events ADD COLUMN traceparent text CHECK (length(traceparent) <= 64);
