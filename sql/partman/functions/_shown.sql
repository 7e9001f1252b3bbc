-- The name of a table as pg_partman writes it, without quotes; with them only where a part has a period.
CREATE OR REPLACE FUNCTION @partman@._shown(p_name text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path TO pg_catalog, pg_temp AS $body$
DECLARE
    v_parts text[];
BEGIN
    IF strpos(p_name, '"') = 0 THEN
        RETURN p_name;
    END IF;
    v_parts := @partman@._split(p_name);
    RETURN CASE WHEN v_parts IS NULL OR v_parts[1] || v_parts[2] ~ '\.' THEN p_name ELSE v_parts[1] || '.' || v_parts[2] END;
END
$body$;
