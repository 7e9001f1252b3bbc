-- Wait for locks no longer than 10 s where the session would wait for ever. Gives back what was set before, to be set
-- again when the work is done.
CREATE OR REPLACE FUNCTION @partman@._wait() RETURNS text
LANGUAGE plpgsql SET search_path TO pg_catalog, pg_temp AS $body$
DECLARE
    v_before text := current_setting('lock_timeout');
BEGIN
    IF v_before = '0' THEN
        PERFORM set_config('lock_timeout', '10s', true);
    END IF;
    RETURN v_before;
END
$body$;
