-- One step of partition_data_async: a part of a window leaves the default for a work table; or the partition is made; or
-- a part leaves the work table for it. What part_config and the tables hold says which: a run that is ended is continued.
CREATE OR REPLACE FUNCTION @partman@._async(
    p_parent_table text, p_interval interval, p_lock_wait numeric, p_order text, p_ignored_columns text[],
    OUT rows_moved bigint, OUT ended boolean)
LANGUAGE plpgsql SET search_path TO pg_catalog, pg_temp SET "TimeZone" TO 'UTC' SET "DateStyle" TO 'ISO, YMD'
SET "IntervalStyle" TO 'postgres' SET row_security TO off AS $body$
DECLARE
    s record;
    c record;
    v_before text := @partman@._wait();
    v_default oid;
    v_parent text;
    v_from text;
    v_work text;
    v_low timestamp;
    v_high timestamp;
    v_low_text text;
    v_high_text text;
    v_where text := 'true';
    v_batch text;
    v_beyond text;
    v_edge text;
    v_at timestamptz;
    v_wall timestamp;
    v_made boolean := false;
BEGIN
    rows_moved := 0;
    ended := false;
    SELECT * INTO s FROM @partman@._set(p_parent_table);
    IF s.key IS NULL THEN
        RAISE EXCEPTION 'ERROR: No entry in part_config found for given table:  %', p_parent_table;
    ELSIF s.kind = 'id' THEN
        RAISE EXCEPTION 'Cannot run on partition set without time based control column: %', p_parent_table;
    ELSIF upper(p_order) NOT IN ('ASC', 'DESC') OR p_order IS NULL THEN
        RAISE EXCEPTION 'p_order parameter must be one of the following values: ASC, DESC';
    END IF;
    SELECT p.partdefid INTO v_default FROM pg_partitioned_table p WHERE p.partrelid = s.parent AND p.partdefid <> 0;
    IF v_default IS NULL THEN
        RAISE EXCEPTION 'No default partition, so no rows to move: %', p_parent_table;
    END IF;
    PERFORM @partman@._refuse_cascades(v_default);
    SELECT * INTO c FROM @partman@._columns(v_default, s.parent, p_ignored_columns);
    v_parent := format('%I.%I', s.schema_name, s.table_name);
    v_work := format('%I.%I', s.schema_name, @partman@.check_name_length('partman_tmp_storage_' || s.table_name));
    SELECT format('%I.%I', n.nspname, t.relname) INTO v_from FROM pg_class t JOIN pg_namespace n ON n.oid = t.relnamespace
    WHERE t.oid = v_default;
    SELECT p.async_partitioning_in_progress::timestamp INTO v_low FROM @schema@.part_config p WHERE p.parent_table = s.key;
    IF v_low IS NOT NULL THEN
        v_made := EXISTS (SELECT 1 FROM @partman@._children(s.key) x WHERE NOT x.is_default AND CASE s.kind
            WHEN 'wall' THEN x.start_wall <= v_low AND x.end_wall > v_low
            ELSE x.start_time <= @partman@._moment(v_low, s.zone) AND x.end_time > @partman@._moment(v_low, s.zone) END);
        v_high := v_low + s.width;
        EXECUTE 'SELECT ' || replace(s.to_bound, '%1$s', '$1') || ', ' || replace(s.to_bound, '%1$s', '$2')
            INTO v_low_text, v_high_text USING v_low, v_high;
        v_where := format('%1$I >= %2$L AND %1$I < %3$L', s.control, v_low_text, v_high_text);
    ELSIF s.exact_type IN ('date', 'timestamp', 'timestamptz') THEN
        v_where := format('isfinite(%I)', s.control);
    END IF;
    IF p_lock_wait > 0 THEN
        PERFORM set_config('lock_timeout', ceil(p_lock_wait * 1000)::text, true);
    END IF;
    BEGIN
        v_beyond := CASE WHEN v_low IS NULL OR v_made THEN 'true' -- rows that come behind those that wait go with the last part
            ELSE format('coalesce(own.%1$I %3$s (SELECT w.%1$I FROM %2$s w ORDER BY w.%1$I %4$s LIMIT 1), true)', s.control,
                        v_work, CASE upper(p_order) WHEN 'ASC' THEN '>' ELSE '<' END,
                        CASE upper(p_order) WHEN 'ASC' THEN 'DESC' ELSE 'ASC' END) END;
        v_beyond := format('SELECT own.%1$I::text FROM %2$s own WHERE own.%1$I IS NOT NULL AND %3$s AND %5$s ORDER BY own.%1$I %4$s '
                           'LIMIT 1', s.control, CASE WHEN v_made THEN v_work ELSE v_from END, v_where, upper(p_order), v_beyond);
        EXECUTE v_beyond INTO v_edge;
        IF v_edge IS NOT NULL THEN
            EXECUTE 'SELECT ' || format(s.to_time, '$1') INTO v_at USING v_edge;
            v_wall := CASE WHEN s.kind = 'wall' THEN v_edge::timestamp ELSE v_at AT TIME ZONE s.zone END;
        END IF;
        IF v_low IS NULL THEN
            ended := v_edge IS NULL;
            IF NOT ended THEN
                IF to_regclass(v_work) IS NOT NULL THEN
                    RAISE EXCEPTION 'The table %, in which rows wait for their partition, exists already', v_work
                        USING HINT = 'Move its rows to the table that they belong to, and drop it.';
                END IF;
                EXECUTE format('CREATE TABLE %s AS SELECT %s FROM %s WITH NO DATA', v_work, c.columns, v_from);
                EXECUTE format('CREATE INDEX ON %s (%I)', v_work, s.control);
                EXECUTE format('ALTER TABLE %s OWNER TO %I', v_work,
                               (SELECT pg_get_userbyid(p.relowner) FROM pg_class p WHERE p.oid = s.parent));
                UPDATE @schema@.part_config p
                SET async_partitioning_in_progress = @partman@._floor(v_wall, s.width, s.origin)::text
                WHERE p.parent_table = s.key;
            END IF;
        ELSE
            v_batch := v_where;
            IF v_edge IS NOT NULL AND p_interval < s.width THEN
                EXECUTE 'SELECT ' || replace(s.to_bound, '%1$s', '$1') || ', ' || replace(s.to_bound, '%1$s', '$2')
                    INTO v_low_text, v_high_text USING greatest(v_low, v_wall - p_interval), least(v_high, v_wall + p_interval);
                v_batch := v_where || CASE upper(p_order)
                    WHEN 'ASC' THEN format(' AND (%1$I < %2$L OR %1$I = %3$L)', s.control, v_high_text, v_edge)
                    ELSE format(' AND (%1$I > %2$L OR %1$I = %3$L)', s.control, v_low_text, v_edge) END;
            END IF;
            IF v_edge IS NOT NULL THEN
                rows_moved := CASE
                    WHEN v_made THEN @partman@._transfer(v_work, v_parent, c.columns, c.overriding, v_batch)
                    ELSE @partman@._transfer(v_from, v_work, c.columns, '', v_batch) END;
                IF rows_moved = 0 THEN
                    RAISE EXCEPTION 'Rows of % at % do not move: a trigger is in the way', v_parent, v_edge;
                END IF;
            END IF;
            EXECUTE v_beyond INTO v_edge;
            IF v_edge IS NULL AND v_made THEN
                EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', v_work);
                EXECUTE format('SELECT %I::text FROM %s LIMIT 1', s.control, v_work) INTO v_edge;
                IF v_edge IS NOT NULL THEN
                    RAISE EXCEPTION 'The table % holds a row outside of the window that begins at %: %', v_work, v_low, v_edge;
                END IF;
                EXECUTE format('DROP TABLE %s', v_work);
                UPDATE @schema@.part_config p SET async_partitioning_in_progress = NULL WHERE p.parent_table = s.key;
            ELSIF v_edge IS NULL THEN
                -- Rows that came meanwhile leave under the locks under which the partition is made. The set first.
                EXECUTE format('LOCK TABLE ONLY %s IN SHARE UPDATE EXCLUSIVE MODE', v_parent);
                EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', v_from);
                rows_moved := rows_moved + @partman@._transfer(v_from, v_work, c.columns, '', v_where);
                PERFORM @partman@._create(s.key, ARRAY[v_low], NULL);
            END IF;
        END IF;
    EXCEPTION WHEN lock_not_available THEN
        IF coalesce(p_lock_wait, 0) <= 0 THEN
            RAISE;
        END IF;
        rows_moved := -1;
    END;
    PERFORM set_config('lock_timeout', v_before, true);
END
$body$;
