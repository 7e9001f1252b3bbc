-- The template of a new set: the one that was given, or a new one; NULL where none is to be.
CREATE OR REPLACE FUNCTION @partman@._template(p_parent_table text, p_template_table text) RETURNS text
LANGUAGE plpgsql SET search_path TO pg_catalog, pg_temp AS $body$
DECLARE
    v_parts text[] := @partman@._split(p_parent_table);
    v_schema text := (parse_ident($name$@partman@$name$))[1];
    v_name text;
BEGIN
    IF p_template_table IN ('false', 'f') THEN
        RETURN NULL;
    ELSIF p_template_table IS NOT NULL THEN
        IF @partman@._oid(p_template_table) IS NULL THEN
            RAISE EXCEPTION 'Unable to find given template table in system catalogs (%). Please create template table first or leave parameter NULL to have a default one created for you.', p_template_table;
        END IF;
        RETURN @partman@._stored(p_template_table);
    END IF;
    v_name := @partman@.check_name_length('template_' || v_parts[1] || '_' || v_parts[2]);
    IF EXISTS (SELECT 1 FROM @schema@.part_config c WHERE c.template_table = @partman@._stored(format('%I.%I', v_schema, v_name))
               AND c.parent_table <> @partman@._stored(p_parent_table)) THEN -- another long name that begins like this one
        v_name := @partman@.check_name_length('template_' || v_parts[1] || '_' || v_parts[2],
                                              '_' || left(md5(v_parts[1] || '.' || v_parts[2]), 6));
    END IF;
    EXECUTE format('CREATE TABLE IF NOT EXISTS %I.%I (LIKE %I.%I)', v_schema, v_name, v_parts[1], v_parts[2]);
    RETURN @partman@._stored(format('%I.%I', v_schema, v_name));
END
$body$;
