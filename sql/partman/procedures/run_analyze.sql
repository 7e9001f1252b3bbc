-- ANALYZE each set, or one: autovacuum never does it for a partitioned table.
CREATE OR REPLACE PROCEDURE @partman@.run_analyze(
    p_skip_locked boolean DEFAULT false, p_quiet boolean DEFAULT false, p_parent_table text DEFAULT NULL)
LANGUAGE plpgsql AS $body$
DECLARE
    v_set text;
    v_sets text[];
    v_table text;
BEGIN
    PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
    v_sets := ARRAY(SELECT c.parent_table FROM @schema@.part_config c
                    WHERE p_parent_table IS NULL OR c.parent_table = @partman@._stored(p_parent_table) ORDER BY 1);
    FOREACH v_set IN ARRAY v_sets LOOP
        PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
        SELECT format('%I.%I', s.schema_name, s.table_name) INTO v_table FROM @partman@._set(v_set) s WHERE s.parent IS NOT NULL;
        IF v_table IS NOT NULL THEN
            EXECUTE format('ANALYZE %s%s', CASE WHEN p_skip_locked THEN '(SKIP_LOCKED) ' ELSE '' END, v_table);
            IF NOT p_quiet THEN
                RAISE NOTICE 'Analyzed partitioned table: %', v_table;
            END IF;
        END IF;
        COMMIT;
    END LOOP;
END
$body$;
