-- Give a partition what its set's template has: primary key, unique constraints, indexes, storage parameters, UNLOGGED.
CREATE OR REPLACE FUNCTION @partman@.inherit_template_properties(p_parent_table text, p_child_schema text, p_child_tablename text)
RETURNS boolean
LANGUAGE plpgsql SET search_path TO pg_catalog, pg_temp AS $body$
DECLARE
    s record;
    v_template oid;
    v_statement text;
    v_child text := format('%I.%I', p_child_schema, p_child_tablename);
    v_options text;
BEGIN
    SELECT * INTO s FROM @partman@._set(p_parent_table);
    SELECT @partman@._oid(c.template_table) INTO v_template FROM @schema@.part_config c WHERE c.parent_table = s.key;
    IF v_template IS NULL THEN
        RETURN false;
    END IF;
    FOR v_statement IN SELECT t FROM @partman@._template_sql(v_template, s.parent) t LOOP
        EXECUTE format(v_statement, v_child);
    END LOOP;
    SELECT array_to_string(c.reloptions, ', ') INTO v_options FROM pg_class c WHERE c.oid = v_template;
    IF v_options IS NOT NULL THEN
        EXECUTE format('ALTER TABLE %s SET (%s)', v_child, v_options);
    END IF;
    IF (SELECT c.relpersistence = 'u' FROM pg_class c WHERE c.oid = v_template) THEN
        EXECUTE format('ALTER TABLE %s SET UNLOGGED', v_child);
    END IF;
    RETURN true;
END
$body$;
