-- Move rows into the partitions that they belong to, which are made where they are missing: from the default of a set, or
-- from another table. A batch is a window of the set or a part of it. Gives back how many rows were moved; -1 where a
-- lock was not to be had within p_lock_wait seconds.
CREATE OR REPLACE FUNCTION @partman@._move(
    p_parent_table text, p_batch_count integer, p_batch_interval text, p_lock_wait numeric, p_order text, p_analyze boolean,
    p_source_table text, p_ignored_columns text[], p_ignore_infinity boolean) RETURNS bigint
LANGUAGE plpgsql SET search_path TO pg_catalog, pg_temp SET "TimeZone" TO 'UTC' SET "DateStyle" TO 'ISO, YMD'
SET "IntervalStyle" TO 'postgres' SET row_security TO off AS $body$
DECLARE
    s record;
    c record;
    v_before text := @partman@._wait();
    v_source oid;
    v_from text;
    v_parent text;
    v_by_default boolean := p_source_table IS NULL;
    v_edge text;
    v_where text := '';
    v_at timestamptz;
    v_wall timestamp;
    v_low timestamp;
    v_high timestamp;
    v_low_id numeric;
    v_high_id numeric;
    v_low_text text;
    v_high_text text;
    v_condition text;
    v_moved bigint := 0;
    v_rows bigint;
    v_made integer := 0;
BEGIN
    SELECT * INTO s FROM @partman@._set(p_parent_table);
    IF s.key IS NULL THEN
        RAISE EXCEPTION 'ERROR: No entry in part_config found for given table:  %', p_parent_table;
    ELSIF upper(p_order) NOT IN ('ASC', 'DESC') OR p_order IS NULL THEN
        RAISE EXCEPTION 'p_order parameter must be one of the following values: ASC, DESC';
    END IF;
    v_parent := format('%I.%I', s.schema_name, s.table_name);
    IF v_by_default THEN
        SELECT p.partdefid INTO v_source FROM pg_partitioned_table p WHERE p.partrelid = s.parent AND p.partdefid <> 0;
        IF v_source IS NULL THEN
            RAISE EXCEPTION 'No default partition, so no rows to move: %', p_parent_table
                USING HINT = 'Name the table that rows move from with p_source_table.';
        ELSIF p_batch_interval IS DISTINCT FROM coalesce(s.width::text, trim_scale(s.ids)::text) AND p_batch_interval IS NOT NULL THEN
            RAISE EXCEPTION 'Custom intervals are not allowed when moving data out of the DEFAULT partition. Please leave p_interval/p_batch_interval parameters unset or NULL to allow use of partition set''s default partitioning interval.';
        END IF;
    ELSE
        v_source := @partman@._oid(p_source_table);
        IF v_source IS NULL THEN
            RAISE EXCEPTION 'Given source table does not exist in system catalogs: %', p_source_table;
        ELSIF v_source = s.parent OR EXISTS (SELECT 1 FROM pg_partition_ancestors(v_source) a WHERE a.relid::oid = s.parent) THEN
            RAISE EXCEPTION 'Source table is the set itself or one of its partitions: %', p_source_table;
        END IF;
    END IF;
    SELECT format('%s%I.%I', CASE t.relkind WHEN 'r' THEN 'ONLY ' ELSE '' END, n.nspname, t.relname) INTO v_from
    FROM pg_class t JOIN pg_namespace n ON n.oid = t.relnamespace WHERE t.oid = v_source;
    PERFORM @partman@._refuse_cascades(v_source);
    SELECT * INTO c FROM @partman@._columns(v_source, s.parent, p_ignored_columns);
    IF p_ignore_infinity AND s.exact_type IN ('date', 'timestamp', 'timestamptz') THEN
        v_where := format(' AND isfinite(%I)', s.control);
    END IF;
    IF p_lock_wait > 0 THEN
        PERFORM set_config('lock_timeout', ceil(p_lock_wait * 1000)::text, true);
    END IF;
    BEGIN
        FOR v_batch IN 1 .. p_batch_count LOOP
            EXECUTE format('SELECT %1$I::text FROM %2$s own WHERE %1$I IS NOT NULL%3$s ORDER BY own.%1$I %4$s LIMIT 1',
                           s.control, v_from, v_where, upper(p_order)) INTO v_edge;
            EXIT WHEN v_edge IS NULL;
            IF s.kind = 'id' THEN
                v_low_id := v_edge::numeric - mod(mod(v_edge::numeric - s.origin_id, s.ids) + s.ids, s.ids);
                v_high_id := v_low_id + s.ids;
            ELSE
                EXECUTE 'SELECT ' || format(s.to_time, '$1') INTO v_at USING v_edge;
                v_wall := CASE WHEN s.kind = 'wall' THEN v_edge::timestamp ELSE v_at AT TIME ZONE s.zone END;
                IF NOT isfinite(v_wall) THEN
                    RAISE EXCEPTION '% holds rows at %, which lie in no window', v_from, v_edge
                        USING HINT = 'p_ignore_infinity leaves them where they are.';
                END IF;
                v_low := @partman@._floor(v_wall, s.width, s.origin);
                v_high := v_low + s.width;
            END IF;
            IF v_by_default THEN
                -- Nothing enters the window meanwhile. The set first, then its default, as everybody who attaches.
                EXECUTE format('LOCK TABLE ONLY %s IN SHARE UPDATE EXCLUSIVE MODE', v_parent);
                EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', v_from);
            ELSE
                v_made := v_made + @partman@._create(s.key, ARRAY[v_low], ARRAY[v_low_id]);
                IF s.kind = 'id' AND p_batch_interval::numeric < s.ids THEN
                    IF upper(p_order) = 'ASC' THEN
                        v_low_id := v_edge::numeric;
                        v_high_id := least(v_high_id, v_low_id + p_batch_interval::numeric);
                    ELSE
                        v_low_id := greatest(v_low_id, v_edge::numeric - p_batch_interval::numeric + 1);
                    END IF;
                ELSIF s.kind <> 'id' AND p_batch_interval::interval < s.width THEN
                    IF upper(p_order) = 'ASC' THEN
                        v_low := v_wall;
                        v_high := least(v_high, v_wall + p_batch_interval::interval);
                    ELSE
                        v_low := greatest(v_low, v_wall - p_batch_interval::interval);
                    END IF;
                END IF;
            END IF;
            IF s.kind = 'id' THEN
                v_low_text := v_low_id::text;
                v_high_text := v_high_id::text;
            ELSE
                EXECUTE 'SELECT ' || replace(s.to_bound, '%1$s', '$1') || ', ' || replace(s.to_bound, '%1$s', '$2')
                    INTO v_low_text, v_high_text USING v_low, v_high;
            END IF;
            -- The row that the batch begins with goes in any case: walls of a clock that goes back are shown twice.
            v_condition := format('(%1$I >= %2$L AND %1$I < %3$L OR %1$I = %4$L)', s.control, v_low_text, v_high_text, v_edge);
            IF v_by_default THEN
                EXECUTE format('CREATE TEMP TABLE schema_kit_moving ON COMMIT DROP AS SELECT %s FROM %s WITH NO DATA', c.columns, v_from);
                v_rows := @partman@._transfer(v_from, 'pg_temp.schema_kit_moving', c.columns, '', v_condition);
                IF v_rows = 0 THEN
                    RAISE EXCEPTION 'Rows of % at % do not move: a trigger is in the way', v_from, v_edge;
                END IF;
                v_made := v_made + @partman@._create(s.key, ARRAY[v_low], ARRAY[v_low_id]);
                PERFORM @partman@._transfer('pg_temp.schema_kit_moving', v_parent, c.columns, c.overriding, 'true');
                DROP TABLE pg_temp.schema_kit_moving;
            ELSE
                v_rows := @partman@._transfer(v_from, v_parent, c.columns, c.overriding, v_condition);
                IF v_rows = 0 THEN
                    RAISE EXCEPTION 'Rows of % at % do not move: a trigger is in the way', v_from, v_edge;
                END IF;
            END IF;
            v_moved := v_moved + v_rows;
        END LOOP;
    EXCEPTION WHEN lock_not_available THEN
        IF coalesce(p_lock_wait, 0) <= 0 THEN
            RAISE;
        END IF;
        PERFORM set_config('lock_timeout', v_before, true);
        RETURN -1;
    END;
    IF p_analyze AND v_made > 0 THEN
        EXECUTE format('ANALYZE %s', v_parent);
    END IF;
    PERFORM set_config('lock_timeout', v_before, true);
    RETURN v_moved;
END
$body$;
