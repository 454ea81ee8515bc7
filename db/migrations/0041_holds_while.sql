-- expand: as long as what an email is true; the send drops what has been overtaken.
ALTER TABLE deliveries ADD COLUMN holds_while text;
