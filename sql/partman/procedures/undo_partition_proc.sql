-- Move all rows of a set to another table and take its partitions out of it: a batch, a commit.
CREATE OR REPLACE PROCEDURE @partman@.undo_partition_proc(
    p_parent_table text, p_target_table text DEFAULT NULL, p_loop_count integer DEFAULT NULL, p_interval text DEFAULT NULL,
    p_keep_table boolean DEFAULT true, p_lock_wait integer DEFAULT 0, p_lock_wait_tries integer DEFAULT 10,
    p_wait integer DEFAULT 1, p_ignored_columns text[] DEFAULT NULL, p_drop_cascade boolean DEFAULT false,
    p_quiet boolean DEFAULT false)
LANGUAGE plpgsql AS $body$
DECLARE
    v_done record;
    v_rows bigint := 0;
    v_partitions bigint := 0;
    v_loops integer := 0;
    v_tries integer := 0;
BEGIN
    LOOP
        PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
        IF NOT pg_try_advisory_xact_lock(hashtext('pg_partman undo_partition_proc'), hashtext(p_parent_table)) THEN
            RAISE NOTICE 'Partman undo_partition_proc already running for given parent table: %', p_parent_table;
            RETURN;
        END IF;
        SELECT * INTO v_done FROM @partman@.undo_partition(
            p_parent_table, p_target_table, 1, p_interval, p_keep_table, p_lock_wait, p_ignored_columns, p_drop_cascade);
        COMMIT;
        PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
        IF v_done.rows_undone = -1 THEN
            v_tries := v_tries + 1;
            IF v_tries >= p_lock_wait_tries THEN
                RAISE NOTICE 'Quitting due to inability to get lock on table/rows for migration to target table';
                EXIT;
            END IF;
            CONTINUE;
        END IF;
        v_tries := 0;
        v_rows := v_rows + v_done.rows_undone;
        v_partitions := v_partitions + v_done.partitions_undone;
        v_loops := v_loops + 1;
        IF NOT p_quiet THEN
            RAISE NOTICE 'Batch: %, Partitions undone this batch: %, Rows undone this batch: %', v_loops, v_done.partitions_undone, v_done.rows_undone;
        END IF;
        EXIT WHEN NOT EXISTS (SELECT 1 FROM @partman@._set(p_parent_table) s WHERE s.key IS NOT NULL);
        EXIT WHEN v_loops >= p_loop_count;
        PERFORM pg_sleep(p_wait);
    END LOOP;
    IF NOT p_quiet THEN
        RAISE NOTICE 'Total partitions undone: %, Total rows moved: %', v_partitions, v_rows;
    END IF;
END
$body$;
