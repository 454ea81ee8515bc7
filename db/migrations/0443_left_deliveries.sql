-- expand: since when an email waits for a worker of a later version: it holds up no other one to the address.
ALTER TABLE deliveries ADD COLUMN left_at timestamptz;
