-- expand: through which service key somebody's factor was set up, or moved to another app; null where it was in a session of
-- their own, or in one that the version before let a key begin: that stands under the key's name alone, in the events.
ALTER TABLE factors ADD COLUMN set_up_by_key uuid;
