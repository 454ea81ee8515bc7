-- expand: when a session's person last showed their second factor; null asks those with MFA on for it anew.
ALTER TABLE sessions ADD COLUMN second_factor_at timestamptz;
