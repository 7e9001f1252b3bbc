-- Move rows of a set by id into the partitions that they belong to, out of its default or of another table: so many batches.
CREATE OR REPLACE FUNCTION @partman@.partition_data_id(
    p_parent_table text, p_batch_count integer DEFAULT 1, p_batch_interval bigint DEFAULT NULL, p_lock_wait numeric DEFAULT 0,
    p_order text DEFAULT 'ASC', p_analyze boolean DEFAULT true, p_source_table text DEFAULT NULL,
    p_ignored_columns text[] DEFAULT NULL,
    p_override_system_value boolean DEFAULT false) RETURNS bigint
LANGUAGE plpgsql SET search_path TO pg_catalog, pg_temp AS $body$
DECLARE
    s record;
BEGIN
    PERFORM p_override_system_value; -- rows keep their identities in any case
    SELECT * INTO s FROM @partman@._set(p_parent_table);
    IF s.kind <> 'id' THEN
        RAISE EXCEPTION 'Cannot run on partition set without id based control column';
    END IF;
    RETURN @partman@._move(p_parent_table, p_batch_count, p_batch_interval::text, p_lock_wait, p_order, p_analyze, p_source_table,
                           p_ignored_columns, false);
END
$body$;
