-- Where the windows of a set begin that is started at a time on the wall clock, as pg_partman rounds it.
CREATE OR REPLACE FUNCTION @partman@._base(p_width interval, p_wall timestamp, p_date_trunc_interval text) RETURNS timestamp
LANGUAGE sql IMMUTABLE SET search_path TO pg_catalog, pg_temp AS $body$
    SELECT date_trunc(coalesce(p_date_trunc_interval, CASE
        WHEN p_width >= interval '1000 years' THEN 'millennium'
        WHEN p_width >= interval '100 years' THEN 'century'
        WHEN p_width >= interval '10 years' THEN 'decade'
        WHEN p_width >= interval '1 year' THEN 'year'
        WHEN p_width >= interval '1 month' THEN 'month'
        WHEN p_width >= interval '1 day' THEN 'day'
        WHEN p_width >= interval '1 minute' THEN 'hour'
        ELSE 'minute' END), p_wall)
$body$;
