-- Make the partitions of a set that hold the given ids, where they are missing.
CREATE OR REPLACE FUNCTION @partman@.create_partition_id(
    p_parent_table text, p_partition_ids bigint[], p_start_partition text DEFAULT NULL) RETURNS boolean
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
    ELSIF s.kind <> 'id' THEN
        RAISE EXCEPTION 'Cannot run on partition set without id based control column. Found control: %', s.exact_type;
    END IF;
    v_made := @partman@._create(s.key, NULL, ARRAY(
        SELECT i - mod(mod(i - s.origin_id, s.ids) + s.ids, s.ids) FROM unnest(p_partition_ids) i));
    IF p_start_partition IS NOT NULL THEN
        FOR v_child IN SELECT c.schema_name, c.table_name FROM @partman@._children(s.key) c
            WHERE c.is_parent AND EXISTS (SELECT 1 FROM unnest(p_partition_ids) i WHERE i >= c.start_id AND i < c.end_id)
        LOOP
            PERFORM @partman@._sub_from(v_child.schema_name || '.' || v_child.table_name, p_start_partition);
        END LOOP;
    END IF;
    PERFORM set_config('lock_timeout', v_before, true);
    RETURN v_made > 0;
END
$body$;
