-- The bounds of a set that is itself a partition by the same column: NULL where there is no end. *_wall is local time
-- in its own zone.
CREATE OR REPLACE FUNCTION @partman@._limits(
    p_parent_table text, OUT low_wall timestamp, OUT high_wall timestamp, OUT low_id numeric, OUT high_id numeric)
LANGUAGE plpgsql STABLE SET search_path TO pg_catalog, pg_temp AS $body$
DECLARE
    s record;
    v_above text;
    v_column text;
BEGIN
    SELECT * INTO s FROM @partman@._set(p_parent_table);
    SELECT n.nspname || '.' || c.relname, a.attname INTO v_above, v_column
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhparent JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_partitioned_table p ON p.partrelid = c.oid
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = p.partattrs[0]
    WHERE i.inhrelid = s.parent;
    IF v_above IS NULL OR v_column <> s.control THEN
        IF v_above IS NOT NULL THEN -- the one above may be limited by this column
            SELECT l.* INTO low_wall, high_wall, low_id, high_id FROM @partman@._limits(v_above) l
            WHERE (SELECT u.control FROM @partman@._set(v_above) u) = s.control;
        END IF;
        RETURN;
    END IF;
    SELECT c.start_wall, c.end_wall, c.start_id, c.end_id INTO low_wall, high_wall, low_id, high_id
    FROM @partman@._children(v_above) c WHERE c.child = s.parent AND NOT c.is_default;
END
$body$;
