-- The columns whose values go along when rows move from one table to another: quoted, with commas between them; and what
-- their INSERT says where identities are among them. Generated columns are computed again.
CREATE OR REPLACE FUNCTION @partman@._columns(p_from oid, p_to oid, p_ignored text[], OUT columns text, OUT overriding text)
LANGUAGE plpgsql STABLE SET search_path TO pg_catalog, pg_temp AS $body$
DECLARE
    v_missing text;
BEGIN
    SELECT string_agg(f.attname, ', ' ORDER BY f.attnum) INTO v_missing FROM pg_attribute f
    WHERE f.attrelid = p_from AND f.attnum > 0 AND NOT f.attisdropped AND f.attgenerated = ''
      AND NOT f.attname = ANY (coalesce(p_ignored, '{}'))
      AND NOT EXISTS (SELECT 1 FROM pg_attribute t WHERE t.attrelid = p_to AND t.attname = f.attname AND NOT t.attisdropped);
    IF v_missing IS NOT NULL THEN
        RAISE EXCEPTION 'The values of these columns would be lost, for the table that rows move to has none of that name: %', v_missing
            USING HINT = 'Name them in p_ignored_columns if they may be.';
    END IF;
    SELECT string_agg(quote_ident(t.attname), ', ' ORDER BY t.attnum),
           CASE WHEN bool_or(t.attidentity <> '') THEN ' OVERRIDING SYSTEM VALUE' ELSE '' END
    INTO columns, overriding
    FROM pg_attribute t JOIN pg_attribute f ON f.attrelid = p_from AND f.attname = t.attname AND NOT f.attisdropped
    WHERE t.attrelid = p_to AND t.attnum > 0 AND NOT t.attisdropped AND t.attgenerated = ''
      AND NOT t.attname = ANY (coalesce(p_ignored, '{}'));
END
$body$;
