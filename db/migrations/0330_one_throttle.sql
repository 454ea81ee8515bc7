-- expand: what a throttle counts and when it is closed, told once for all statements that charge one. Both are so plain that
-- the planner puts them in their place, where they cost no call.

-- With one more failure, of which the newest so many are kept.
CREATE FUNCTION one_more(failures timestamptz[], most int) RETURNS timestamptz[] LANGUAGE sql STABLE PARALLEL SAFE
RETURN (failures || now())[greatest(1, cardinality(failures) + 2 - most):];

-- Until when n failures within the span keep it closed; null while they do not. One that locks is closed for a span from the
-- last of them on, a budget until the first of them is a span ago.
CREATE FUNCTION closed_until(failures timestamptz[], n int, span interval, locks boolean) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE
RETURN CASE
    WHEN NOT locks THEN failures[cardinality(failures) - n + 1] + span
    WHEN failures[cardinality(failures)] - failures[cardinality(failures) - n + 1] < span
        THEN failures[cardinality(failures)] + span
END;
