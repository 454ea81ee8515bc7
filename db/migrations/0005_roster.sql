-- The roster's ways: a page is one index range for each role, whatever the account's size, and reads the table only for
-- the rows it shows.

CREATE INDEX staff_page ON staff (account_id, role, email, id) INCLUDE (user_id);
DROP INDEX staff_roster;

-- The few whom an admin has reset and who have not enrolled again.
CREATE INDEX users_reset ON users (id) WHERE reenrollment_required_at IS NOT NULL;
