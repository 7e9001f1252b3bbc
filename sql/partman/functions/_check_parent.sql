-- Refuse what cannot become a set; gives back the type of the control column.
CREATE OR REPLACE FUNCTION @partman@._check_parent(
    p_parent_table text, p_control text, p_interval text, p_type text, p_epoch text, p_control_not_null boolean,
    p_time_encoder text, p_time_decoder text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path TO pg_catalog, pg_temp AS $body$
DECLARE
    v_table oid;
    v_key record;
    v_column record;
    v_general text;
    v_width interval;
    v_ids numeric;
BEGIN
    IF coalesce(strpos(p_parent_table, '.'), 0) = 0 THEN
        RAISE EXCEPTION 'Parent table must be schema qualified';
    ELSIF @partman@._split(p_parent_table) IS NULL THEN
        RAISE EXCEPTION 'pg_partman does not support objects with periods in their names';
    END IF;
    IF p_type IS NULL OR NOT @partman@.check_partition_type(p_type) THEN
        RAISE EXCEPTION '% is not a valid partitioning type for pg_partman', p_type USING HINT = 'Use range or list.';
    END IF;
    IF p_epoch IS NULL OR NOT @partman@.check_epoch_type(p_epoch) THEN
        RAISE EXCEPTION '% is not a valid epoch type: none, seconds, milliseconds, microseconds, nanoseconds', p_epoch;
    END IF;
    v_table := @partman@._oid(p_parent_table);
    IF v_table IS NULL THEN
        RAISE EXCEPTION 'Unable to find given parent table in system catalogs. Please create parent table first: %', p_parent_table;
    END IF;
    SELECT p.partstrat::text, p.partnatts, a.attname INTO v_key
    FROM pg_partitioned_table p
    LEFT JOIN pg_attribute a ON a.attrelid = p.partrelid AND a.attnum = p.partattrs[0] AND a.attnum > 0
    WHERE p.partrelid = v_table;
    IF v_key.partstrat IS DISTINCT FROM left(p_type, 1) THEN
        RAISE EXCEPTION 'The given parent table must have been created as % partitioned already. Ex: CREATE TABLE ... PARTITION BY % ...)', p_type, upper(p_type);
    END IF;
    SELECT t.general_type, t.exact_type, n.attnotnull INTO v_column
    FROM pg_attribute n JOIN pg_class c ON c.oid = n.attrelid JOIN pg_namespace s ON s.oid = c.relnamespace
    CROSS JOIN LATERAL @partman@.check_control_type(s.nspname, c.relname, p_control) t
    WHERE n.attrelid = v_table AND n.attname = p_control;
    IF v_column.exact_type IS NULL OR (p_control_not_null AND NOT v_column.attnotnull) THEN
        RAISE EXCEPTION 'Control column given (%) for parent table (%) does not exist or must be set to NOT NULL', p_control, p_parent_table;
    END IF;
    IF v_key.partnatts <> 1 OR v_key.attname IS DISTINCT FROM p_control THEN
        RAISE EXCEPTION 'Control column and type given in arguments (%, %) does not match the control column and type of the given partition set (%)',
            p_control, v_column.exact_type, coalesce(v_key.attname::text, 'an expression');
    END IF;
    v_general := v_column.general_type;
    IF v_general IS NULL THEN
        RAISE EXCEPTION 'Only date/time, number, text and uuid types are allowed for the control column. Found: %', v_column.exact_type;
    ELSIF v_general IN ('text', 'uuid') AND (p_time_encoder IS NULL OR p_time_decoder IS NULL) THEN
        RAISE EXCEPTION 'A control column of type % needs both a time encoder and a time decoder', v_column.exact_type;
    ELSIF v_general = 'time' AND p_epoch <> 'none' THEN
        RAISE EXCEPTION 'The epoch parameter is for control columns that hold numbers. Found: %', v_column.exact_type;
    END IF;
    IF v_general = 'id' AND p_epoch = 'none' THEN
        BEGIN
            v_ids := p_interval::bigint;
        EXCEPTION WHEN invalid_text_representation OR numeric_value_out_of_range THEN
            RAISE EXCEPTION 'The interval of an id partition set is a whole number: %', p_interval;
        END;
        IF p_type = 'range' AND v_ids < 2 THEN
            RAISE EXCEPTION 'Interval for range partitioning must be greater than or equal to 2. Use LIST partitioning for single value partitions. (%)', p_interval;
        ELSIF p_type = 'list' AND v_ids <> 1 THEN
            RAISE EXCEPTION 'Interval given for LIST partition set must be 1. Found: %', p_interval;
        END IF;
        RETURN 'id';
    END IF;
    IF p_type = 'list' THEN
        RAISE EXCEPTION 'LIST partitioning is for control columns that hold ids';
    END IF;
    IF p_interval IN ('yearly', 'quarterly', 'monthly', 'weekly', 'daily', 'hourly', 'half-hour', 'quarter-hour') THEN
        RAISE EXCEPTION 'Special partition interval values from old pg_partman versions (%) are no longer supported. Please use a supported interval time value from core PostgreSQL (https://www.postgresql.org/docs/current/datatype-datetime.html#DATATYPE-INTERVAL-INPUT)', p_interval;
    END IF;
    v_width := p_interval::interval;
    IF v_width < interval '1 second' THEN
        RAISE EXCEPTION 'Partitioning interval must be 1 second or greater';
    END IF;
    IF v_column.exact_type = 'date' AND v_width < interval '1 day' THEN
        RAISE EXCEPTION 'Column % is a date, so its partitioning interval must be 1 day or greater', p_control;
    END IF;
    RETURN CASE WHEN v_general = 'id' THEN 'time' ELSE v_general END;
END
$body$;
