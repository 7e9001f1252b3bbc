-- Take partitions out of a set that end long enough before a time, or before the greatest id: drop them, keep them as
-- tables, or move them to another schema. Gives back how many. What the arguments leave open is as part_config says.
CREATE OR REPLACE FUNCTION @partman@._drop(
    p_parent_table text, p_retention text, p_keep_table boolean, p_keep_index boolean, p_retention_schema text,
    p_reference timestamptz) RETURNS integer
LANGUAGE plpgsql SET search_path TO pg_catalog, pg_temp SET "TimeZone" TO 'UTC' SET "DateStyle" TO 'ISO, YMD'
SET "IntervalStyle" TO 'postgres' SET row_security TO off AS $body$
DECLARE
    s record;
    v_config @schema@.part_config%ROWTYPE;
    v_child record;
    v_wall timestamp;
    v_at timestamptz;
    v_max numeric;
    v_id numeric;
    v_left bigint;
    v_keep boolean;
    v_schema text;
    v_grace interval;
    v_gone integer := 0;
BEGIN
    SELECT * INTO s FROM @partman@._set(p_parent_table);
    SELECT c.* INTO v_config FROM @schema@.part_config c WHERE c.parent_table = s.key;
    v_schema := coalesce(p_retention_schema, v_config.retention_schema);
    v_keep := coalesce(p_keep_table, v_config.retention_keep_table);
    v_grace := CASE WHEN v_schema IS NULL AND NOT v_keep AND p_keep_table IS NULL THEN v_config.retention_grace::interval
                    ELSE interval '0' END;
    IF v_schema IS NOT NULL AND NOT EXISTS (SELECT 1 FROM pg_namespace n WHERE n.nspname = v_schema) THEN
        RAISE EXCEPTION 'The retention schema of % does not exist: %', @partman@._shown(s.key), v_schema;
    END IF;
    IF EXISTS (SELECT 1 FROM @schema@.archive_policy a WHERE a.table_name = s.key) THEN
        RAISE WARNING 'Partitions of % go to its archive: they are left to schema_kit archive run', @partman@._shown(s.key);
        RETURN 0;
    END IF;
    IF s.kind = 'id' THEN
        FOR v_child IN SELECT c.schema_name, c.table_name FROM @partman@._children(s.key) WITH ORDINALITY AS c (child,
            schema_name, table_name, is_default, is_parent, start_wall, end_wall, start_time, end_time, start_id, end_id, place)
            WHERE NOT c.is_default ORDER BY c.place DESC
        LOOP
            EXECUTE format('SELECT max(%I)::numeric FROM %I.%I', s.control, v_child.schema_name, v_child.table_name) INTO v_max;
            EXIT WHEN v_max IS NOT NULL;
        END LOOP;
        v_id := v_max - p_retention::numeric;
    ELSE
        v_wall := (p_reference AT TIME ZONE s.zone) - p_retention::interval;
        v_at := @partman@._moment(v_wall, s.zone);
    END IF;
    SELECT count(*) INTO v_left FROM @partman@._children(s.key) c WHERE NOT c.is_default;
    FOR v_child IN
        SELECT * FROM @partman@._children(s.key) c
        WHERE NOT c.is_default
          AND CASE s.kind WHEN 'id' THEN c.end_id <= v_id WHEN 'wall' THEN c.end_wall < v_wall ELSE c.end_time < v_at END
    LOOP
        IF v_left = 1 AND NOT EXISTS (SELECT 1 FROM @schema@.part_config_sub b WHERE b.sub_parent = s.key) THEN
            RAISE WARNING 'Attempt to drop final partition in partition set % as part of retention policy. If you see this message multiple times for the same table, advise reviewing retention policy and/or data entry into the partition set. Also consider setting "infinite_time_partitions = true" if there are large gaps in data insertion.', @partman@._shown(s.key);
            EXIT;
        END IF;
        PERFORM @partman@._take_out(s.key, v_child.child, v_keep, coalesce(p_keep_index, v_config.retention_keep_index),
                                    v_schema, v_config.retention_keep_publication, v_grace);
        v_left := v_left - 1;
        v_gone := v_gone + 1;
    END LOOP;
    IF NOT v_keep AND p_keep_table IS NULL THEN
        PERFORM @partman@._drop_retired(s.key, v_config.retention_grace::interval);
    END IF;
    RETURN v_gone;
END
$body$;
