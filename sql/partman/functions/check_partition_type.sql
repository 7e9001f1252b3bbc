-- Whether part_config takes the value.
CREATE OR REPLACE FUNCTION @partman@.check_partition_type(p_type text) RETURNS boolean
LANGUAGE sql IMMUTABLE SET search_path TO pg_catalog, pg_temp AS $body$
    SELECT p_type IN ('range', 'list')
$body$;
