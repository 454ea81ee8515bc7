-- expand: whether a delivery's person is there is not looked at for each one, which took half of a fan-out. A person's
-- deliveries go with the person; one that was written in that moment is dropped when it is claimed.

ALTER TABLE deliveries DROP CONSTRAINT deliveries_user_id_fkey;

CREATE FUNCTION delete_deliveries_of_users() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM deliveries WHERE user_id = OLD.id;
    RETURN NULL;
END $$;
CREATE TRIGGER delete_deliveries_of_users AFTER DELETE ON users
    FOR EACH ROW EXECUTE FUNCTION delete_deliveries_of_users();
