-- expand: which request made an event, so that its emails are found in the logs by that request's id.

ALTER TABLE events ADD COLUMN request_id text CHECK (length(request_id) <= 64);
