-- Where a partition begins and ends. child_end_time is exclusive, child_end_id inclusive, as with pg_partman up to 5.4.
CREATE OR REPLACE FUNCTION @partman@.show_partition_info(
    p_child_table text, p_partition_interval text DEFAULT NULL, p_parent_table text DEFAULT NULL,
    OUT child_start_time timestamptz, OUT child_end_time timestamptz, OUT child_start_id bigint, OUT child_end_id bigint,
    OUT suffix text)
LANGUAGE plpgsql STABLE SET search_path TO pg_catalog, pg_temp AS $body$
DECLARE
    v_child oid := @partman@._oid(p_child_table);
    v_parent text := p_parent_table;
    s record;
    c record;
BEGIN
    IF v_child IS NULL THEN
        RAISE EXCEPTION 'Child table given does not exist (%)', p_child_table;
    END IF;
    IF v_parent IS NULL THEN
        SELECT format('%I.%I', n.nspname, p.relname) INTO v_parent
        FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhparent JOIN pg_namespace n ON n.oid = p.relnamespace
        WHERE i.inhrelid = v_child;
    END IF;
    SELECT * INTO s FROM @partman@._set(v_parent);
    IF s.key IS NULL THEN
        RAISE EXCEPTION 'Parent table of given child not managed by pg_partman: %', coalesce(v_parent, '<NULL>');
    END IF;
    SELECT x.* INTO c FROM @partman@._children(s.key) x WHERE x.child = v_child;
    IF c.child IS NULL THEN
        RAISE EXCEPTION 'Given child table is not a partition of %: %', v_parent, p_child_table;
    END IF;
    suffix := substring(c.table_name FROM '.*_p(.*)$');
    IF s.kind = 'id' THEN
        child_start_id := c.start_id;
        child_end_id := CASE WHEN p_partition_interval IS NULL THEN c.end_id - 1
                             ELSE c.start_id + p_partition_interval::numeric - 1 END;
    ELSE
        child_start_time := c.start_time;
        child_end_time := CASE WHEN p_partition_interval IS NULL THEN c.end_time
                               ELSE @partman@._moment(c.start_wall + p_partition_interval::interval, s.zone) END;
    END IF;
END
$body$;
