-- Whether part_config takes the value.
CREATE OR REPLACE FUNCTION @partman@.check_automatic_maintenance_value(p_automatic_maintenance text) RETURNS boolean
LANGUAGE sql IMMUTABLE SET search_path TO pg_catalog, pg_temp AS $body$
    SELECT p_automatic_maintenance IN ('on', 'off')
$body$;
