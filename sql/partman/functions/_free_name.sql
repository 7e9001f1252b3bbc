-- A name that no relation and no type of a schema has: the given one, or it with a number. PostgreSQL up to 15 gives an
-- array type the name with underscores in front, cut at 63 bytes: where those are all in use, a shorter name is needed.
CREATE OR REPLACE FUNCTION @partman@._free_name(p_schema text, p_name text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path TO pg_catalog, pg_temp AS $body$
DECLARE
    v_name text := p_name;
    v_number integer := 1;
    v_schema oid := (SELECT n.oid FROM pg_namespace n WHERE n.nspname = p_schema);
    v_old boolean := current_setting('server_version_num')::integer < 160000;
BEGIN
    WHILE to_regclass(format('%I.%I', p_schema, v_name)) IS NOT NULL
        OR EXISTS (SELECT 1 FROM pg_type t WHERE t.typnamespace = v_schema AND t.typname = v_name AND t.typcategory <> 'A')
        OR (v_old AND octet_length(v_name) = 63 AND NOT EXISTS (
            SELECT 1 FROM generate_series(1, 62) i WHERE NOT EXISTS (
                SELECT 1 FROM pg_type t WHERE t.typnamespace = v_schema AND t.typname = (repeat('_', i) || v_name)::name)))
    LOOP
        v_number := v_number + 1;
        v_name := left(@partman@.check_name_length(p_name, '_' || v_number || '_'), -1); -- 62 bytes
    END LOOP;
    RETURN v_name;
END
$body$;
