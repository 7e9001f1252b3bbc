-- Take the partitions of a set by id that end so many ids before the greatest one out of it; gives back how many.
CREATE OR REPLACE FUNCTION @partman@.drop_partition_id(
    p_parent_table text, p_retention bigint DEFAULT NULL, p_keep_table boolean DEFAULT NULL, p_keep_index boolean DEFAULT NULL,
    p_retention_schema text DEFAULT NULL) RETURNS integer
LANGUAGE plpgsql SET search_path TO pg_catalog, pg_temp AS $body$
DECLARE
    s record;
    v_before text := @partman@._wait();
    v_retention text;
    v_gone integer;
BEGIN
    SELECT * INTO s FROM @partman@._set(p_parent_table);
    SELECT coalesce(p_retention::text, c.retention) INTO v_retention FROM @schema@.part_config c WHERE c.parent_table = s.key;
    IF v_retention IS NULL THEN
        RAISE EXCEPTION 'Configuration for given parent table with a retention period not found: %', p_parent_table;
    ELSIF s.kind <> 'id' THEN
        RAISE EXCEPTION 'Cannot run on partition set without id based control column. Found a control column of time';
    END IF;
    v_gone := @partman@._drop(s.key, v_retention, p_keep_table, p_keep_index, p_retention_schema, now());
    PERFORM set_config('lock_timeout', v_before, true);
    RETURN v_gone;
END
$body$;
