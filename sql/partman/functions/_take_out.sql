-- Take one partition out of its set. What was registered of it and of partitions below it is forgotten.
CREATE OR REPLACE FUNCTION @partman@._take_out(
    p_parent_table text, p_child oid, p_keep_table boolean, p_keep_index boolean, p_schema text, p_keep_publication boolean,
    p_grace interval) RETURNS void
LANGUAGE plpgsql SET search_path TO pg_catalog, pg_temp SET "TimeZone" TO 'UTC' SET "DateStyle" TO 'ISO, YMD' AS $body$
DECLARE
    v_parent text;
    v_child text;
    v_bounds text;
    v_below oid[];
    v_more record;
BEGIN
    SELECT format('%I.%I', n.nspname, c.relname), pg_get_expr(c.relpartbound, c.oid),
           (SELECT format('%I.%I', m.nspname, p.relname) FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhparent
            JOIN pg_namespace m ON m.oid = p.relnamespace WHERE i.inhrelid = c.oid),
           ARRAY(SELECT t.relid::oid FROM pg_partition_tree(c.oid) t)
    INTO v_child, v_bounds, v_parent, v_below
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = p_child;
    DELETE FROM @schema@.part_config c
    WHERE c.parent_table IN (SELECT @partman@._stored(format('%I.%I', n.nspname, b.relname))
                             FROM pg_class b JOIN pg_namespace n ON n.oid = b.relnamespace WHERE b.oid = ANY (v_below));
    IF p_grace > interval '0' THEN
        INSERT INTO @schema@.retired_partition (partition_name, partition_oid, parent_table, by_policy, bounds, record_oid)
        VALUES (@partman@._stored(v_child), p_child, p_parent_table, true, v_bounds,
                $name$@schema@.retired_partition$name$::regclass)
        ON CONFLICT (partition_name) DO UPDATE SET partition_oid = excluded.partition_oid, parent_table = excluded.parent_table,
            by_policy = true, bounds = excluded.bounds, retired_at = now(), record_oid = excluded.record_oid, by_ttl = false;
    END IF;
    EXECUTE format('ALTER TABLE %s DETACH PARTITION %s', v_parent, v_child);
    IF p_schema IS NULL AND NOT p_keep_table AND p_grace <= interval '0' THEN
        EXECUTE format('DROP TABLE %s', v_child);
        RETURN;
    END IF;
    IF NOT p_keep_index THEN
        FOR v_more IN
            SELECT format('%I.%I', n.nspname, t.relname) AS relation, format('%I.%I', n.nspname, i.relname) AS index, k.conname
            FROM pg_index x JOIN pg_class t ON t.oid = x.indrelid JOIN pg_namespace n ON n.oid = t.relnamespace
            JOIN pg_class i ON i.oid = x.indexrelid
            LEFT JOIN pg_constraint k ON k.conindid = x.indexrelid AND k.conrelid = x.indrelid AND k.contype IN ('p', 'u', 'x')
            WHERE x.indrelid = ANY (v_below) AND NOT i.relispartition
        LOOP
            IF v_more.conname IS NOT NULL THEN
                EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', v_more.relation, v_more.conname);
            ELSE
                EXECUTE format('DROP INDEX %s', v_more.index);
            END IF;
        END LOOP;
    END IF;
    IF NOT p_keep_publication THEN
        FOR v_more IN SELECT p.pubname FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid WHERE r.prrelid = p_child LOOP
            EXECUTE format('ALTER PUBLICATION %I DROP TABLE %s', v_more.pubname, v_child);
        END LOOP;
    END IF;
    IF p_schema IS NOT NULL THEN
        EXECUTE format('ALTER TABLE %s SET SCHEMA %I', v_child, p_schema);
    END IF;
END
$body$;
