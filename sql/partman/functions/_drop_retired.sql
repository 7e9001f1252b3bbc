-- Drop what was taken out of a set longer ago than its grace period. Only a table that is surely the one: its oid agrees,
-- and the record is of this database.
CREATE OR REPLACE FUNCTION @partman@._drop_retired(p_parent_table text, p_grace interval) RETURNS void
LANGUAGE plpgsql SET search_path TO pg_catalog, pg_temp AS $body$
DECLARE
    v_gone record;
BEGIN
    FOR v_gone IN
        SELECT r.partition_name, format('%I.%I', n.nspname, c.relname) AS relation
        FROM @schema@.retired_partition r JOIN pg_class c ON c.oid = r.partition_oid
        JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE r.parent_table = p_parent_table AND r.by_policy AND r.record_oid = r.tableoid
          AND r.retired_at + p_grace <= now() AND NOT c.relispartition AND c.relkind IN ('r', 'p')
          AND r.partition_name = @partman@._stored(format('%I.%I', n.nspname, c.relname))
    LOOP
        EXECUTE format('DROP TABLE %s', v_gone.relation);
        DELETE FROM @schema@.retired_partition r WHERE r.partition_name = v_gone.partition_name;
    END LOOP;
END
$body$;
