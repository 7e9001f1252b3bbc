-- The partitions of a set with what they hold, the first one first, the default before them. Of a LIST partition, from
-- its least value to the one after its greatest. Walls are what the clock of the set's zone shows.
CREATE OR REPLACE FUNCTION @partman@._children(p_parent_table text)
RETURNS TABLE (child oid, schema_name text, table_name text, is_default boolean, is_parent boolean,
               start_wall timestamp, end_wall timestamp, start_time timestamptz, end_time timestamptz,
               start_id numeric, end_id numeric)
LANGUAGE plpgsql STABLE SET search_path TO pg_catalog, pg_temp SET "TimeZone" TO 'UTC' SET "DateStyle" TO 'ISO, YMD'
SET "IntervalStyle" TO 'postgres' AS $body$
DECLARE
    s record;
    v_columns text;
BEGIN
    SELECT * INTO s FROM @partman@._set(p_parent_table);
    v_columns := CASE s.kind
        WHEN 'id' THEN 'NULL::timestamp, NULL::timestamp, NULL::timestamptz, NULL::timestamptz, x.low::numeric, x.high::numeric'
        WHEN 'wall' THEN format('x.low::timestamp, x.high::timestamp, %s, %s, NULL::numeric, NULL::numeric',
                                format(s.to_time, 'x.low'), format(s.to_time, 'x.high'))
        ELSE format('%1$s AT TIME ZONE %3$L, %2$s AT TIME ZONE %3$L, %1$s, %2$s, NULL::numeric, NULL::numeric',
                    format(s.to_time, 'x.low'), format(s.to_time, 'x.high'), s.zone)
        END;
    FOR child, schema_name, table_name, is_default, is_parent, start_wall, end_wall, start_time, end_time, start_id, end_id IN
        EXECUTE format($sql$
        SELECT c.oid, n.nspname::text, c.relname::text, x.bound = 'DEFAULT', c.relkind = 'p', %1$s
        FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        CROSS JOIN LATERAL (SELECT pg_get_expr(c.relpartbound, c.oid) AS bound) b
        CROSS JOIN LATERAL (
            SELECT regexp_match(b.bound, '^FOR VALUES FROM \((.*)\) TO \((.*)\)$') AS ends) e
        CROSS JOIN LATERAL (
            SELECT b.bound,
                   CASE WHEN b.bound LIKE 'FOR VALUES IN %%' THEN
                       (SELECT min(%4$s._bound(v[1])::numeric)::text FROM regexp_matches(b.bound, '(''[^'']*''|-?[0-9.]+)', 'g') v)
                   ELSE %4$s._bound(e.ends[1]) END AS low,
                   CASE WHEN b.bound LIKE 'FOR VALUES IN %%' THEN
                       (SELECT (max(%4$s._bound(v[1])::numeric) + 1)::text FROM regexp_matches(b.bound, '(''[^'']*''|-?[0-9.]+)', 'g') v)
                   ELSE %4$s._bound(e.ends[2]) END AS high) x
        WHERE i.inhparent = %2$s AND NOT i.inhdetachpending
        ORDER BY x.bound = 'DEFAULT' DESC, %3$s NULLS FIRST
        $sql$, v_columns, coalesce(s.parent, 0), CASE s.kind
            WHEN 'id' THEN 'x.low::numeric' WHEN 'wall' THEN 'x.low::timestamp' ELSE format(s.to_time, 'x.low') END,
        $name$@partman@$name$)
    LOOP
        RETURN NEXT;
    END LOOP;
END
$body$;
