-- The interval of batches as part_config would keep it: an interval in any IntervalStyle, or a number of ids.
CREATE OR REPLACE FUNCTION @partman@._batch(p_parent_table text, p_interval text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path TO pg_catalog, pg_temp AS $body$
DECLARE
    s record;
BEGIN
    SELECT * INTO s FROM @partman@._set(p_parent_table);
    IF s.key IS NULL THEN
        RAISE EXCEPTION 'ERROR: No entry in part_config found for given table:  %', p_parent_table;
    ELSIF s.kind = 'id' THEN
        RETURN p_interval::numeric::text;
    END IF;
    RETURN @partman@._interval_text(p_interval::interval);
END
$body$;
