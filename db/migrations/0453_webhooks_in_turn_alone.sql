-- expand: the index before it, which says nothing that the new one does not.
DROP INDEX webhook_deliveries_due;
