-- Take the partitions of a set by time that ended so long ago out of it; gives back how many.
CREATE OR REPLACE FUNCTION @partman@.drop_partition_time(
    p_parent_table text, p_retention interval DEFAULT NULL, p_keep_table boolean DEFAULT NULL, p_keep_index boolean DEFAULT NULL,
    p_retention_schema text DEFAULT NULL,
    p_reference_timestamp timestamptz DEFAULT CURRENT_TIMESTAMP) RETURNS integer
LANGUAGE plpgsql SET search_path TO pg_catalog, pg_temp AS $body$
DECLARE
    s record;
    v_before text := @partman@._wait();
    v_retention text;
    v_gone integer;
BEGIN
    SELECT * INTO s FROM @partman@._set(p_parent_table);
    SELECT coalesce(@partman@._interval_text(p_retention), c.retention) INTO v_retention FROM @schema@.part_config c WHERE c.parent_table = s.key;
    IF v_retention IS NULL THEN
        RAISE EXCEPTION 'Configuration for given parent table with a retention period not found: %', p_parent_table;
    ELSIF s.kind = 'id' THEN
        RAISE EXCEPTION 'Cannot run on partition set without time based control column. Found control: id, epoch: none';
    END IF;
    v_gone := @partman@._drop(s.key, v_retention, p_keep_table, p_keep_index, p_retention_schema, p_reference_timestamp);
    PERFORM set_config('lock_timeout', v_before, true);
    RETURN v_gone;
END
$body$;
