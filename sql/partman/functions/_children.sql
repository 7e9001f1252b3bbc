-- The partitions of a set with what they hold, the first one first, the default before them. Of a LIST partition, from
-- its least value to the one after its greatest. *_wall is local time in the set's zone.
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
        WHEN 'id' THEN 'NULL::timestamp, NULL::timestamp, NULL::timestamptz, NULL::timestamptz, low::numeric, high::numeric'
        WHEN 'wall' THEN format('low::timestamp, high::timestamp, %s, %s, NULL::numeric, NULL::numeric',
                                format(s.to_time, 'low'), format(s.to_time, 'high'))
        ELSE format('low AT TIME ZONE %1$L, high AT TIME ZONE %1$L, low, high, NULL::numeric, NULL::numeric', s.zone)
        END;
    -- Each WITH is computed once: written as subqueries, bounds would be printed and read again for each column.
    FOR child, schema_name, table_name, is_default, is_parent, start_wall, end_wall, start_time, end_time, start_id, end_id IN
        EXECUTE format($sql$
        WITH parts AS MATERIALIZED (
            SELECT c.oid, n.nspname::text AS nspname, c.relname::text AS relname, c.relkind = 'p' AS parent,
                   pg_get_expr(c.relpartbound, c.oid) AS bound
            FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE i.inhparent = %2$s AND NOT i.inhdetachpending
        ), ranges AS MATERIALIZED (
            SELECT p.*, regexp_match(p.bound, '^FOR VALUES FROM \((.*)\) TO \((.*)\)$') AS ends,
                   CASE WHEN p.bound LIKE 'FOR VALUES IN %%' THEN ARRAY(
                       SELECT replace(v[1], '''', '')::numeric FROM regexp_matches(p.bound, '(''[^'']*''|-?[0-9.]+)', 'g') v)
                   END AS listed
            FROM parts p
        ), texts AS MATERIALIZED (
            SELECT r.*, coalesce((SELECT min(v)::text FROM unnest(r.listed) v),
                       CASE WHEN r.ends[1] LIKE '''%%' THEN replace(substr(r.ends[1], 2, length(r.ends[1]) - 2), '''''', '''')
                            WHEN r.ends[1] <> 'MINVALUE' THEN r.ends[1] END) AS low_text,
                   coalesce((SELECT (max(v) + 1)::text FROM unnest(r.listed) v),
                       CASE WHEN r.ends[2] LIKE '''%%' THEN replace(substr(r.ends[2], 2, length(r.ends[2]) - 2), '''''', '''')
                            WHEN r.ends[2] <> 'MAXVALUE' THEN r.ends[2] END) AS high_text
            FROM ranges r
        ), x AS MATERIALIZED (SELECT t.*, %3$s AS low, %4$s AS high FROM texts t)
        SELECT oid, nspname, relname, bound = 'DEFAULT', parent, %1$s FROM x ORDER BY bound = 'DEFAULT' DESC, low NULLS FIRST
        $sql$, v_columns, coalesce(s.parent, 0),
        CASE s.kind WHEN 'id' THEN 'low_text::numeric' WHEN 'wall' THEN 'low_text::timestamp' ELSE format(s.to_time, 'low_text') END,
        CASE s.kind WHEN 'id' THEN 'high_text::numeric' WHEN 'wall' THEN 'high_text::timestamp' ELSE format(s.to_time, 'high_text') END)
    LOOP
        RETURN NEXT;
    END LOOP;
END
$body$;
