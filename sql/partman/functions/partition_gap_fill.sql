-- Make the partitions that are missing between the first and the last one; gives back how many.
CREATE OR REPLACE FUNCTION @partman@.partition_gap_fill(p_parent_table text) RETURNS integer
LANGUAGE plpgsql SET search_path TO pg_catalog, pg_temp AS $body$
DECLARE
    s record;
    c record;
    v_before text := @partman@._wait();
    v_wall timestamp;
    v_walls timestamp[] := ARRAY[]::timestamp[];
    v_made integer;
    v_ids numeric[];
BEGIN
    SELECT * INTO s FROM @partman@._set(p_parent_table);
    IF s.key IS NULL THEN
        RAISE EXCEPTION 'Given parent table has no configuration in pg_partman: %', p_parent_table;
    END IF;
    SELECT min(x.start_wall) AS first_wall, max(x.start_wall) AS last_wall, min(x.start_id) AS first_id, max(x.start_id) AS last_id
    INTO c FROM @partman@._children(s.key) x WHERE NOT x.is_default;
    IF s.kind = 'id' THEN
        v_ids := ARRAY(SELECT i FROM generate_series(c.first_id, c.last_id, s.ids) i);
    ELSIF isfinite(c.first_wall) AND isfinite(c.last_wall) THEN
        v_wall := @partman@._floor(c.first_wall, s.width, s.origin);
        v_wall := CASE WHEN v_wall < c.first_wall AND NOT EXISTS (
            SELECT 1 FROM @partman@._children(s.key) x WHERE x.start_time = @partman@._moment(v_wall, s.zone)) THEN c.first_wall ELSE v_wall END;
        WHILE v_wall <= c.last_wall LOOP
            v_walls := v_walls || v_wall;
            v_wall := v_wall + s.width;
        END LOOP;
    END IF;
    v_made := @partman@._create(s.key, v_walls, v_ids);
    PERFORM set_config('lock_timeout', v_before, true);
    RETURN v_made;
END
$body$;
