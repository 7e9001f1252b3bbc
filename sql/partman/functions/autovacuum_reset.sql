-- Undo autovacuum_off.
CREATE OR REPLACE FUNCTION @partman@.autovacuum_reset(
    p_parent_schema text, p_parent_tablename text, p_source_schema text DEFAULT NULL, p_source_tablename text DEFAULT NULL)
RETURNS boolean
LANGUAGE plpgsql SET search_path TO pg_catalog, pg_temp AS $body$
DECLARE
    v_table text;
BEGIN
    FOR v_table IN
        SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind = 'r' AND (
            c.oid IN (SELECT t.relid::oid FROM pg_class p JOIN pg_namespace m ON m.oid = p.relnamespace
                      CROSS JOIN LATERAL pg_partition_tree(p.oid) t
                      WHERE m.nspname = p_parent_schema AND p.relname = p_parent_tablename)
            OR (n.nspname = p_source_schema AND c.relname = p_source_tablename))
    LOOP
        EXECUTE format('ALTER TABLE %s RESET (autovacuum_enabled, toast.autovacuum_enabled)', v_table);
    END LOOP;
    RETURN true;
END
$body$;
