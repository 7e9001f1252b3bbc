-- Drop the additional constraints of all partitions, or give them to all that are old enough: a partition, a commit.
CREATE OR REPLACE PROCEDURE @partman@.reapply_constraints_proc(
    p_parent_table text, p_drop_constraints boolean DEFAULT false, p_apply_constraints boolean DEFAULT false,
    p_analyze boolean DEFAULT true, p_wait integer DEFAULT 0, p_dryrun boolean DEFAULT false)
LANGUAGE plpgsql AS $body$
DECLARE
    v_child text;
    v_children text[];
    v_old text[];
BEGIN
    PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
    IF NOT p_drop_constraints AND NOT p_apply_constraints THEN
        RAISE EXCEPTION 'Must specify at least one of p_drop_constraints or p_apply_constraints to be true';
    END IF;
    v_children := ARRAY(SELECT c.schema_name || '.' || c.table_name FROM @partman@._children(p_parent_table) c WHERE NOT c.is_default);
    v_old := v_children[1:coalesce(array_position(v_children, (
        SELECT c.schema_name || '.' || c.table_name FROM @partman@._children(p_parent_table) c
        WHERE c.child = @partman@._old_child(p_parent_table))), 0)];
    FOREACH v_child IN ARRAY v_children LOOP
        PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
        IF p_drop_constraints THEN
            IF p_dryrun THEN
                RAISE NOTICE 'DRYRUN NOTICE: Dropping constraints on child table: %', v_child;
            ELSE
                PERFORM @partman@.drop_constraints(p_parent_table, v_child);
            END IF;
        END IF;
        IF p_apply_constraints AND v_child = ANY (v_old) THEN
            IF p_dryrun THEN
                RAISE NOTICE 'DRYRUN NOTICE: Applying constraints on child table: %', v_child;
            ELSE
                PERFORM @partman@.apply_constraints(p_parent_table, v_child, p_analyze);
            END IF;
        END IF;
        COMMIT;
        PERFORM pg_catalog.pg_sleep(p_wait);
    END LOOP;
END
$body$;
