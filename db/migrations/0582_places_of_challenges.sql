-- expand: a challenge takes the places of those alone that were opened from the same place: on one device that is known for the
-- person's password, by a product or a provider, or by strangers, as whatever a version before this one opens counts. Whoever
-- knew the password kept the person from ever completing one.
ALTER TABLE challenges ADD COLUMN place text NOT NULL DEFAULT 'stranger';
