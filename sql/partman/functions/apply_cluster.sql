-- Mark in a partition the index that its parent is clustered by.
CREATE OR REPLACE FUNCTION @partman@.apply_cluster(
    p_parent_schema text, p_parent_tablename text, p_child_schema text, p_child_tablename text) RETURNS void
LANGUAGE plpgsql SET search_path TO pg_catalog, pg_temp AS $body$
DECLARE
    v_index text;
BEGIN
    SELECT i.relname INTO v_index
    FROM pg_index p JOIN pg_inherits h ON h.inhparent = p.indexrelid JOIN pg_index x ON x.indexrelid = h.inhrelid
    JOIN pg_class i ON i.oid = x.indexrelid
    WHERE p.indrelid = (SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                        WHERE n.nspname = p_parent_schema AND c.relname = p_parent_tablename)
      AND p.indisclustered
      AND x.indrelid = (SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                        WHERE n.nspname = p_child_schema AND c.relname = p_child_tablename);
    IF v_index IS NOT NULL THEN
        EXECUTE format('ALTER TABLE %I.%I CLUSTER ON %I', p_child_schema, p_child_tablename, v_index);
    END IF;
END
$body$;
