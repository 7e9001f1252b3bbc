-- The least UUIDv7 of a moment, for bounds.
CREATE OR REPLACE FUNCTION @partman@.uuid7_time_encoder(ts timestamptz) RETURNS uuid
LANGUAGE sql IMMUTABLE STRICT SET search_path TO pg_catalog, pg_temp AS $body$
    SELECT (lpad(to_hex(floor(extract(epoch FROM ts) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
$body$;
