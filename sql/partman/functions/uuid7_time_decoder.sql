-- The moment that a UUIDv7 begins with.
CREATE OR REPLACE FUNCTION @partman@.uuid7_time_decoder(uuidv7 text) RETURNS timestamptz
LANGUAGE sql IMMUTABLE STRICT SET search_path TO pg_catalog, pg_temp AS $body$
    SELECT timestamptz 'epoch' + (('x' || lpad(substr(replace(uuidv7, '-', ''), 1, 12), 16, '0'))::bit(64)::bigint * 1000)::float8
           * interval '1 microsecond'
$body$;
