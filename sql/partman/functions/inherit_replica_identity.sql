-- Tell a partition's rows apart as its parent's are.
CREATE OR REPLACE FUNCTION @partman@.inherit_replica_identity(
    p_parent_schemaname text, p_parent_tablename text, p_child_tablename text) RETURNS boolean
LANGUAGE plpgsql SET search_path TO pg_catalog, pg_temp AS $body$
DECLARE
    v_parent oid;
    v_identity text;
    v_child oid;
    v_index text;
BEGIN
    SELECT c.oid, c.relreplident::text INTO v_parent, v_identity FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = p_parent_schemaname AND c.relname = p_parent_tablename;
    SELECT c.oid INTO v_child FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = p_parent_schemaname AND c.relname = p_child_tablename;
    IF v_identity IN ('f', 'n') THEN
        EXECUTE format('ALTER TABLE %I.%I REPLICA IDENTITY %s', p_parent_schemaname, p_child_tablename,
                       CASE v_identity WHEN 'f' THEN 'FULL' ELSE 'NOTHING' END);
    ELSIF v_identity = 'i' THEN
        SELECT i.relname INTO v_index FROM pg_index p JOIN pg_inherits h ON h.inhparent = p.indexrelid
        JOIN pg_index x ON x.indexrelid = h.inhrelid JOIN pg_class i ON i.oid = x.indexrelid
        WHERE p.indrelid = v_parent AND p.indisreplident AND x.indrelid = v_child;
        EXECUTE format('ALTER TABLE %I.%I REPLICA IDENTITY USING INDEX %I', p_parent_schemaname, p_child_tablename, v_index);
    END IF;
    RETURN v_identity <> 'd';
END
$body$;
