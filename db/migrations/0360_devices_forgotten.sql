-- expand: whoever says that a sign-in was not theirs is known by no cookie of a device any more, as with a new password.

ALTER TABLE users ADD COLUMN devices_forgotten_at timestamptz;
