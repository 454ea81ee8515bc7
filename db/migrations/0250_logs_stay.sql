-- expand: in which accounts' logs an event shows stays as it was told, too; what is pruned takes that along.
CREATE TRIGGER keep_events BEFORE UPDATE OR DELETE ON account_events FOR EACH ROW EXECUTE FUNCTION keep_events();
CREATE TRIGGER keep_all_events BEFORE TRUNCATE ON account_events FOR EACH STATEMENT EXECUTE FUNCTION keep_events();
