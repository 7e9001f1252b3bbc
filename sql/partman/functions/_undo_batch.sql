-- The interval of batches of an undo, as _batch has it; refuses what is no set.
CREATE OR REPLACE FUNCTION @partman@._undo_batch(p_parent_table text, p_interval text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path TO pg_catalog, pg_temp AS $body$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM @partman@._set(p_parent_table) s WHERE s.key IS NOT NULL) THEN
        RAISE EXCEPTION 'No configuration found for pg_partman for given parent table: %', p_parent_table;
    END IF;
    RETURN @partman@._batch(p_parent_table, p_interval);
END
$body$;
