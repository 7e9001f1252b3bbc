-- The beginning of the window that holds a time on the wall clock: windows of one width, one of which begins at the origin.
CREATE OR REPLACE FUNCTION @partman@._floor(p_wall timestamp, p_width interval, p_origin timestamp) RETURNS timestamp
LANGUAGE plpgsql IMMUTABLE SET search_path TO pg_catalog, pg_temp AS $body$
DECLARE
    v_number integer := floor(extract(epoch FROM p_wall - p_origin) / extract(epoch FROM p_width));
BEGIN
    WHILE p_origin + p_width * v_number > p_wall LOOP
        v_number := v_number - 1;
    END LOOP;
    WHILE p_origin + p_width * (v_number + 1) <= p_wall LOOP
        v_number := v_number + 1;
    END LOOP;
    RETURN p_origin + p_width * v_number;
END
$body$;
