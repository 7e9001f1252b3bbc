-- The name of a table as part_config keeps it: schema.table, each part in quotes where it is more than a word.
CREATE OR REPLACE FUNCTION @partman@._stored(p_name text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path TO pg_catalog, pg_temp AS $body$
DECLARE
    v_parts text[];
BEGIN
    IF p_name ~ '^[A-Za-z_][A-Za-z0-9_]*\.[A-Za-z_][A-Za-z0-9_]*$' THEN
        RETURN p_name;
    END IF;
    v_parts := @partman@._split(p_name);
    IF v_parts IS NULL THEN
        RETURN p_name;
    END IF;
    RETURN (
        SELECT string_agg(
            CASE WHEN part ~ '^[^\u0001-\u0040\u005b-\u005e\u0060\u007b-\u007f][^\u0001-\u002f\u003a-\u0040\u005b-\u005e\u0060\u007b-\u007f]*$'
                 THEN part ELSE '"' || replace(part, '"', '""') || '"' END, '.' ORDER BY place)
        FROM unnest(v_parts) WITH ORDINALITY AS p (part, place));
END
$body$;
