-- expand: what 0210 keeps, of those who were enrolled before.
-- repeated: each time for a few, whose factors cannot go meanwhile, until there are none left.

-- It gives way at once to whoever is at work on one of them.
SET LOCAL lock_timeout = '100ms';

-- Where it has come to stands in a setting of the session, which a transaction that is taken back takes back.
WITH found AS (
    SELECT staff.id, staff.user_id, codes.remaining, codes.are_unsaved
    FROM staff JOIN factors ON factors.user_id = staff.user_id, codes_of(factors) AS codes
    WHERE codes_left IS NULL AND invited_at IS NULL
        AND factors.user_id >= coalesce(nullif(current_setting('gatehouse.codes_at', true), ''),
            '00000000-0000-0000-0000-000000000000')::uuid
    ORDER BY factors.user_id LIMIT 5000 FOR NO KEY UPDATE OF staff FOR KEY SHARE OF factors
), moved AS (
    SELECT set_config('gatehouse.codes_at', (array_agg(user_id ORDER BY user_id DESC))[1]::text, false) FROM found
)
UPDATE staff SET codes_left = found.remaining, codes_unsaved = found.are_unsaved FROM found, moved
WHERE staff.id = found.id;
