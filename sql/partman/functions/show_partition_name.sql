-- The partition that holds a value, or that would be made for it: its name and where it begins.
CREATE OR REPLACE FUNCTION @partman@.show_partition_name(
    p_parent_table text, p_value text, OUT partition_schema text, OUT partition_table text,
    OUT suffix_timestamp timestamptz, OUT suffix_id bigint, OUT table_exists boolean)
LANGUAGE plpgsql STABLE SET search_path TO pg_catalog, pg_temp AS $body$
DECLARE
    s record;
    v_at timestamptz;
    v_wall timestamp;
    v_id numeric;
BEGIN
    SELECT * INTO s FROM @partman@._set(p_parent_table);
    IF s.key IS NULL THEN
        RAISE EXCEPTION 'Parent table given is not managed by pg_partman (%)', p_parent_table;
    ELSIF s.parent IS NULL THEN
        RAISE EXCEPTION 'Unable to find given parent table in system catalogs: %', p_parent_table;
    END IF;
    IF s.kind = 'id' THEN
        v_id := p_value::numeric;
        SELECT c.schema_name, c.table_name, c.start_id, true INTO partition_schema, partition_table, suffix_id, table_exists
        FROM @partman@._children(s.key) c
        WHERE NOT c.is_default AND (c.start_id IS NULL OR c.start_id <= v_id) AND (c.end_id IS NULL OR v_id < c.end_id);
        IF FOUND THEN
            RETURN;
        END IF;
        suffix_id := v_id - mod(mod(v_id - s.origin_id, s.ids) + s.ids, s.ids);
        partition_table := @partman@.check_name_length(s.table_name, suffix_id::text, true);
    ELSE
        IF (CASE WHEN s.kind = 'epoch' THEN p_value ~ '^\s*-?\d+(\.\d+)?\s*$'
                 WHEN s.exact_type = 'uuid' THEN p_value ~* '^\s*\{?[0-9a-f]{4}(-?[0-9a-f]{4}){7}\}?\s*$'
                 ELSE s.kind = 'encoded' AND p_value !~ '^\s*\d{4}-\d\d-\d\d' END) THEN
            EXECUTE 'SELECT ' || format(s.to_time, '$1') INTO v_at USING p_value;
        ELSIF s.kind = 'wall' THEN
            v_wall := p_value::timestamptz AT TIME ZONE s.zone;
        ELSE
            v_at := p_value::timestamptz;
        END IF;
        v_wall := coalesce(v_wall, v_at AT TIME ZONE s.zone);
        SELECT c.schema_name, c.table_name, c.start_time, true
        INTO partition_schema, partition_table, suffix_timestamp, table_exists
        FROM @partman@._children(s.key) c
        WHERE NOT c.is_default AND CASE s.kind
            WHEN 'wall' THEN (c.start_wall IS NULL OR c.start_wall <= v_wall) AND (c.end_wall IS NULL OR v_wall < c.end_wall)
            ELSE (c.start_time IS NULL OR c.start_time <= v_at) AND (c.end_time IS NULL OR v_at < c.end_time) END;
        IF FOUND THEN
            RETURN;
        END IF;
        v_wall := @partman@._floor(v_wall, s.width, s.origin);
        suffix_timestamp := @partman@._moment(v_wall, s.zone);
        partition_table := @partman@.check_name_length(s.table_name, to_char(v_wall, s.datetime_string), true);
    END IF;
    partition_schema := s.schema_name;
    table_exists := false;
END
$body$;
