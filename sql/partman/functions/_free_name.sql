-- A name that no relation of a schema has: the given one, or it with a number.
CREATE OR REPLACE FUNCTION @partman@._free_name(p_schema text, p_name text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path TO pg_catalog, pg_temp AS $body$
DECLARE
    v_name text := p_name;
    v_number integer := 1;
BEGIN
    WHILE to_regclass(format('%I.%I', p_schema, v_name)) IS NOT NULL LOOP
        v_number := v_number + 1;
        v_name := @partman@.check_name_length(p_name, '_' || v_number);
    END LOOP;
    RETURN v_name;
END
$body$;
