"""WHERE: the database. One typed function is one constant SQL statement, its condition in WHERE."""
