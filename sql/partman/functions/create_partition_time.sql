-- Make the partitions of a set that hold the given times, where they are missing.
CREATE OR REPLACE FUNCTION @partman@.create_partition_time(
    p_parent_table text, p_partition_times timestamptz[], p_start_partition text DEFAULT NULL) RETURNS boolean
LANGUAGE plpgsql SET search_path TO pg_catalog, pg_temp AS $body$
DECLARE
    s record;
    v_before text := @partman@._wait();
    v_made integer;
    v_child record;
BEGIN
    SELECT * INTO s FROM @partman@._set(p_parent_table);
    IF s.key IS NULL THEN
        RAISE EXCEPTION 'ERROR: No entry in part_config found for given table: %', p_parent_table;
    ELSIF s.kind = 'id' THEN
        RAISE EXCEPTION 'Cannot run on partition set without time based control column or epoch flag set with an id column. Found control: id, epoch: none';
    END IF;
    v_made := @partman@._create(s.key, ARRAY(
        SELECT @partman@._floor(t AT TIME ZONE s.zone, s.width, s.origin) FROM unnest(p_partition_times) t), NULL);
    IF p_start_partition IS NOT NULL THEN
        FOR v_child IN SELECT c.schema_name, c.table_name FROM @partman@._children(s.key) c
            WHERE c.is_parent AND EXISTS (SELECT 1 FROM unnest(p_partition_times) t WHERE t >= c.start_time AND t < c.end_time)
        LOOP
            PERFORM @partman@._sub_from(v_child.schema_name || '.' || v_child.table_name, p_start_partition);
        END LOOP;
    END IF;
    PERFORM set_config('lock_timeout', v_before, true);
    RETURN v_made > 0;
END
$body$;
