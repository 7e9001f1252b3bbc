-- The least ULID of a moment, for bounds.
CREATE OR REPLACE FUNCTION @partman@._ulid_encoder(p_at timestamptz) RETURNS text
LANGUAGE sql IMMUTABLE STRICT SET search_path TO pg_catalog, pg_temp AS $body$
    SELECT string_agg(substr('0123456789ABCDEFGHJKMNPQRSTVWXYZ',
                             (floor(extract(epoch FROM p_at) * 1000)::bigint >> place & 31)::integer + 1, 1), '' ORDER BY place DESC)
           || repeat('0', 16)
    FROM generate_series(0, 45, 5) place
$body$;
