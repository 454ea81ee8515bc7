-- expand: what 0210 keeps in the members' rows, by a plan that a connection makes once. A function of plain SQL, and one
-- that reads an array, is planned anew each time: that took half of what spending a code takes.
CREATE OR REPLACE FUNCTION keep_codes_of_members(people uuid[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    person uuid;
BEGIN
    FOREACH person IN ARRAY people LOOP
        UPDATE staff SET codes_left = codes.remaining, codes_unsaved = codes.are_unsaved
        FROM (
            SELECT (SELECT count(*) FROM backup_codes WHERE user_id = person)::smallint AS remaining,
                codes_shown_at IS NOT NULL AND codes_saved_at IS NULL
                    AND NOT EXISTS (SELECT FROM spent_backup_codes WHERE user_id = person) AS are_unsaved
            FROM factors WHERE user_id = person
        ) AS codes
        WHERE staff.user_id = person AND invited_at IS NULL
            AND (codes_left, codes_unsaved) IS DISTINCT FROM (codes.remaining, codes.are_unsaved);
    END LOOP;
END
$$;
