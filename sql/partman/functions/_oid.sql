-- The table of a name, or NULL.
CREATE OR REPLACE FUNCTION @partman@._oid(p_name text) RETURNS oid
LANGUAGE plpgsql STABLE SET search_path TO pg_catalog, pg_temp AS $body$
DECLARE
    v_parts text[] := @partman@._split(p_name);
BEGIN
    RETURN (SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname = v_parts[1] AND c.relname = v_parts[2]);
END
$body$;
