-- An interval that part_config keeps, whatever the session's IntervalStyle.
CREATE OR REPLACE FUNCTION @partman@._interval(p_text text) RETURNS interval
LANGUAGE plpgsql STABLE SET search_path TO pg_catalog, pg_temp SET "IntervalStyle" TO 'postgres' AS $body$
BEGIN
    RETURN p_text::interval;
END
$body$;
