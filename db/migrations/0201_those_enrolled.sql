-- expand: what 0200 keeps, of those who were enrolled before.
-- repeated: each time for a few, whose factors cannot go meanwhile, until there are none left.

-- It gives way at once to whoever is at work on one of them.
SET LOCAL lock_timeout = '100ms';

-- Where it has come to stands in a setting of the session, which a transaction that is taken back takes back.
WITH found AS (
    SELECT staff.id, staff.user_id FROM staff JOIN factors ON factors.user_id = staff.user_id
    WHERE NOT has_mfa AND invited_at IS NULL
        AND factors.user_id >= coalesce(nullif(current_setting('gatehouse.at', true), ''),
            '00000000-0000-0000-0000-000000000000')::uuid
    ORDER BY factors.user_id LIMIT 5000 FOR NO KEY UPDATE OF staff FOR KEY SHARE OF factors
), moved AS (
    SELECT set_config('gatehouse.at', (array_agg(user_id ORDER BY user_id DESC))[1]::text, false) FROM found
)
UPDATE staff SET has_mfa = true FROM found, moved WHERE staff.id = found.id;
