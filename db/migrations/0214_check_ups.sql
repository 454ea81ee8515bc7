-- expand: from when on a year is counted until somebody is asked by email to show a code of their app; null: since they
-- enrolled. What their app has shown meanwhile is looked at when that year is over, so that no sign-in writes it here.

ALTER TABLE factors ADD COLUMN checked_up_at timestamptz;
