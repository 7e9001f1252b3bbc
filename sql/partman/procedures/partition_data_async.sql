-- Move all rows of a default, by time, into their partitions in parts that are smaller than a partition: a part, a commit.
-- Rows of a window wait in schema.partman_tmp_storage_<table> meanwhile, where queries of the set do not see them.
CREATE OR REPLACE PROCEDURE @partman@.partition_data_async(
    p_parent_table text, p_loop_count integer DEFAULT NULL, p_interval text DEFAULT NULL, p_lock_wait integer DEFAULT 0,
    p_lock_wait_tries integer DEFAULT 10, p_wait integer DEFAULT 1, p_order text DEFAULT 'ASC',
    p_ignored_columns text[] DEFAULT NULL, p_quiet boolean DEFAULT false)
LANGUAGE plpgsql AS $body$
DECLARE
    v_interval interval;
    v_step record;
    v_total bigint := 0;
    v_loops integer := 0;
    v_tries integer := 0;
BEGIN
    v_interval := p_interval::interval;
    LOOP
        PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
        IF NOT pg_try_advisory_xact_lock(hashtext('pg_partman partition_data_proc'), hashtext(p_parent_table)) THEN
            RAISE NOTICE 'Rows of % are moved by another session already', p_parent_table;
            RETURN;
        END IF;
        SELECT * INTO v_step FROM @partman@._async(p_parent_table, v_interval, p_lock_wait, p_order, p_ignored_columns);
        COMMIT;
        PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
        EXIT WHEN v_step.ended;
        IF v_step.rows_moved = -1 THEN
            v_tries := v_tries + 1;
            IF v_tries >= p_lock_wait_tries THEN
                RAISE NOTICE 'Quitting due to inability to get lock on next rows to be moved';
                EXIT;
            END IF;
            CONTINUE;
        END IF;
        v_tries := 0;
        CONTINUE WHEN v_step.rows_moved = 0;
        v_total := v_total + v_step.rows_moved;
        v_loops := v_loops + 1;
        IF NOT p_quiet THEN
            RAISE NOTICE 'Loop: %, Rows moved: %', v_loops, v_step.rows_moved;
        END IF;
        EXIT WHEN v_loops >= p_loop_count;
        PERFORM pg_sleep(p_wait);
    END LOOP;
    IF NOT p_quiet THEN
        RAISE NOTICE 'Total rows moved: %', v_total;
        RAISE NOTICE 'Ensure to VACUUM ANALYZE the parent % after partitioning data', p_parent_table;
    END IF;
END
$body$;
