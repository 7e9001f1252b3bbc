-- Partition each partition of a set, those that are there and those to come. One that is no partitioned table yet is
-- DROPPED WITH ITS ROWS and made again: p_declarative_check has to say 'yes' to that.
CREATE OR REPLACE FUNCTION @partman@.create_sub_parent(
    p_top_parent text, p_control text, p_interval text, p_type text DEFAULT 'range', p_default_table boolean DEFAULT true,
    p_declarative_check text DEFAULT NULL, p_constraint_cols text[] DEFAULT NULL, p_premake integer DEFAULT 4,
    p_start_partition text DEFAULT NULL, p_epoch text DEFAULT 'none', p_jobmon boolean DEFAULT true,
    p_date_trunc_interval text DEFAULT NULL, p_control_not_null boolean DEFAULT true, p_time_encoder text DEFAULT NULL,
    p_time_decoder text DEFAULT NULL) RETURNS boolean
LANGUAGE plpgsql SET search_path TO pg_catalog, pg_temp AS $body$
DECLARE
    s record;
    v_child record;
    v_key text := @partman@._stored(p_top_parent);
    v_before text := @partman@._wait();
    v_ids boolean;
    v_width interval;
    v_template text;
    v_kind text;
    v_start text;
BEGIN
    IF @partman@._oid(p_top_parent) IS NULL THEN
        RAISE EXCEPTION 'Unable to find given parent table in system catalogs. Please create parent table first: %', p_top_parent;
    END IF;
    SELECT * INTO s FROM @partman@._set(p_top_parent);
    IF s.key IS NULL THEN
        RAISE EXCEPTION 'Cannot subpartition a table that is not managed by pg_partman already. Given top parent table not found in part_config: %', p_top_parent;
    END IF;
    IF NOT @partman@.check_partition_type(p_type) OR NOT @partman@.check_epoch_type(p_epoch) THEN
        RAISE EXCEPTION '%, epoch % is not a valid partitioning type for pg_partman', p_type, p_epoch;
    END IF;
    SELECT t.general_type INTO v_kind FROM @partman@.check_control_type(s.schema_name, s.table_name, p_control) t;
    IF v_kind IS NULL THEN
        RAISE EXCEPTION 'Control column given (%) for parent table (%) does not exist or has a type that cannot be partitioned by', p_control, p_top_parent;
    ELSIF p_control_not_null AND NOT (SELECT a.attnotnull FROM pg_attribute a WHERE a.attrelid = s.parent AND a.attname = p_control) THEN
        RAISE EXCEPTION 'Control column given (%) for parent table (%) must be set to NOT NULL', p_control, p_top_parent;
    ELSIF v_kind IN ('text', 'uuid') AND (p_time_encoder IS NULL OR p_time_decoder IS NULL) THEN
        RAISE EXCEPTION 'A control column of type % needs both a time encoder and a time decoder', v_kind;
    END IF;
    v_ids := v_kind = 'id' AND p_epoch = 'none';
    IF v_ids THEN
        IF p_type = 'range' AND p_interval::numeric < 2 THEN
            RAISE EXCEPTION 'Interval for range partitioning must be greater than or equal to 2. Use LIST partitioning for single value partitions. (%)', p_interval;
        ELSIF p_type = 'list' AND p_interval::numeric <> 1 THEN
            RAISE EXCEPTION 'Interval given for LIST partition set must be 1. Found: %', p_interval;
        ELSIF s.control = p_control AND s.kind = 'id' AND p_interval::numeric >= s.ids THEN
            RAISE EXCEPTION 'Sub-partition interval cannot be greater than or equal to the given parent interval';
        END IF;
    ELSE
        v_width := p_interval::interval;
        IF v_width < interval '1 second' THEN
            RAISE EXCEPTION 'Partitioning interval must be 1 second or greater';
        ELSIF s.control = p_control AND s.kind <> 'id' AND v_width >= s.width THEN
            RAISE EXCEPTION 'Sub-partition interval cannot be greater than or equal to the given parent interval';
        ELSIF s.control = p_control AND s.kind <> 'id' AND v_width = interval '7 days' AND extract(epoch FROM s.width) % 604800 <> 0 THEN
            RAISE EXCEPTION 'Weeks cannot be sub-partitions of % partitions: a week may lie in two of them', s.width;
        END IF;
    END IF;
    EXECUTE format('LOCK TABLE %I.%I IN ACCESS EXCLUSIVE MODE', s.schema_name, s.table_name);
    IF lower(p_declarative_check) IS DISTINCT FROM 'yes' AND EXISTS (
        SELECT 1 FROM @partman@._children(s.key) c WHERE NOT c.is_default AND NOT c.is_parent) THEN
        RAISE EXCEPTION 'The sub-partitioning of a table is a DESTRUCTIVE process unless all child tables are already declaratively subpartitioned. All child tables, and therefore ALL DATA, may be destroyed since the parent table must be declared as partitioned on first creation and cannot be altered later. See docs for more info. Set p_declarative_check parameter to "yes" if you are sure this is ok.';
    END IF;
    SELECT c.template_table INTO v_template FROM @schema@.part_config c WHERE c.parent_table = s.key;
    v_start := CASE WHEN v_ids THEN p_start_partition
                    ELSE (p_start_partition::timestamptz AT TIME ZONE s.zone)::text END;
    INSERT INTO @schema@.part_config_sub (
        sub_parent, sub_control, sub_partition_interval, sub_partition_type, sub_default_table, sub_constraint_cols,
        sub_premake, sub_epoch, sub_jobmon, sub_date_trunc_interval, sub_control_not_null, sub_time_encoder,
        sub_time_decoder, sub_template_table)
    VALUES (v_key, p_control, CASE WHEN v_ids THEN p_interval::bigint::text ELSE @partman@._interval_text(v_width) END, p_type,
        p_default_table, p_constraint_cols, p_premake, p_epoch, p_jobmon, p_date_trunc_interval, p_control_not_null,
        p_time_encoder, p_time_decoder, v_template);
    FOR v_child IN SELECT * FROM @partman@._children(s.key) c WHERE NOT c.is_default LOOP
        IF NOT v_child.is_parent THEN
            RAISE WARNING 'Child table %.% is not partitioned. Dropping and recreating with partitioning', v_child.schema_name, v_child.table_name;
            EXECUTE format('DROP TABLE %I.%I', v_child.schema_name, v_child.table_name);
            PERFORM @partman@._create(s.key, ARRAY[v_child.start_wall], ARRAY[v_child.start_id]);
        ELSE
            PERFORM @partman@._register_sub(s.key, v_child.child);
        END IF;
        IF v_start IS NOT NULL THEN
            PERFORM @partman@._sub_from(v_child.schema_name || '.' || v_child.table_name, v_start);
        END IF;
    END LOOP;
    PERFORM set_config('lock_timeout', v_before, true);
    RETURN true;
END
$body$;
