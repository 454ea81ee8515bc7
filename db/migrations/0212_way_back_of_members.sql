-- expand: whoever has few backup codes left, or has not saved them, is a few ranges of an index, each by email.
CREATE INDEX CONCURRENTLY IF NOT EXISTS staff_way_back ON staff (account_id, codes_unsaved, codes_left, email, id)
    INCLUDE (role) WHERE codes_left IS NOT NULL;
