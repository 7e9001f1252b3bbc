-- Maintain each set whose maintenance is on, each in a transaction of its own. Where some fail, the others are
-- maintained, and an error at the end names them.
CREATE OR REPLACE PROCEDURE @partman@.run_maintenance_proc(
    p_wait integer DEFAULT 0, p_analyze boolean DEFAULT NULL, p_jobmon boolean DEFAULT true)
LANGUAGE plpgsql AS $body$
DECLARE
    v_set text;
    v_sets text[];
    v_failed text[];
BEGIN
    -- Until the next COMMIT: a procedure that commits has no SET of its own.
    PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
    IF pg_is_in_recovery() THEN
        RETURN;
    END IF;
    v_sets := ARRAY(SELECT d FROM @partman@._due() d);
    FOREACH v_set IN ARRAY v_sets LOOP
        PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
        BEGIN
            IF EXISTS (SELECT 1 FROM @partman@._due() d WHERE d = v_set) THEN
                PERFORM @partman@.run_maintenance(v_set, coalesce(p_analyze, false), p_jobmon);
            END IF;
        EXCEPTION WHEN OTHERS THEN
            v_failed := v_failed || v_set;
            RAISE WARNING 'Maintenance of % failed: % (%)', v_set, SQLERRM, SQLSTATE;
        END;
        COMMIT;
        PERFORM pg_catalog.pg_sleep(p_wait);
    END LOOP;
    IF v_failed IS NOT NULL THEN
        RAISE EXCEPTION 'Maintenance failed for %; the other sets are maintained', pg_catalog.array_to_string(v_failed, ', ');
    END IF;
END
$body$;
