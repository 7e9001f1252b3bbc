-- Move all rows of a default, or of another table, into the partitions that they belong to: a batch, a commit.
CREATE OR REPLACE PROCEDURE @partman@.partition_data_proc(
    p_parent_table text, p_loop_count integer DEFAULT NULL, p_interval text DEFAULT NULL, p_lock_wait integer DEFAULT 0,
    p_lock_wait_tries integer DEFAULT 10, p_wait integer DEFAULT 1, p_order text DEFAULT 'ASC',
    p_source_table text DEFAULT NULL, p_ignored_columns text[] DEFAULT NULL, p_quiet boolean DEFAULT false,
    p_ignore_infinity boolean DEFAULT false)
LANGUAGE plpgsql AS $body$
DECLARE
    v_set text;
    v_interval text;
    v_moved bigint;
    v_total bigint := 0;
    v_loops integer := 0;
    v_tries integer := 0;
BEGIN
    v_interval := @partman@._batch(p_parent_table, p_interval);
    LOOP
        PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
        IF NOT pg_try_advisory_xact_lock(hashtext('pg_partman partition_data_proc'), hashtext(p_parent_table)) THEN
            RAISE NOTICE 'Partman partition_data_proc already running for given parent table: %', p_parent_table;
            RETURN;
        END IF;
        v_moved := @partman@._move(p_parent_table, 1, v_interval, p_lock_wait, p_order, false, p_source_table,
                                   p_ignored_columns, p_ignore_infinity);
        COMMIT;
        PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
        IF v_moved = -1 THEN
            v_tries := v_tries + 1;
            IF v_tries >= p_lock_wait_tries THEN
                RAISE NOTICE 'Quitting due to inability to get lock on next rows to be moved';
                EXIT;
            END IF;
            CONTINUE;
        END IF;
        EXIT WHEN v_moved = 0;
        v_tries := 0;
        v_total := v_total + v_moved;
        v_loops := v_loops + 1;
        IF NOT p_quiet THEN
            RAISE NOTICE 'Loop: %, Rows moved: %', v_loops, v_moved;
        END IF;
        EXIT WHEN v_loops >= p_loop_count;
        PERFORM pg_sleep(p_wait);
    END LOOP;
    SELECT format('%I.%I', s.schema_name, s.table_name) INTO v_set FROM @partman@._set(p_parent_table) s;
    IF NOT p_quiet THEN
        RAISE NOTICE 'Total rows moved: %', v_total;
        RAISE NOTICE 'Ensure to VACUUM ANALYZE the parent % (and source table if used) after partitioning data', v_set;
    END IF;
END
$body$;
