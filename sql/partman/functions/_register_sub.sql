-- Register a partition of a set that is sub-partitioned as a set of its own, and make its first partitions. Its siblings'
-- own sub-partitioning is taken over.
CREATE OR REPLACE FUNCTION @partman@._register_sub(p_parent_table text, p_child oid) RETURNS void
LANGUAGE plpgsql SET search_path TO pg_catalog, pg_temp AS $body$
DECLARE
    v_key text;
    v_sub @schema@.part_config_sub%ROWTYPE;
    v_above @schema@.part_config%ROWTYPE;
    v_kind text;
BEGIN
    SELECT c.* INTO v_above FROM @schema@.part_config c WHERE c.parent_table = p_parent_table;
    SELECT c.* INTO v_sub FROM @schema@.part_config_sub c WHERE c.sub_parent = p_parent_table;
    SELECT @partman@._stored(format('%I.%I', n.nspname, c.relname)) INTO v_key
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = p_child;
    IF EXISTS (SELECT 1 FROM @schema@.part_config c WHERE c.parent_table = v_key) THEN
        RETURN;
    END IF;
    SELECT t.general_type INTO v_kind
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    CROSS JOIN LATERAL @partman@.check_control_type(n.nspname, c.relname, v_sub.sub_control) t
    WHERE c.oid = p_child;
    v_kind := CASE WHEN v_kind = 'id' AND v_sub.sub_epoch = 'none' THEN 'id' ELSE 'time' END;
    INSERT INTO @schema@.part_config (
        parent_table, control, time_encoder, time_decoder, partition_interval, partition_type, premake,
        automatic_maintenance, template_table, retention, retention_schema, retention_keep_index, retention_keep_table,
        epoch, constraint_cols, optimize_constraint, infinite_time_partitions, jobmon, inherit_privileges,
        constraint_valid, ignore_default_data, default_table, date_trunc_interval, maintenance_order,
        retention_keep_publication, timezone, retention_grace, datetime_string, origin)
    VALUES (
        v_key, v_sub.sub_control, v_sub.sub_time_encoder, v_sub.sub_time_decoder, v_sub.sub_partition_interval,
        v_sub.sub_partition_type, v_sub.sub_premake, v_sub.sub_automatic_maintenance, v_sub.sub_template_table,
        v_sub.sub_retention, v_sub.sub_retention_schema, v_sub.sub_retention_keep_index, v_sub.sub_retention_keep_table,
        v_sub.sub_epoch, v_sub.sub_constraint_cols, v_sub.sub_optimize_constraint, v_sub.sub_infinite_time_partitions,
        v_sub.sub_jobmon, v_sub.sub_inherit_privileges, v_sub.sub_constraint_valid, v_sub.sub_ignore_default_data,
        v_sub.sub_default_table, v_sub.sub_date_trunc_interval, v_sub.sub_maintenance_order,
        v_sub.sub_retention_keep_publication, v_above.timezone, v_above.retention_grace,
        CASE WHEN v_kind = 'time' THEN @partman@._format(@partman@._interval(v_sub.sub_partition_interval)) END,
        CASE WHEN v_kind = 'id' AND v_above.control = v_sub.sub_control THEN v_above.origin END);
    INSERT INTO @schema@.part_config_sub
    SELECT (jsonb_populate_record(o, jsonb_build_object('sub_parent', v_key))).*
    FROM @schema@.part_config_sub o
    WHERE o.sub_parent = (
        SELECT x.sub_parent FROM @schema@.part_config_sub x JOIN pg_inherits i ON i.inhrelid = @partman@._oid(x.sub_parent)
        WHERE i.inhparent = @partman@._oid(p_parent_table) AND x.sub_parent <> v_key ORDER BY x.sub_parent DESC LIMIT 1);
    IF v_kind = 'id' THEN
        PERFORM @partman@._initial(v_key, NULL, NULL);
    ELSE
        PERFORM @partman@._initial(v_key, @partman@._begin(v_key, NULL), NULL);
    END IF;
    IF v_sub.sub_default_table THEN
        PERFORM @partman@._create_default(v_key);
    END IF;
END
$body$;
