-- Give a partition a CHECK for each of the set's constraint_cols, from its least to its greatest value: the given one, or
-- the one that lies optimize_constraint + premake + 1 behind the last.
CREATE OR REPLACE FUNCTION @partman@.apply_constraints(
    p_parent_table text, p_child_table text DEFAULT NULL, p_analyze boolean DEFAULT false, p_job_id bigint DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql SET search_path TO pg_catalog, pg_temp SET "TimeZone" TO 'UTC' SET "DateStyle" TO 'ISO, YMD'
SET "IntervalStyle" TO 'postgres' SET row_security TO off AS $body$
DECLARE
    s record;
    v_config @schema@.part_config%ROWTYPE;
    v_before text := @partman@._wait();
    v_child oid;
    v_schema text;
    v_table text;
    v_column text;
    v_name text;
    v_least text;
    v_greatest text;
BEGIN
    PERFORM p_job_id; -- there is no pg_jobmon to tell
    SELECT * INTO s FROM @partman@._set(p_parent_table);
    SELECT c.* INTO v_config FROM @schema@.part_config c WHERE c.parent_table = s.key;
    IF s.key IS NULL THEN
        RAISE EXCEPTION 'Given parent table (%) not managed by pg_partman', p_parent_table;
    END IF;
    IF v_config.constraint_cols IS NULL THEN
        RAISE NOTICE 'Given parent table (%) not set up for constraint management (constraint_cols is NULL)', p_parent_table;
        PERFORM set_config('lock_timeout', v_before, true);
        RETURN;
    END IF;
    v_child := CASE WHEN p_child_table IS NULL THEN @partman@._old_child(s.key) ELSE @partman@._oid(p_child_table) END;
    IF p_child_table IS NOT NULL AND v_child IS NULL THEN
        RAISE EXCEPTION 'Child table given does not exist (%)', p_child_table;
    END IF;
    SELECT n.nspname, c.relname INTO v_schema, v_table FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.oid = v_child;
    IF v_table IS NOT NULL THEN
        FOREACH v_column IN ARRAY v_config.constraint_cols LOOP
            v_name := @partman@.check_name_length('partmanconstr_' || v_table, '_' || v_column);
            IF EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conrelid = v_child AND k.conname = v_name) THEN
                RAISE NOTICE 'Partman managed constraint already exists on this table (%) and column (%). Skipping creation.', v_schema || '.' || v_table, v_column;
                CONTINUE;
            END IF;
            EXECUTE format('SELECT (SELECT %1$I::text FROM %2$I.%3$I own WHERE %1$I IS NOT NULL ORDER BY own.%1$I LIMIT 1), '
                           '(SELECT %1$I::text FROM %2$I.%3$I own WHERE %1$I IS NOT NULL ORDER BY own.%1$I DESC LIMIT 1)',
                           v_column, v_schema, v_table) INTO v_least, v_greatest;
            IF v_least IS NULL THEN
                RAISE NOTICE 'Given column (%) contains all NULLs. No constraint created', v_column;
                CONTINUE;
            END IF;
            EXECUTE format('ALTER TABLE %1$I.%2$I ADD CONSTRAINT %3$I CHECK (%4$I >= %5$L AND %4$I <= %6$L)%7$s',
                           v_schema, v_table, v_name, v_column, v_least, v_greatest,
                           CASE WHEN v_config.constraint_valid THEN '' ELSE ' NOT VALID' END);
        END LOOP;
        IF p_analyze THEN
            EXECUTE format('ANALYZE %I.%I', v_schema, v_table);
        END IF;
    END IF;
    PERFORM set_config('lock_timeout', v_before, true);
END
$body$;
