-- The statements that register a set as it is registered here.
CREATE OR REPLACE FUNCTION @partman@.dump_partitioned_table_definition(
    p_parent_table text, p_ignore_template_table boolean DEFAULT false) RETURNS text
LANGUAGE plpgsql STABLE SET search_path TO pg_catalog, pg_temp AS $body$
DECLARE
    c @schema@.part_config%ROWTYPE;
    b @schema@.part_config_sub%ROWTYPE;
    v_schema text := quote_ident((parse_ident($name$@partman@$name$))[1]);
    v_name text;
    v_template text;
    v_text text;
BEGIN
    SELECT p.* INTO c FROM @schema@.part_config p WHERE p.parent_table = (SELECT s.key FROM @partman@._set(p_parent_table) s);
    IF c.parent_table IS NULL THEN
        RAISE EXCEPTION 'Given parent table not managed by pg_partman: %', p_parent_table;
    END IF;
    v_name := @partman@._shown(c.parent_table);
    v_template := CASE WHEN p_ignore_template_table THEN NULL ELSE coalesce(@partman@._shown(c.template_table), 'false') END;
    v_text := format(
        E'SELECT %s.create_parent(\n\tp_parent_table := %L,\n\tp_control := %L,\n\tp_interval := %L,\n\tp_type := %L,\n'
        '\tp_epoch := %L,\n\tp_premake := %s,\n\tp_default_table := %L,\n\tp_automatic_maintenance := %L,\n'
        '\tp_constraint_cols := %L,\n\tp_template_table := %L,\n\tp_jobmon := %L,\n\tp_date_trunc_interval := %L%s\n'
        '\t-- v_start_partition is intentionally ignored as there\n\t-- isn''t any obviously correct definition.\n);\n',
        v_schema, v_name, c.control, c.partition_interval, c.partition_type, c.epoch, c.premake, c.default_table,
        c.automatic_maintenance, c.constraint_cols, v_template, c.jobmon, c.date_trunc_interval,
        CASE WHEN c.time_encoder IS NOT NULL
             THEN format(E',\n\tp_time_encoder := %L,\n\tp_time_decoder := %L', c.time_encoder, c.time_decoder) ELSE '' END
        || CASE WHEN c.origin ~ '^-?[0-9]+$' THEN format(E',\n\tp_offset_id := %s', c.origin) ELSE '' END);
    v_text := v_text || format(
        E'UPDATE %s.part_config SET\n\toptimize_constraint = %s,\n\tretention = %L,\n\tretention_schema = %L,\n'
        '\tretention_keep_index = %L,\n\tretention_keep_table = %L,\n\tinfinite_time_partitions = %L,\n'
        '\tdatetime_string = %L,\n\tsub_partition_set_full = %L,\n\tinherit_privileges = %L,\n\tconstraint_valid = %L,\n'
        '\tignore_default_data = %L,\n\tmaintenance_order = %L,\n\tretention_keep_publication = %L\n'
        'WHERE parent_table = %L;',
        v_schema, c.optimize_constraint, c.retention, c.retention_schema, c.retention_keep_index,
        c.retention_keep_table, c.infinite_time_partitions, c.datetime_string, c.sub_partition_set_full,
        c.inherit_privileges, c.constraint_valid, c.ignore_default_data, c.maintenance_order,
        c.retention_keep_publication, v_name);
    SELECT p.* INTO b FROM @schema@.part_config_sub p WHERE p.sub_parent = c.parent_table;
    IF b.sub_parent IS NOT NULL THEN
        v_text := v_text || format(
            E'\nSELECT %s.create_sub_parent(\n\tp_top_parent := %L,\n\tp_control := %L,\n\tp_interval := %L,\n\tp_type := %L,\n'
            '\tp_default_table := %L,\n\tp_declarative_check := ''yes'',\n\tp_constraint_cols := %L,\n\tp_premake := %s,\n'
            '\tp_epoch := %L,\n\tp_jobmon := %L,\n\tp_date_trunc_interval := %L\n);',
            v_schema, v_name, b.sub_control, b.sub_partition_interval, b.sub_partition_type, b.sub_default_table,
            b.sub_constraint_cols, b.sub_premake, b.sub_epoch, b.sub_jobmon, b.sub_date_trunc_interval);
    END IF;
    RETURN v_text;
END
$body$;
