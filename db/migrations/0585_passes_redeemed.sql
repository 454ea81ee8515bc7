-- expand: a session that a recovery pass has begun knows who gave it, in which account and when, since it ends when they might not
-- give it any more. Null: another session, or of before, which lives half an hour; without an issuer an operator gave it.
ALTER TABLE sessions ADD COLUMN pass_issuer uuid, ADD COLUMN pass_account uuid, ADD COLUMN pass_given_at timestamptz;
