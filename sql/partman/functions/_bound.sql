-- A bound in pg_get_expr's words as a value: without quotes, NULL for MINVALUE and MAXVALUE.
CREATE OR REPLACE FUNCTION @partman@._bound(p_text text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path TO pg_catalog, pg_temp AS $body$
    SELECT CASE WHEN p_text IN ('MINVALUE', 'MAXVALUE', 'NULL') THEN NULL
                WHEN p_text LIKE '''%' THEN replace(substr(p_text, 2, length(p_text) - 2), '''''', '''')
                ELSE p_text END
$body$;
