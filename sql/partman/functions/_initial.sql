-- The first partitions of a set: around the present, or from where it was told to begin.
CREATE OR REPLACE FUNCTION @partman@._initial(p_parent_table text, p_wall timestamp, p_id numeric) RETURNS integer
LANGUAGE plpgsql SET search_path TO pg_catalog, pg_temp SET "TimeZone" TO 'UTC' SET "DateStyle" TO 'ISO, YMD'
SET "IntervalStyle" TO 'postgres' SET row_security TO off AS $body$
DECLARE
    s record;
    l record;
    v_walls timestamp[] := ARRAY[]::timestamp[];
    v_wall timestamp;
    v_ids numeric[] := ARRAY[]::numeric[];
    v_max numeric;
BEGIN
    SELECT * INTO s FROM @partman@._set(p_parent_table);
    SELECT * INTO l FROM @partman@._limits(s.key);
    IF s.kind = 'id' THEN
        IF p_id IS NULL THEN
            EXECUTE format('SELECT max(%I)::numeric FROM %I.%I', s.control, s.schema_name, s.table_name) INTO v_max;
        END IF;
        v_max := coalesce(p_id, v_max, s.origin_id);
        v_max := v_max - mod(mod(v_max - s.origin_id, s.ids) + s.ids, s.ids);
        SELECT array_agg(i) INTO v_ids FROM generate_series(
            CASE WHEN p_id IS NULL THEN v_max - s.premake * s.ids ELSE v_max END, v_max + s.premake * s.ids, s.ids) i
        WHERE (i >= 0 OR i >= v_max) AND (l.low_id IS NULL OR i + s.ids > l.low_id) AND (l.high_id IS NULL OR i < l.high_id);
        IF v_ids IS NULL THEN
            v_ids := ARRAY[l.low_id - mod(mod(l.low_id - s.origin_id, s.ids) + s.ids, s.ids)];
        END IF;
    ELSE
        v_wall := p_wall;
        WHILE v_wall < (now() AT TIME ZONE s.zone) + s.premake * s.width OR v_wall = p_wall LOOP
            IF (l.low_wall IS NULL OR v_wall + s.width > l.low_wall) AND (l.high_wall IS NULL OR v_wall < l.high_wall) THEN
                v_walls := v_walls || v_wall;
            END IF;
            v_wall := v_wall + s.width;
        END LOOP;
        IF v_walls = '{}' THEN
            v_walls := ARRAY[@partman@._floor(l.low_wall, s.width, s.origin)];
        END IF;
    END IF;
    RETURN @partman@._create(s.key, v_walls, v_ids);
END
$body$;
