-- expand: whom `arrive` of 0580 shuts out, which keeps the like of it within itself: whoever belongs nowhere, and whom nobody's open
-- invitation lets in to accept. Their sessions end as the invitation does.
CREATE FUNCTION is_let_in_nowhere(person uuid) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT belongs_nowhere(person)
        AND (EXISTS (SELECT FROM directory_people WHERE user_id = person AND inactive_role IS NOT NULL)
            OR NOT EXISTS (SELECT FROM staff WHERE user_id = person AND invitation_is_open(staff)))
$$;
