-- The partitions of a set in the order of what they hold; the default, if asked for, before them.
CREATE OR REPLACE FUNCTION @partman@.show_partitions(
    p_parent_table text, p_order text DEFAULT 'ASC', p_include_default boolean DEFAULT false)
RETURNS TABLE (partition_schemaname text, partition_tablename text)
LANGUAGE plpgsql STABLE SET search_path TO pg_catalog, pg_temp AS $body$
BEGIN
    IF upper(p_order) NOT IN ('ASC', 'DESC') THEN
        RAISE EXCEPTION 'p_order parameter must be one of the following values: ASC, DESC';
    END IF;
    IF NOT EXISTS (SELECT 1 FROM @partman@._set(p_parent_table) s WHERE s.key IS NOT NULL) THEN
        RAISE EXCEPTION 'Given parent table not managed by pg_partman: %', p_parent_table;
    END IF;
    RETURN QUERY
        SELECT c.schema_name, c.table_name
        FROM @partman@._children(p_parent_table) WITH ORDINALITY AS c (child, schema_name, table_name, is_default, is_parent,
            start_wall, end_wall, start_time, end_time, start_id, end_id, place)
        WHERE p_include_default OR NOT c.is_default
        ORDER BY c.is_default DESC, CASE upper(p_order) WHEN 'ASC' THEN c.place ELSE -c.place END;
END
$body$;
