-- When the wall clock of a zone first shows a time, or a later one where the zone skips it.
CREATE OR REPLACE FUNCTION @partman@._moment(p_wall timestamp, p_zone text) RETURNS timestamptz
LANGUAGE plpgsql STABLE SET search_path TO pg_catalog, pg_temp AS $body$
DECLARE
    v_at timestamptz := p_wall AT TIME ZONE p_zone;
    v_low timestamptz;
    v_middle timestamptz;
    v_before interval;
    v_back interval;
BEGIN
    IF NOT isfinite(p_wall) THEN
        RETURN v_at;
    END IF;
    IF (v_at AT TIME ZONE p_zone) = p_wall THEN
        FOREACH v_back IN ARRAY '{2 hours,1 hour,30 minutes}'::interval[] LOOP -- the clock went back: the first time counts
            IF ((v_at - v_back) AT TIME ZONE p_zone) = p_wall THEN
                RETURN v_at - v_back;
            END IF;
        END LOOP;
        RETURN v_at;
    END IF;
    v_low := v_at - interval '1 day'; -- the clock was put forward between these two
    v_before := (v_low AT TIME ZONE p_zone) - (v_low AT TIME ZONE 'UTC');
    WHILE v_at - v_low > interval '1 second' LOOP
        v_middle := v_low + (v_at - v_low) / 2;
        IF (v_middle AT TIME ZONE p_zone) - (v_middle AT TIME ZONE 'UTC') = v_before THEN
            v_low := v_middle;
        ELSE
            v_at := v_middle;
        END IF;
    END LOOP;
    RETURN date_trunc('second', v_at);
END
$body$;
