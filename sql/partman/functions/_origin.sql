-- Where some window begins if the policy does not say: January of year 0 for months, Monday 2000-01-03 for the others.
CREATE OR REPLACE FUNCTION @partman@._origin(p_width interval) RETURNS timestamp
LANGUAGE sql IMMUTABLE SET search_path TO pg_catalog, pg_temp AS $body$
    SELECT CASE WHEN extract(year FROM p_width) <> 0 OR extract(month FROM p_width) <> 0
                THEN timestamp '0001-01-01 BC' ELSE timestamp '2000-01-03' END
$body$;
