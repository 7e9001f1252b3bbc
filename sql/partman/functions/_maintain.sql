-- Maintain one set: partitions ahead, partitions past their retention, additional constraints.
CREATE OR REPLACE FUNCTION @partman@._maintain(p_parent_table text, p_analyze boolean) RETURNS void
LANGUAGE plpgsql SET search_path TO pg_catalog, pg_temp AS $body$
DECLARE
    s record;
    v_config @schema@.part_config%ROWTYPE;
    v_child record;
    v_made integer := 0;
BEGIN
    SELECT * INTO s FROM @partman@._set(p_parent_table);
    SELECT c.* INTO v_config FROM @schema@.part_config c WHERE c.parent_table = s.key;
    IF s.key IS NULL THEN
        RETURN; -- it went with the partition that it was, a moment ago
    ELSIF s.parent IS NULL THEN
        RAISE EXCEPTION 'The table of a set is gone: %', @partman@._shown(p_parent_table)
            USING HINT = 'DELETE its row from part_config.';
    END IF;
    -- Only one that maintains it at a time, from SQL or from schema_kit's command; the other one does all there is to do.
    IF NOT pg_try_advisory_xact_lock(hashtextextended('schema_kit: create next partitions ' || s.key, 0)) THEN
        RAISE NOTICE 'Another run maintains %: it is left to that one', @partman@._shown(s.key);
        RETURN;
    END IF;
    FOR v_child IN
        SELECT n.nspname || '.' || c.relname AS name, c.oid
        FROM @schema@.part_config_sub b JOIN pg_inherits i ON i.inhparent = s.parent JOIN pg_class c ON c.oid = i.inhrelid
        JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE b.sub_parent = s.key AND c.relkind = 'p' AND pg_get_expr(c.relpartbound, c.oid) <> 'DEFAULT'
          AND NOT EXISTS (SELECT 1 FROM @schema@.part_config p
                          WHERE p.parent_table = @partman@._stored(format('%I.%I', n.nspname, c.relname)))
    LOOP -- others have made it
        PERFORM @partman@._register_sub(s.key, v_child.oid);
    END LOOP;
    IF NOT v_config.sub_partition_set_full THEN
        v_made := @partman@._advance(s.key);
    END IF;
    IF v_config.constraint_cols IS NOT NULL THEN
        FOR v_more IN REVERSE v_made - 1 .. 0 LOOP -- each partition that was made moves the one that is due
            SELECT n.nspname || '.' || c.relname AS name INTO v_child FROM pg_class c
            JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = @partman@._old_child(s.key, v_more);
            IF v_child.name IS NOT NULL THEN
                PERFORM @partman@.apply_constraints(s.key, v_child.name);
            END IF;
        END LOOP;
    END IF;
    IF v_config.retention IS NOT NULL THEN
        PERFORM @partman@._drop(s.key, v_config.retention, NULL, NULL, NULL, now());
    END IF;
    IF p_analyze AND v_made > 0 THEN
        EXECUTE format('ANALYZE %I.%I', s.schema_name, s.table_name);
    END IF;
    UPDATE @schema@.part_config c SET maintenance_last_run = now() WHERE c.parent_table = s.key;
END
$body$;
