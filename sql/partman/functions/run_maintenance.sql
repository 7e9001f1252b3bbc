-- Maintain one set, or each whose maintenance is on, in the transaction of the caller: where one of several fails, its
-- changes are undone, a warning says why, and the others go on.
CREATE OR REPLACE FUNCTION @partman@.run_maintenance(
    p_parent_table text DEFAULT NULL, p_analyze boolean DEFAULT false, p_jobmon boolean DEFAULT true) RETURNS void
LANGUAGE plpgsql SET search_path TO pg_catalog, pg_temp AS $body$
DECLARE
    v_before text := @partman@._wait();
    v_set text;
BEGIN
    PERFORM p_jobmon; -- there is no pg_jobmon to tell
    IF pg_is_in_recovery() THEN
        RETURN;
    END IF;
    IF p_parent_table IS NOT NULL THEN
        SELECT s.key INTO v_set FROM @partman@._set(p_parent_table) s;
        IF v_set IS NULL THEN
            RAISE EXCEPTION 'Given parent table not managed by pg_partman: %', p_parent_table;
        END IF;
        IF EXISTS (SELECT 1 FROM @schema@.part_config c WHERE c.parent_table = v_set AND NOT c.undo_in_progress) THEN
            PERFORM @partman@._maintain(v_set, p_analyze);
        END IF;
    ELSE
        FOR v_set IN SELECT d FROM @partman@._due() d LOOP
            BEGIN
                PERFORM @partman@._maintain(v_set, p_analyze);
            EXCEPTION WHEN OTHERS THEN
                RAISE WARNING 'Maintenance of % failed: % (%)', v_set, SQLERRM, SQLSTATE;
            END;
        END LOOP;
    END IF;
    PERFORM set_config('lock_timeout', v_before, true);
END
$body$;
