-- Make the default partition of a set if it has none.
CREATE OR REPLACE FUNCTION @partman@._create_default(p_parent_table text) RETURNS boolean
LANGUAGE plpgsql SET search_path TO pg_catalog, pg_temp AS $body$
DECLARE
    s record;
BEGIN
    SELECT * INTO s FROM @partman@._set(p_parent_table);
    IF EXISTS (SELECT FROM pg_partitioned_table p WHERE p.partrelid = s.parent AND p.partdefid <> 0) THEN
        RETURN false;
    END IF;
    PERFORM @partman@._make_child(s.key, @partman@.check_name_length(s.table_name, '_default'), 'DEFAULT',
                                  @partman@._child_statements(s.key, true));
    RETURN true;
END
$body$;
