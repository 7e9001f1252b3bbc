-- Where a set begins: at a time on its wall clock, rounded as its interval has it, or around the present. Intervals that
-- divide a year or a day begin where calendar and clock have them. The origin is kept where it is another than usual.
CREATE OR REPLACE FUNCTION @partman@._begin(p_parent_table text, p_start timestamp) RETURNS timestamp
LANGUAGE plpgsql SET search_path TO pg_catalog, pg_temp SET "TimeZone" TO 'UTC' SET "DateStyle" TO 'ISO, YMD'
SET "IntervalStyle" TO 'postgres' AS $body$
DECLARE
    s record;
    v_trunc text;
    v_wall timestamp;
    v_usual timestamp;
    v_months integer;
    v_seconds numeric;
BEGIN
    SELECT * INTO s FROM @partman@._set(p_parent_table);
    SELECT p.date_trunc_interval INTO v_trunc FROM @schema@.part_config p WHERE p.parent_table = s.key;
    v_usual := @partman@._origin(s.width);
    v_wall := @partman@._base(s.width, coalesce(p_start, (now() AT TIME ZONE s.zone) - s.premake * s.width), v_trunc);
    IF p_start IS NULL AND v_trunc IS NULL THEN
        v_months := extract(year FROM s.width) * 12 + extract(month FROM s.width);
        v_seconds := extract(epoch FROM s.width);
        IF (v_months > 0 AND s.width = make_interval(months => v_months) AND mod(12, v_months) = 0)
           OR (v_months = 0 AND v_seconds < 86400 AND mod(86400, v_seconds) = 0 AND mod(3600, v_seconds) <> 0) THEN
            v_wall := @partman@._floor(v_wall, s.width, v_usual);
        END IF;
    END IF;
    UPDATE @schema@.part_config p SET origin = CASE WHEN @partman@._floor(v_wall, s.width, v_usual) = v_wall THEN NULL
        ELSE v_wall::text END
    WHERE p.parent_table = s.key;
    RETURN v_wall;
END
$body$;
