-- The interval of batches as part_config would keep it: an interval in any IntervalStyle, or a number of ids.
CREATE OR REPLACE FUNCTION @partman@._batch(p_parent_table text, p_interval text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path TO pg_catalog, pg_temp AS $body$
BEGIN
    IF NOT EXISTS (SELECT FROM @partman@._set(p_parent_table) s WHERE s.key IS NOT NULL) THEN
        RAISE EXCEPTION 'ERROR: No entry in part_config found for given table:  %', p_parent_table;
    END IF;
    RETURN (SELECT CASE WHEN s.kind = 'id' THEN p_interval::numeric::text ELSE @partman@._interval_text(p_interval::interval) END
            FROM @partman@._set(p_parent_table) s);
END
$body$;
