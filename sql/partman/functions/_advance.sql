-- Make the partitions of a set that are due, up to premake ahead of the current one. That is the one of the clock where
-- infinite_time_partitions says so, or the newest one with rows where that is later. Gives back how many were made.
CREATE OR REPLACE FUNCTION @partman@._advance(p_parent_table text) RETURNS integer
LANGUAGE plpgsql SET search_path TO pg_catalog, pg_temp SET "TimeZone" TO 'UTC' SET "DateStyle" TO 'ISO, YMD'
SET "IntervalStyle" TO 'postgres' SET row_security TO off AS $body$
DECLARE
    s record;
    l record;
    v_config @schema@.part_config%ROWTYPE;
    v_child record;
    v_last record;
    v_seen boolean := false;
    v_filled boolean;
    v_now timestamp;
    v_current timestamp;
    v_current_id numeric;
    v_wall timestamp;
    v_walls timestamp[] := ARRAY[]::timestamp[];
    v_id numeric;
    v_ids numeric[] := ARRAY[]::numeric[];
    v_default text;
    v_full boolean := false;
    v_made integer := 0;
BEGIN
    SELECT * INTO s FROM @partman@._set(p_parent_table);
    SELECT c.* INTO v_config FROM @schema@.part_config c WHERE c.parent_table = s.key;
    v_now := now() AT TIME ZONE s.zone;
    IF s.kind <> 'id' AND v_config.infinite_time_partitions THEN
        v_current := @partman@._floor(v_now, s.width, s.origin);
    END IF;
    FOR v_child IN
        SELECT * FROM @partman@._children(s.key) WITH ORDINALITY AS c (child, schema_name, table_name, is_default, is_parent,
            start_wall, end_wall, start_time, end_time, start_id, end_id, place)
        WHERE NOT c.is_default ORDER BY c.place DESC
    LOOP
        IF NOT v_seen THEN
            v_last := v_child;
            v_seen := true;
        END IF;
        EXIT WHEN v_current IS NOT NULL AND v_child.start_wall <= v_current;
        EXECUTE format('SELECT EXISTS (SELECT 1 FROM %I.%I)', v_child.schema_name, v_child.table_name) INTO v_filled;
        IF v_filled THEN
            v_current := greatest(v_current, v_child.start_wall);
            v_current_id := v_child.start_id;
            EXIT;
        END IF;
    END LOOP;
    IF NOT v_seen THEN
        RETURN CASE WHEN s.kind = 'id' THEN @partman@._initial(s.key, NULL, NULL)
                    ELSE @partman@._initial(s.key, @partman@._begin(s.key, NULL), NULL) END;
    END IF;
    IF NOT v_config.ignore_default_data THEN
        SELECT format('%I.%I', d.schema_name, d.table_name) INTO v_default FROM @partman@._children(s.key) d WHERE d.is_default;
        IF v_default IS NOT NULL THEN
            EXECUTE format('SELECT %1$I::text FROM %2$s own WHERE %1$I IS NOT NULL ORDER BY own.%1$I DESC LIMIT 1', s.control, v_default)
                INTO v_default;
        END IF;
        IF s.kind = 'id' THEN
            v_current_id := greatest(v_current_id, v_default::numeric - mod(mod(v_default::numeric - s.origin_id, s.ids) + s.ids, s.ids));
        ELSIF v_default IS NOT NULL THEN
            EXECUTE 'SELECT ' || format(s.to_time, '$1') || ' AT TIME ZONE $2' INTO v_wall USING v_default, s.zone;
            v_current := greatest(v_current, @partman@._floor(v_wall, s.width, s.origin));
        END IF;
    END IF;
    SELECT * INTO l FROM @partman@._limits(s.key);
    IF s.kind = 'id' THEN
        v_id := v_last.end_id;
        WHILE v_id <= v_current_id + s.premake * s.ids LOOP
            v_full := v_id >= l.high_id;
            EXIT WHEN v_full;
            v_ids := v_ids || v_id;
            v_id := v_id + s.ids;
        END LOOP;
    ELSIF v_last.end_wall IS NOT NULL AND isfinite(v_last.end_wall) THEN
        v_wall := @partman@._floor(v_last.end_wall, s.width, s.origin);
        IF (CASE s.kind WHEN 'wall' THEN v_wall <> v_last.end_wall ELSE @partman@._moment(v_wall, s.zone) <> v_last.end_time END) THEN
            v_wall := v_last.end_wall; -- the partitions that are there lie on no grid: go on where they end
        END IF;
        WHILE v_wall <= v_current + s.premake * s.width LOOP
            v_full := v_wall >= l.high_wall;
            EXIT WHEN v_full;
            v_walls := v_walls || v_wall;
            v_wall := v_wall + s.width;
        END LOOP;
    END IF;
    IF v_walls <> '{}' OR v_ids <> '{}' THEN
        v_made := @partman@._create(s.key, v_walls, v_ids);
    END IF;
    IF v_full AND NOT v_config.sub_partition_set_full THEN
        UPDATE @schema@.part_config c SET sub_partition_set_full = true WHERE c.parent_table = s.key;
    END IF;
    RETURN v_made;
END
$body$;
