-- Give each partition of a set, and what lies below them, the owner and the privileges of the set.
CREATE OR REPLACE FUNCTION @partman@.reapply_privileges(p_parent_table text) RETURNS void
LANGUAGE plpgsql SET search_path TO pg_catalog, pg_temp AS $body$
DECLARE
    s record;
    v_before text := @partman@._wait();
    v_child record;
BEGIN
    SELECT * INTO s FROM @partman@._set(p_parent_table);
    IF s.key IS NULL THEN
        RAISE EXCEPTION 'Given table is not managed by this extension: %', p_parent_table;
    END IF;
    FOR v_child IN
        SELECT n.nspname, c.relname FROM pg_partition_tree(s.parent) t JOIN pg_class c ON c.oid = t.relid
        JOIN pg_namespace n ON n.oid = c.relnamespace WHERE t.level > 0 ORDER BY c.oid
    LOOP
        PERFORM @partman@.apply_privileges(s.schema_name, s.table_name, v_child.nspname, v_child.relname);
    END LOOP;
    PERFORM set_config('lock_timeout', v_before, true);
END
$body$;
