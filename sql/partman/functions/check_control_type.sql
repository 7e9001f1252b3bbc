-- What a control column holds: time, id, text or uuid; and the name of its type.
CREATE OR REPLACE FUNCTION @partman@.check_control_type(p_parent_schema text, p_parent_tablename text, p_control text)
RETURNS TABLE (general_type text, exact_type text)
LANGUAGE sql STABLE SET search_path TO pg_catalog, pg_temp AS $body$
    SELECT CASE WHEN t.typname IN ('timestamptz', 'timestamp', 'date') THEN 'time'
                WHEN t.typname IN ('int2', 'int4', 'int8', 'numeric') THEN 'id'
                WHEN t.typname IN ('text', 'varchar', 'bpchar') THEN 'text'
                WHEN t.typname = 'uuid' THEN 'uuid' END,
           t.typname::text
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_type t ON t.oid = a.atttypid
    WHERE n.nspname = p_parent_schema AND c.relname = p_parent_tablename AND a.attname = p_control
      AND a.attnum > 0 AND NOT a.attisdropped
$body$;
