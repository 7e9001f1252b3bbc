-- Make one partition of a set and give it what its parent has.
CREATE OR REPLACE FUNCTION @partman@._make_child(
    p_parent_table text, p_name text, p_values text, p_statements text[]) RETURNS void
LANGUAGE plpgsql SET search_path TO pg_catalog, pg_temp SET "TimeZone" TO 'UTC' SET "DateStyle" TO 'ISO, YMD' AS $body$
DECLARE
    v_parent record;
    v_child text;
    v_statement text;
BEGIN
    SELECT n.nspname, c.relname, c.relreplident, p.inherit_privileges,
           EXISTS (SELECT FROM pg_index x WHERE x.indrelid = c.oid AND x.indisclustered) AS clustered
    INTO v_parent
    FROM @schema@.part_config p JOIN pg_class c ON c.oid = @partman@._oid(p.parent_table)
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE p.parent_table = p_parent_table;
    v_child := format('%I.%I', v_parent.nspname, p_name);
    FOREACH v_statement IN ARRAY p_statements LOOP
        EXECUTE format(v_statement, v_child, p_values);
    END LOOP;
    IF v_parent.inherit_privileges THEN
        PERFORM @partman@.apply_privileges(v_parent.nspname, v_parent.relname, v_parent.nspname, p_name);
    END IF;
    IF v_parent.relreplident <> 'd' THEN
        PERFORM @partman@.inherit_replica_identity(v_parent.nspname, v_parent.relname, p_name);
    END IF;
    IF v_parent.clustered THEN
        PERFORM @partman@.apply_cluster(v_parent.nspname, v_parent.relname, v_parent.nspname, p_name);
    END IF;
END
$body$;
