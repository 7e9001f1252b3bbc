-- The statements that make a partition and give it what its parent has, in their order. %1$s stands for its name with its
-- schema, %2$s for FOR VALUES ... or DEFAULT, %3$L for its name.
CREATE OR REPLACE FUNCTION @partman@._child_statements(p_parent_table text, p_default boolean) RETURNS text[]
LANGUAGE plpgsql STABLE SET search_path TO pg_catalog, pg_temp AS $body$
DECLARE
    s record;
    v_sub record;
    v_parent pg_class%ROWTYPE;
    v_template pg_class%ROWTYPE;
    v_api text := replace($name$@partman@$name$, '%', '%%');
    v_name text;
    v_of text;
    v_statements text[];
BEGIN
    SELECT * INTO s FROM @partman@._set(p_parent_table);
    SELECT p.* INTO v_sub FROM @schema@.part_config_sub p WHERE p.sub_parent = s.key AND NOT p_default;
    SELECT c.* INTO v_parent FROM pg_class c WHERE c.oid = s.parent;
    SELECT c.* INTO v_template FROM pg_class c
    WHERE v_sub.sub_parent IS NULL
      AND c.oid = (SELECT @partman@._oid(p.template_table) FROM @schema@.part_config p WHERE p.parent_table = s.key);
    v_name := replace(format('%I.%I', s.schema_name, s.table_name), '%', '%%');
    v_statements := ARRAY[
        'CREATE ' || CASE WHEN v_sub.sub_parent IS NULL AND (v_template.relpersistence = 'u' OR v_parent.relpersistence = 'u')
                          THEN 'UNLOGGED ' ELSE '' END
        || 'TABLE %1$s (LIKE ' || v_name || ' INCLUDING COMMENTS INCLUDING COMPRESSION INCLUDING CONSTRAINTS '
        || 'INCLUDING DEFAULTS INCLUDING GENERATED INCLUDING STATISTICS INCLUDING STORAGE)'
        || coalesce(' PARTITION BY ' || v_sub.sub_partition_type || ' (' || replace(quote_ident(v_sub.sub_control), '%', '%%') || ')', '')
        || coalesce(' WITH (' || replace(array_to_string(v_template.reloptions, ', '), '%', '%%') || ')', '')
        || coalesce((SELECT ' TABLESPACE ' || replace(quote_ident(t.spcname), '%', '%%')
                     FROM pg_tablespace t WHERE t.oid = v_parent.reltablespace), '')];
    IF pg_get_userbyid(v_parent.relowner) <> current_user THEN
        v_statements := v_statements
            || ('ALTER TABLE %1$s OWNER TO ' || replace(quote_ident(pg_get_userbyid(v_parent.relowner)), '%', '%%'));
    END IF;
    IF v_template.oid IS NOT NULL THEN
        v_statements := v_statements || ARRAY(SELECT t FROM @partman@._template_sql(v_template.oid, s.parent) t);
    END IF;
    v_statements := v_statements || ('ALTER TABLE ' || v_name || ' ATTACH PARTITION %1$s %2$s');
    v_name := replace(quote_literal(s.schema_name) || ', ' || quote_literal(s.table_name), '%', '%%');
    v_of := replace(quote_literal(s.schema_name), '%', '%%');
    IF (SELECT p.inherit_privileges FROM @schema@.part_config p WHERE p.parent_table = s.key) THEN
        v_statements := v_statements
            || ('SELECT ' || v_api || '.apply_privileges(' || v_name || ', ' || v_of || ', %3$L)');
    END IF;
    IF v_parent.relreplident <> 'd' THEN
        v_statements := v_statements || ('SELECT ' || v_api || '.inherit_replica_identity(' || v_name || ', %3$L)');
    END IF;
    IF EXISTS (SELECT 1 FROM pg_index x WHERE x.indrelid = s.parent AND x.indisclustered) THEN
        v_statements := v_statements || ('SELECT ' || v_api || '.apply_cluster(' || v_name || ', ' || v_of || ', %3$L)');
    END IF;
    RETURN v_statements;
END
$body$;
