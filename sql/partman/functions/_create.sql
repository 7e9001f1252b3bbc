-- Make those partitions of a set that are missing: windows that begin at times of its wall clock, or at ids. A window
-- that partitions hold already is passed over, whatever they are called. Gives back how many were made.
CREATE OR REPLACE FUNCTION @partman@._create(p_parent_table text, p_walls timestamp[], p_ids numeric[]) RETURNS integer
LANGUAGE plpgsql SET search_path TO pg_catalog, pg_temp SET "TimeZone" TO 'UTC' SET "DateStyle" TO 'ISO, YMD'
SET "IntervalStyle" TO 'postgres' AS $body$
DECLARE
    s record;
    w record;
    v_taken tstzmultirange;
    v_ids nummultirange;
    v_statements text[];
    v_statement text;
    v_name text;
    v_values text;
    v_made integer := 0;
    v_sub boolean;
BEGIN
    SELECT * INTO s FROM @partman@._set(p_parent_table);
    -- Others that make partitions of the set take turns here: what is there is looked at under the lock.
    EXECUTE format('LOCK TABLE %I.%I IN SHARE UPDATE EXCLUSIVE MODE', s.schema_name, s.table_name);
    v_sub := EXISTS (SELECT 1 FROM @schema@.part_config_sub p WHERE p.sub_parent = s.key);
    SELECT coalesce(range_agg(numrange(c.start_id, c.end_id)) FILTER (WHERE s.kind = 'id'), '{}'),
           coalesce(range_agg(CASE s.kind
               WHEN 'wall' THEN tstzrange(c.start_wall AT TIME ZONE 'UTC', c.end_wall AT TIME ZONE 'UTC')
               ELSE tstzrange(c.start_time, c.end_time) END) FILTER (WHERE s.kind <> 'id'), '{}')
    INTO v_ids, v_taken
    FROM @partman@._children(s.key) c WHERE NOT c.is_default;
    FOR w IN
        SELECT x.start, x.low::text, x.high::text, x.low::text AS suffix, v_ids @> numrange(x.low, x.high) AS held,
               v_ids && numrange(x.low, x.high) AS crossed, NULL::timestamp AS wall, NULL::timestamp AS following
        FROM (SELECT DISTINCT i AS start, trim_scale(i) AS low, trim_scale(i + s.ids) AS high FROM unnest(p_ids) i WHERE i IS NOT NULL) x
        UNION ALL
        SELECT 0, NULL, NULL, to_char(y.wall, s.datetime_string), v_taken @> y.held, v_taken && y.held, y.wall, y.wall + s.width
        FROM (SELECT x.wall, tstzrange(x.low, greatest(x.low, x.high)) AS held
              FROM (SELECT t AS wall,
                           CASE s.kind WHEN 'wall' THEN t AT TIME ZONE 'UTC' ELSE @partman@._moment(t, s.zone) END AS low,
                           CASE s.kind WHEN 'wall' THEN (t + s.width) AT TIME ZONE 'UTC'
                                ELSE @partman@._moment(t + s.width, s.zone) END AS high
                    FROM (SELECT DISTINCT u AS t FROM unnest(p_walls) u WHERE u IS NOT NULL) d) x) y
        WHERE NOT isempty(y.held)
        ORDER BY 1, 7
    LOOP
        CONTINUE WHEN w.held;
        IF w.crossed THEN
            RAISE EXCEPTION 'Partitions of % hold a part of the window that begins at %', @partman@._shown(s.key),
                coalesce(w.low, w.wall::text)
                USING HINT = 'Set the interval, origin and time zone in part_config to those of the partitions that are there.';
        END IF;
        IF s.kind = 'id' THEN
            v_values := CASE s.strategy WHEN 'list' THEN format('FOR VALUES IN (%L)', w.low)
                        ELSE format('FOR VALUES FROM (%L) TO (%L)', w.low, w.high) END;
        ELSE
            EXECUTE format('SELECT format(''FOR VALUES FROM (%%L) TO (%%L)'', ' || replace(s.to_bound, '%1$s', '%1$L::timestamp')
                           || ', ' || replace(s.to_bound, '%1$s', '%2$L::timestamp') || ')', w.wall, w.following) INTO v_values;
        END IF;
        v_name := @partman@._free_name(s.schema_name, @partman@.check_name_length(s.table_name, w.suffix, true));
        v_statements := coalesce(v_statements, @partman@._child_statements(s.key, false));
        FOREACH v_statement IN ARRAY v_statements LOOP
            EXECUTE format(v_statement, format('%I.%I', s.schema_name, v_name), v_values, v_name);
        END LOOP;
        v_made := v_made + 1;
        IF v_sub THEN
            PERFORM @partman@._register_sub(s.key, format('%I.%I', s.schema_name, v_name)::regclass::oid);
        END IF;
    END LOOP;
    RETURN v_made;
END
$body$;
