-- An object's name with its suffix, cut in the name so that both keep within 63 bytes and the suffix stays whole.
CREATE OR REPLACE FUNCTION @partman@.check_name_length(
    p_object_name text, p_suffix text DEFAULT NULL, p_table_partition boolean DEFAULT false) RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path TO pg_catalog, pg_temp AS $body$
DECLARE
    v_suffix text := CASE WHEN p_table_partition THEN '_p' ELSE '' END || coalesce(p_suffix, '');
    v_name text := p_object_name;
BEGIN
    IF p_table_partition AND (p_suffix IS NULL OR p_suffix = '') THEN
        RAISE EXCEPTION 'Table partition name requires a suffix value';
    END IF;
    IF octet_length(p_suffix) >= 61 THEN
        RAISE EXCEPTION 'The suffix % leaves no room for a name of at most 63 bytes', p_suffix;
    END IF;
    WHILE octet_length(v_name || v_suffix) > 63 LOOP
        v_name := left(v_name, -1);
    END LOOP;
    RETURN v_name || v_suffix;
END
$body$;
