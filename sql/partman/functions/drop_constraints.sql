-- Drop the CHECKs that apply_constraints gave a partition.
CREATE OR REPLACE FUNCTION @partman@.drop_constraints(p_parent_table text, p_child_table text, p_debug boolean DEFAULT false)
RETURNS void
LANGUAGE plpgsql SET search_path TO pg_catalog, pg_temp AS $body$
DECLARE
    v_before text := @partman@._wait();
    v_child oid := @partman@._oid(p_child_table);
    v_constraint record;
BEGIN
    IF NOT EXISTS (SELECT 1 FROM @schema@.part_config c WHERE c.constraint_cols IS NOT NULL
                   AND c.parent_table = (SELECT s.key FROM @partman@._set(p_parent_table) s)) THEN
        RAISE EXCEPTION 'Given parent table (%) not set up for constraint management (constraint_cols is NULL)', p_parent_table;
    ELSIF v_child IS NULL THEN
        RAISE EXCEPTION 'Child table given does not exist (%)', p_child_table;
    END IF;
    FOR v_constraint IN
        SELECT format('ALTER TABLE %I.%I DROP CONSTRAINT %I', n.nspname, t.relname, k.conname) AS statement
        FROM pg_constraint k JOIN pg_class t ON t.oid = k.conrelid JOIN pg_namespace n ON n.oid = t.relnamespace
        WHERE k.conrelid = v_child AND k.contype = 'c' AND k.conname LIKE 'partmanconstr\_%'
    LOOP
        IF p_debug THEN
            RAISE NOTICE '%', v_constraint.statement;
        END IF;
        EXECUTE v_constraint.statement;
    END LOOP;
    PERFORM set_config('lock_timeout', v_before, true);
END
$body$;
