-- The function that an encoder's or decoder's name means, quoted and with its schema.
CREATE OR REPLACE FUNCTION @partman@._routine(p_name text, p_argument text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path TO pg_catalog, pg_temp AS $body$
DECLARE
    v_parts text[] := @partman@._split(p_name);
    v_found text;
BEGIN
    SELECT format('%I.%I', n.nspname, p.proname) INTO v_found FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE p.oid IN (to_regprocedure(format('%I.%I(%s)', v_parts[1], v_parts[2], p_argument)),
                    to_regprocedure(format('%s(%s)', p_name, p_argument)))
    ORDER BY n.nspname = v_parts[1] AND p.proname = v_parts[2] DESC NULLS LAST LIMIT 1;
    IF v_found IS NULL THEN
        RAISE EXCEPTION 'There is no function %(%)', p_name, p_argument
            USING HINT = 'Name the encoder and the decoder with their schema.';
    END IF;
    RETURN v_found;
END
$body$;
