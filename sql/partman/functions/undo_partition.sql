-- Move the rows of a set to another table, partition after partition, and take those that are empty out of it. When none
-- is left the set is forgotten. Batches are of the set's interval, or shorter ones.
CREATE OR REPLACE FUNCTION @partman@.undo_partition(
    p_parent_table text, p_target_table text, p_loop_count integer DEFAULT 1, p_batch_interval text DEFAULT NULL,
    p_keep_table boolean DEFAULT true, p_lock_wait numeric DEFAULT 0, p_ignored_columns text[] DEFAULT NULL,
    p_drop_cascade boolean DEFAULT false, OUT partitions_undone integer, OUT rows_undone bigint)
LANGUAGE plpgsql SET search_path TO pg_catalog, pg_temp AS $body$
DECLARE
    v_before text := @partman@._wait();
    v_interval text := @partman@._undo_batch(p_parent_table, p_batch_interval);
BEGIN
    IF p_lock_wait > 0 THEN
        PERFORM set_config('lock_timeout', ceil(p_lock_wait * 1000)::text, true);
    END IF;
    BEGIN
        SELECT u.partitions_undone, u.rows_undone INTO partitions_undone, rows_undone
        FROM @partman@._undo(p_parent_table, p_target_table, p_loop_count, v_interval, p_keep_table, p_ignored_columns,
                             p_drop_cascade) u;
    EXCEPTION WHEN lock_not_available THEN
        IF coalesce(p_lock_wait, 0) <= 0 THEN
            RAISE;
        END IF;
        partitions_undone := -1;
        rows_undone := -1;
        RAISE WARNING 'Unable to obtain the locks on % within % seconds', p_parent_table, p_lock_wait;
    END;
    PERFORM set_config('lock_timeout', v_before, true);
    RAISE NOTICE 'Moved % row(s) to the target table. Removed % partitions.', rows_undone, partitions_undone;
END
$body$;
