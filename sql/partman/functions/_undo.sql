-- So many batches of an undo; see undo_partition.
CREATE OR REPLACE FUNCTION @partman@._undo(
    p_parent_table text, p_target_table text, p_loop_count integer, p_batch_interval text, p_keep_table boolean,
    p_ignored_columns text[], p_drop_cascade boolean, OUT partitions_undone integer, OUT rows_undone bigint)
LANGUAGE plpgsql SET search_path TO pg_catalog, pg_temp SET "TimeZone" TO 'UTC' SET "DateStyle" TO 'ISO, YMD'
SET "IntervalStyle" TO 'postgres' SET row_security TO off AS $body$
DECLARE
    s record;
    c record;
    v_target oid := @partman@._oid(p_target_table);
    v_parts text[] := @partman@._split(p_target_table);
    v_parent text;
    v_child record;
    v_name text;
    v_edge text;
    v_filled boolean;
    v_high text;
    v_at timestamptz;
    v_wall timestamp;
    v_rows bigint;
    v_loops integer := 0;
BEGIN
    partitions_undone := 0;
    rows_undone := 0;
    SELECT * INTO s FROM @partman@._set(p_parent_table);
    IF p_target_table IS NULL THEN
        RAISE EXCEPTION 'Partitioned tables require setting the p_target_table option';
    ELSIF v_target IS NULL THEN
        RAISE EXCEPTION 'Given target table not found in system catalogs: %', p_target_table;
    ELSIF v_target = s.parent OR EXISTS (SELECT 1 FROM pg_partition_ancestors(v_target) a WHERE a.relid::oid = s.parent) THEN
        RAISE EXCEPTION 'Target table cannot be the same as parent table or a partition of it: %', p_target_table;
    END IF;
    IF EXISTS (SELECT 1 FROM @schema@.part_config p WHERE p.parent_table = s.key AND p.async_partitioning_in_progress IS NOT NULL) THEN
        RAISE EXCEPTION 'Rows of % wait in partman_tmp_storage_%: CALL partition_data_async to its end first', p_parent_table, s.table_name;
    END IF;
    SELECT n.nspname || '.' || t.relname AS child INTO v_child
    FROM pg_inherits i JOIN pg_class t ON t.oid = i.inhrelid JOIN pg_namespace n ON n.oid = t.relnamespace
    WHERE i.inhparent = s.parent AND EXISTS (SELECT 1 FROM pg_inherits b WHERE b.inhparent = t.oid) LIMIT 1;
    IF v_child.child IS NOT NULL THEN
        RAISE EXCEPTION 'Child table for this parent has child table(s) itself (%). Run undo partitioning on this table or remove inheritance first to ensure all data is properly moved to parent', v_child.child;
    END IF;
    PERFORM @partman@._refuse_cascades(s.parent);
    v_parent := format('%I.%I', s.schema_name, s.table_name);
    UPDATE @schema@.part_config p SET undo_in_progress = true WHERE p.parent_table = s.key AND NOT p.undo_in_progress;
    SELECT * INTO c FROM @partman@._columns(s.parent, v_target, p_ignored_columns);
    WHILE v_loops < p_loop_count LOOP
        SELECT x.* INTO v_child FROM @partman@._children(s.key) x LIMIT 1;
        EXIT WHEN v_child.child IS NULL;
        v_name := format('%I.%I', v_child.schema_name, v_child.table_name);
        EXECUTE format('SELECT %1$I::text, true FROM %2$s own ORDER BY own.%1$I LIMIT 1', s.control, v_name) INTO v_edge, v_filled;
        IF v_filled THEN
            IF v_edge IS NULL THEN
                v_high := format('%I IS NULL', s.control);
            ELSIF s.kind = 'id' THEN
                v_high := format('%I < %L', s.control, v_edge::numeric + least(p_batch_interval::numeric, s.ids));
            ELSE
                EXECUTE 'SELECT ' || format(s.to_time, '$1') INTO v_at USING v_edge;
                v_wall := CASE WHEN s.kind = 'wall' THEN v_edge::timestamp ELSE v_at AT TIME ZONE s.zone END;
                IF isfinite(v_wall) THEN
                    EXECUTE 'SELECT ' || replace(s.to_bound, '%1$s', '$1') INTO v_high
                        USING v_wall + least(p_batch_interval::interval, s.width);
                    v_high := format('(%1$I < %2$L OR %1$I = %3$L)', s.control, v_high, v_edge);
                ELSE
                    v_high := format('%I = %L', s.control, v_edge);
                END IF;
            END IF;
            v_rows := @partman@._transfer(v_name, format('%I.%I', v_parts[1], v_parts[2]), c.columns, c.overriding, v_high);
            IF v_rows = 0 THEN
                RAISE EXCEPTION 'Rows of % at % do not move: a trigger is in the way', v_name, v_edge;
            END IF;
            rows_undone := rows_undone + v_rows;
            v_loops := v_loops + 1;
            EXECUTE format('SELECT EXISTS (SELECT 1 FROM %s)', v_name) INTO v_filled;
            CONTINUE WHEN v_filled;
        END IF;
        -- Its rows are looked at once more under the lock that nobody writes beside.
        EXECUTE format('LOCK TABLE ONLY %s IN ACCESS EXCLUSIVE MODE', v_parent);
        EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', v_name);
        EXECUTE format('SELECT EXISTS (SELECT 1 FROM %s)', v_name) INTO v_filled;
        CONTINUE WHEN v_filled;
        EXECUTE format('ALTER TABLE %s DETACH PARTITION %s', v_parent, v_name);
        IF NOT p_keep_table THEN
            EXECUTE format('DROP TABLE %s%s', v_name, CASE WHEN p_drop_cascade THEN ' CASCADE' ELSE '' END);
        END IF;
        partitions_undone := partitions_undone + 1;
    END LOOP;
    IF NOT EXISTS (SELECT 1 FROM @partman@._children(s.key)) THEN
        PERFORM @partman@.config_cleanup(s.key);
    END IF;
END
$body$;
