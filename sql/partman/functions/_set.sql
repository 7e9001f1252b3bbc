-- A set: its policy, its table, and how its bounds are read and written. The key is NULL where nobody registered it,
-- the parent where its table is gone. to_time and to_bound are SQL with %1$s for a bound's text and for a time on the
-- wall clock of the zone.
CREATE OR REPLACE FUNCTION @partman@._set(
    p_parent_table text,
    OUT key text, OUT parent oid, OUT schema_name text, OUT table_name text, OUT control text, OUT exact_type text,
    OUT kind text, OUT width interval, OUT ids numeric, OUT zone text, OUT origin timestamp, OUT origin_id numeric,
    OUT premake integer, OUT strategy text, OUT datetime_string text, OUT to_time text, OUT to_bound text)
LANGUAGE plpgsql STABLE SET search_path TO pg_catalog, pg_temp SET "TimeZone" TO 'UTC' SET "DateStyle" TO 'ISO, YMD'
SET "IntervalStyle" TO 'postgres' AS $body$
DECLARE
    c record;
    v_api text := replace($name$@partman@$name$, '%', '%%');
    v_moment text;
    v_encoder text;
    v_decoder text;
    v_units text;
BEGIN
    SELECT p.* INTO c FROM @schema@.part_config p
    WHERE p.parent_table IN (p_parent_table, @partman@._stored(p_parent_table))
    ORDER BY p.parent_table = p_parent_table DESC LIMIT 1;
    IF c.parent_table IS NULL THEN
        RETURN;
    END IF;
    key := c.parent_table;
    control := c.control;
    zone := c.timezone;
    premake := c.premake;
    strategy := c.partition_type;
    SELECT r.oid, n.nspname, r.relname, t.typname INTO parent, schema_name, table_name, exact_type
    FROM pg_class r JOIN pg_namespace n ON n.oid = r.relnamespace
    LEFT JOIN pg_attribute a ON a.attrelid = r.oid AND a.attname = c.control AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_type t ON t.oid = a.atttypid
    WHERE r.oid = @partman@._oid(c.parent_table);
    v_moment := v_api || '._moment(%1$s, ' || replace(quote_literal(zone), '%', '%%') || ')';
    IF c.time_encoder IS NOT NULL OR c.encoding IN ('uuidv7', 'ulid') THEN
        kind := 'encoded';
        IF c.time_encoder IS NOT NULL THEN
            v_encoder := replace(@partman@._routine(c.time_encoder, 'timestamptz'), '%', '%%');
            v_decoder := replace(@partman@._routine(c.time_decoder, 'text'), '%', '%%');
        ELSIF exact_type = 'uuid' THEN
            v_encoder := v_api || '.uuid7_time_encoder';
            v_decoder := v_api || '.uuid7_time_decoder';
        ELSE
            v_encoder := v_api || '._ulid_encoder';
            v_decoder := v_api || '._ulid_decoder';
        END IF;
        to_time := v_decoder || '((%1$s)::text)';
        to_bound := v_encoder || '(' || v_moment || ')::text';
    ELSIF c.encoding LIKE 'snowflake%' THEN
        kind := 'epoch';
        v_units := coalesce(nullif(split_part(c.encoding, ':', 2), ''), '1288834974657');
        to_time := format('(timestamptz ''epoch'' + ((((%%1$s)::bigint >> 22) + %s) * 1000)::float8 * interval ''1 microsecond'')', v_units);
        to_bound := format('(((extract(epoch FROM %s) * 1000)::bigint - %s) << 22)::text', v_moment, v_units);
    ELSIF c.epoch <> 'none' THEN
        kind := 'epoch';
        v_units := CASE c.epoch WHEN 'seconds' THEN '1' WHEN 'milliseconds' THEN '1000' WHEN 'microseconds' THEN '1000000'
                                ELSE '1000000000' END;
        to_time := format('(timestamptz ''epoch'' + floor((%%1$s)::numeric * 1000000 / %s)::float8 * interval ''1 microsecond'')', v_units);
        to_bound := format('trunc(extract(epoch FROM %s) * %s)::text', v_moment, v_units);
    ELSIF exact_type = 'timestamptz' THEN
        kind := 'time';
        to_time := '(%1$s)::timestamptz';
        to_bound := v_moment || '::text';
    ELSIF exact_type IN ('timestamp', 'date') THEN
        kind := 'wall';
        to_time := '((%1$s)::timestamp AT TIME ZONE ' || replace(quote_literal(zone), '%', '%%') || ')';
        to_bound := format('(%%1$s)::%s::text', exact_type);
    ELSE
        kind := 'id';
        ids := c.partition_interval::numeric;
        origin_id := CASE WHEN c.origin ~ '^-?[0-9]+$' THEN c.origin::numeric ELSE 0 END;
        RETURN;
    END IF;
    width := c.partition_interval::interval;
    origin := coalesce(c.origin::timestamp, @partman@._origin(width));
    datetime_string := coalesce(c.datetime_string, @partman@._format(width));
END
$body$;
