-- expand: what 0200 keeps, of those who were reset before.
-- repeated: each time for a few, whom nobody enrolls or resets meanwhile, until there are none left.
-- It gives way at once to whoever is at work on one of them.
SET LOCAL lock_timeout = '100ms';
WITH found AS (
    SELECT staff.id FROM staff JOIN users ON users.id = staff.user_id
    WHERE NOT was_reset AND invited_at IS NULL AND reenrollment_required_at IS NOT NULL
    LIMIT 5000 FOR NO KEY UPDATE OF staff FOR SHARE OF users
)
UPDATE staff SET was_reset = true FROM found WHERE staff.id = found.id;
