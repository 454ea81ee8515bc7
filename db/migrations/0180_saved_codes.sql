-- expand: whether whoever was shown backup codes has said that they are saved; of earlier sets nothing is known.

ALTER TABLE factors ADD COLUMN codes_shown_at timestamptz, ADD COLUMN codes_saved_at timestamptz;
