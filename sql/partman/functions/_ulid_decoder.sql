-- The moment that a ULID begins with.
CREATE OR REPLACE FUNCTION @partman@._ulid_decoder(p_ulid text) RETURNS timestamptz
LANGUAGE sql IMMUTABLE STRICT SET search_path TO pg_catalog, pg_temp AS $body$
    SELECT timestamptz 'epoch' + sum((strpos('0123456789ABCDEFGHJKMNPQRSTVWXYZ', substr(upper(rpad(p_ulid, 10, '0')), place, 1)) - 1)::bigint
               << (50 - 5 * place))::float8 * interval '1 millisecond'
    FROM generate_series(1, 10) place
$body$;
