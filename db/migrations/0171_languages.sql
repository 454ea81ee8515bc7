-- expand: the language that a person has chosen, and that of an account for those who have chosen none.

ALTER TABLE users ADD COLUMN language text;
ALTER TABLE accounts ADD COLUMN language text;
