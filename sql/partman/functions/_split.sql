-- The schema and the name that a text means: schema.table as the catalog has them, or with quotes around either.
-- NULL where it is neither.
CREATE OR REPLACE FUNCTION @partman@._split(p_name text) RETURNS text[]
LANGUAGE plpgsql STABLE SET search_path TO pg_catalog, pg_temp AS $body$
DECLARE
    v_parts text[];
    v_found text[];
BEGIN
    IF p_name !~ '"' THEN
        v_parts := string_to_array(p_name, '.');
        RETURN CASE WHEN cardinality(v_parts) = 2 AND '' <> ALL (v_parts) THEN v_parts END;
    END IF;
    IF length(p_name) - length(replace(p_name, '.', '')) = 1 THEN -- pg_partman's own spelling, with a quote in a name
        v_parts := string_to_array(p_name, '.');
        IF to_regclass(format('%I.%I', v_parts[1], v_parts[2])) IS NOT NULL THEN
            RETURN v_parts;
        END IF;
    END IF;
    v_found := regexp_match(p_name, '^(?:"((?:[^"]|"")+)"|([^".]+))\.(?:"((?:[^"]|"")+)"|([^".]+))$');
    RETURN CASE
        WHEN v_found IS NOT NULL THEN ARRAY[coalesce(replace(v_found[1], '""', '"'), v_found[2]),
                                            coalesce(replace(v_found[3], '""', '"'), v_found[4])]
        ELSE v_parts
    END;
END
$body$;
