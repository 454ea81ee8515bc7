-- expand: whoever belonged nowhere and had signed in again before 0580 is signed out; whoever is invited stays.
DELETE FROM sessions
WHERE NOT EXISTS (SELECT FROM staff WHERE staff.user_id = sessions.user_id)
    AND NOT EXISTS (SELECT FROM portal_users WHERE portal_users.user_id = sessions.user_id)
    AND NOT EXISTS (SELECT FROM users WHERE users.id = sessions.user_id AND is_super_admin);
