-- expand: whoever is an owner or admin, once. It is inlined: a statement that asks it is planned as if it held the roles.
CREATE FUNCTION manages(role text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT role IN ('OWNER', 'ADMIN')
$$;
