-- Make a partitioned table a set: register its policy, make its template, its first partitions and its default.
-- The wall clock of the session's time zone is the set's from then on.
CREATE OR REPLACE FUNCTION @partman@.create_parent(
    p_parent_table text, p_control text, p_interval text, p_type text DEFAULT 'range', p_epoch text DEFAULT 'none',
    p_premake integer DEFAULT 4, p_start_partition text DEFAULT NULL, p_default_table boolean DEFAULT true,
    p_automatic_maintenance text DEFAULT 'on', p_constraint_cols text[] DEFAULT NULL, p_template_table text DEFAULT NULL,
    p_jobmon boolean DEFAULT true, p_date_trunc_interval text DEFAULT NULL, p_control_not_null boolean DEFAULT true,
    p_time_encoder text DEFAULT NULL, p_time_decoder text DEFAULT NULL, p_offset_id bigint DEFAULT 0) RETURNS boolean
LANGUAGE plpgsql SET search_path TO pg_catalog, pg_temp AS $body$
DECLARE
    v_zone text := current_setting('TimeZone');
    v_before text := @partman@._wait();
    v_kind text;
    v_key text := @partman@._stored(p_parent_table);
    v_parts text[] := @partman@._split(p_parent_table);
    v_start timestamp;
    v_wall timestamp;
    v_made integer;
    v_interval text;
BEGIN
    v_kind := @partman@._check_parent(p_parent_table, p_control, p_interval, p_type, p_epoch, p_control_not_null,
                                      p_time_encoder, p_time_decoder);
    IF p_premake IS NULL OR p_premake < 1 THEN
        RAISE EXCEPTION 'premake must be greater than zero: %', p_premake;
    END IF;
    IF p_automatic_maintenance IS NULL OR NOT @partman@.check_automatic_maintenance_value(p_automatic_maintenance) THEN
        RAISE EXCEPTION 'automatic_maintenance is on or off, not %', p_automatic_maintenance;
    END IF;
    IF v_kind <> 'id' AND p_offset_id <> 0 THEN
        RAISE EXCEPTION 'p_offset_id is for control columns that hold ids. Found: %', v_kind;
    END IF;
    IF EXISTS (SELECT 1 FROM @schema@.part_config c WHERE c.parent_table = v_key) THEN
        RAISE EXCEPTION 'Given table is already managed by pg_partman: %', p_parent_table USING ERRCODE = 'unique_violation';
    END IF;
    IF v_kind <> 'id' THEN
        v_start := p_start_partition::timestamptz AT TIME ZONE v_zone;
        v_interval := @partman@._interval_text(p_interval::interval);
    END IF;
    EXECUTE format('LOCK TABLE %I.%I IN SHARE UPDATE EXCLUSIVE MODE', v_parts[1], v_parts[2]);
    INSERT INTO @schema@.part_config (
        parent_table, control, partition_interval, partition_type, epoch, premake, automatic_maintenance, constraint_cols,
        template_table, jobmon, date_trunc_interval, time_encoder, time_decoder, datetime_string, default_table, timezone,
        infinite_time_partitions, encoding, retention_grace, origin)
    VALUES (
        v_key, p_control, coalesce(v_interval, p_interval::bigint::text), p_type, p_epoch, p_premake,
        p_automatic_maintenance, p_constraint_cols, @partman@._template(p_parent_table, p_template_table), p_jobmon,
        p_date_trunc_interval, p_time_encoder, p_time_decoder,
        CASE WHEN v_kind <> 'id' THEN @partman@._format(p_interval::interval) END, p_default_table, v_zone,
        v_kind <> 'id', CASE WHEN p_time_encoder LIKE '%uuid7_time_encoder' AND v_kind = 'uuid' THEN 'uuidv7' END, '0',
        CASE WHEN v_kind = 'id' THEN nullif(mod(p_offset_id, p_interval::bigint), 0)::text END);
    IF v_kind = 'id' THEN
        v_made := @partman@._initial(v_key, NULL, p_start_partition::numeric);
    ELSE
        v_wall := @partman@._begin(v_key, v_start);
        v_made := @partman@._initial(v_key, v_wall, NULL);
    END IF;
    IF p_default_table THEN
        PERFORM @partman@._create_default(v_key);
    END IF;
    IF v_made = 0 THEN
        RAISE WARNING 'All partitions that % needs are there already. It is registered and will be maintained.', p_parent_table;
    END IF;
    PERFORM set_config('lock_timeout', v_before, true);
    RETURN v_made > 0;
END
$body$;
