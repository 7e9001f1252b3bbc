-- Make the default partition of a set if it has none.
CREATE OR REPLACE FUNCTION @partman@._create_default(p_parent_table text) RETURNS boolean
LANGUAGE plpgsql SET search_path TO pg_catalog, pg_temp AS $body$
DECLARE
    s record;
    v_name text;
    v_statement text;
BEGIN
    SELECT * INTO s FROM @partman@._set(p_parent_table);
    IF EXISTS (SELECT 1 FROM pg_partitioned_table p WHERE p.partrelid = s.parent AND p.partdefid <> 0) THEN
        RETURN false;
    END IF;
    v_name := @partman@._free_name(s.schema_name, @partman@.check_name_length(s.table_name, '_default'));
    FOREACH v_statement IN ARRAY @partman@._child_statements(s.key, true) LOOP
        EXECUTE format(v_statement, format('%I.%I', s.schema_name, v_name), 'DEFAULT', v_name);
    END LOOP;
    RETURN true;
END
$body$;
