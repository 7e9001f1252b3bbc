-- The partition that additional constraints are due for: optimize_constraint + premake + 1 behind the last, and so many
-- more; NULL: none.
CREATE OR REPLACE FUNCTION @partman@._old_child(p_parent_table text, p_more integer DEFAULT 0) RETURNS oid
LANGUAGE plpgsql STABLE SET search_path TO pg_catalog, pg_temp AS $body$
DECLARE
    s record;
    v_behind integer;
    v_last record;
BEGIN
    SELECT * INTO s FROM @partman@._set(p_parent_table);
    SELECT c.optimize_constraint + c.premake + 1 + p_more INTO v_behind FROM @schema@.part_config c WHERE c.parent_table = s.key;
    SELECT max(c.start_wall) AS wall, max(c.start_id) AS id INTO v_last
    FROM @partman@._children(s.key) c WHERE NOT c.is_default;
    RETURN (SELECT c.child FROM @partman@._children(s.key) c
            WHERE NOT c.is_default
              AND CASE s.kind WHEN 'id' THEN v_last.id - v_behind * s.ids >= c.start_id AND v_last.id - v_behind * s.ids < c.end_id
                  ELSE v_last.wall - v_behind * s.width >= c.start_wall AND v_last.wall - v_behind * s.width < c.end_wall END);
END
$body$;
