-- expand: of all events that there are it is checked, too, that no trace is longer than may be, while others go on.
ALTER TABLE events VALIDATE CONSTRAINT events_traceparent_check;
