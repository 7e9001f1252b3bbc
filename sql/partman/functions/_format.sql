-- The form of the dates in names of partitions.
CREATE OR REPLACE FUNCTION @partman@._format(p_width interval) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path TO pg_catalog, pg_temp AS $body$
    SELECT CASE WHEN p_width >= interval '1 day' THEN 'YYYYMMDD' ELSE 'YYYYMMDD_HH24MISS' END
$body$;
