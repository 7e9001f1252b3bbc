-- An interval as part_config keeps it, whatever the session's IntervalStyle.
CREATE OR REPLACE FUNCTION @partman@._interval_text(p_interval interval) RETURNS text
LANGUAGE plpgsql STABLE SET search_path TO pg_catalog, pg_temp SET "IntervalStyle" TO 'postgres' AS $body$
BEGIN
    RETURN p_interval::text;
END
$body$;
