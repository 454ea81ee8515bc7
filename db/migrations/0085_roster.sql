-- expand: what a roster's filters ask of a member is read off the index again, open invitations included.
CREATE INDEX staff_roster ON staff (account_id, role, email, id)
    INCLUDE (user_id, created_at, excepted_until, is_exempt, invited_at);
DROP INDEX staff_standing;
