-- expand: after a reset of MFA: what stops enrolling until an owner acts, and who confirms it by an email's link.

-- set by "This was not me", cleared by the next reset
ALTER TABLE users ADD COLUMN enrollment_stopped_at timestamptz;

-- whether enrolling after a reset needs a link out of an email, too
ALTER TABLE accounts ADD COLUMN confirm_reset_by_email boolean NOT NULL DEFAULT false;

-- when this session showed such a link
ALTER TABLE sessions ADD COLUMN enrollment_confirmed_at timestamptz;
