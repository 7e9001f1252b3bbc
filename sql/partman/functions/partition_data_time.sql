-- Move rows of a set by time into the partitions that they belong to, out of its default or of another table: so many batches.
CREATE OR REPLACE FUNCTION @partman@.partition_data_time(
    p_parent_table text, p_batch_count integer DEFAULT 1, p_batch_interval interval DEFAULT NULL, p_lock_wait numeric DEFAULT 0,
    p_order text DEFAULT 'ASC', p_analyze boolean DEFAULT true, p_source_table text DEFAULT NULL,
    p_ignored_columns text[] DEFAULT NULL,
    p_override_system_value boolean DEFAULT false, p_ignore_infinity boolean DEFAULT false) RETURNS bigint
LANGUAGE plpgsql SET search_path TO pg_catalog, pg_temp AS $body$
DECLARE
    s record;
BEGIN
    PERFORM p_override_system_value; -- rows keep their identities in any case
    SELECT * INTO s FROM @partman@._set(p_parent_table);
    IF s.kind = 'id' THEN
        RAISE EXCEPTION 'Cannot run on partition set without time based control column or epoch flag set with an id column. Found control: id, epoch: none';
    END IF;
    RETURN @partman@._move(p_parent_table, p_batch_count, @partman@._interval_text(p_batch_interval), p_lock_wait, p_order, p_analyze, p_source_table,
                           p_ignored_columns, p_ignore_infinity);
END
$body$;
