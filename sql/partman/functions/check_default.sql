-- The default partitions that hold rows: how many, or 1 where that is not counted.
CREATE OR REPLACE FUNCTION @partman@.check_default(p_exact_count boolean DEFAULT true, p_ignore_infinity boolean DEFAULT false)
RETURNS SETOF @partman@.check_default_table
LANGUAGE plpgsql STABLE SET search_path TO pg_catalog, pg_temp SET row_security TO off AS $body$
DECLARE
    v_default record;
    v_found @partman@.check_default_table;
    v_where text;
BEGIN
    FOR v_default IN
        SELECT n.nspname, d.relname, c.control, t.typname
        FROM @schema@.part_config c JOIN pg_partitioned_table p ON p.partrelid = @partman@._oid(c.parent_table)
        JOIN pg_class d ON d.oid = p.partdefid JOIN pg_namespace n ON n.oid = d.relnamespace
        LEFT JOIN pg_attribute a ON a.attrelid = d.oid AND a.attname = c.control
        LEFT JOIN pg_type t ON t.oid = a.atttypid
        ORDER BY c.parent_table
    LOOP
        v_where := CASE WHEN p_ignore_infinity AND v_default.typname IN ('date', 'timestamp', 'timestamptz')
                        THEN format(' WHERE isfinite(%I)', v_default.control) ELSE '' END;
        EXECUTE format(CASE WHEN p_exact_count THEN 'SELECT count(*) FROM %I.%I%s' ELSE 'SELECT count(*) FROM (SELECT 1 FROM %I.%I%s LIMIT 1) x' END,
                       v_default.nspname, v_default.relname, v_where) INTO v_found.count;
        IF v_found.count > 0 THEN
            v_found.default_table := v_default.nspname || '.' || v_default.relname;
            RETURN NEXT v_found;
        END IF;
    END LOOP;
END
$body$;
