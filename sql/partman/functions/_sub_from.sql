-- Make the sub-partitions of one partition from a start on, as far as they are missing: a time on its wall clock or an id.
CREATE OR REPLACE FUNCTION @partman@._sub_from(p_parent_table text, p_start text) RETURNS integer
LANGUAGE plpgsql SET search_path TO pg_catalog, pg_temp SET "TimeZone" TO 'UTC' SET "DateStyle" TO 'ISO, YMD' AS $body$
DECLARE
    s record;
BEGIN
    SELECT * INTO s FROM @partman@._set(p_parent_table);
    RETURN CASE WHEN s.kind = 'id' THEN @partman@._initial(s.key, NULL, p_start::numeric)
                ELSE @partman@._initial(s.key, @partman@._floor(p_start::timestamp, s.width, s.origin), NULL) END;
END
$body$;
