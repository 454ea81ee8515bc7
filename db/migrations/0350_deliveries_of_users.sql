-- expand: whether a delivery's person is there is not looked at by a trigger for each one, which took half of a fan-out.
-- Whoever writes deliveries holds their people locked as such a look would, and a person's deliveries go with the person.

ALTER TABLE deliveries DROP CONSTRAINT deliveries_user_id_fkey;

CREATE FUNCTION delete_deliveries_of_users() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM deliveries WHERE user_id = OLD.id;
    RETURN NULL;
END $$;
CREATE TRIGGER delete_deliveries_of_users AFTER DELETE ON users
    FOR EACH ROW EXECUTE FUNCTION delete_deliveries_of_users();
