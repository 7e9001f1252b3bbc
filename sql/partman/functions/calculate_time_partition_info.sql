-- Where the windows of an interval begin around a time, on the clock of the session, and the form of dates in their names.
CREATE OR REPLACE FUNCTION @partman@.calculate_time_partition_info(
    p_time_interval interval, p_start_time timestamptz, p_date_trunc_interval text DEFAULT NULL,
    OUT base_timestamp timestamptz, OUT datetime_string text)
LANGUAGE sql STABLE SET search_path TO pg_catalog, pg_temp AS $body$
    SELECT @partman@._base(p_time_interval, p_start_time::timestamp, p_date_trunc_interval)::timestamptz,
           @partman@._format(p_time_interval)
$body$;
