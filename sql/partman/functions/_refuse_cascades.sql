-- Refuse to delete rows of a table in order to move them where a foreign key would delete or change others with them.
CREATE OR REPLACE FUNCTION @partman@._refuse_cascades(p_table oid) RETURNS void
LANGUAGE plpgsql STABLE SET search_path TO pg_catalog, pg_temp AS $body$
DECLARE
    v_key record;
BEGIN
    SELECT k.conname, k.conrelid::regclass::text AS relation INTO v_key FROM pg_constraint k
    WHERE k.contype = 'f' AND k.confdeltype IN ('c', 'n', 'd')
      AND k.confrelid IN (SELECT p_table UNION ALL SELECT a.relid::oid FROM pg_partition_ancestors(p_table) a)
    LIMIT 1;
    IF v_key.conname IS NOT NULL THEN
        RAISE EXCEPTION 'Rows of % cannot move: the foreign key % of % would delete or change the rows that refer to them',
            p_table::regclass, v_key.conname, v_key.relation
            USING HINT = 'Use schema_kit partitions drain-default, or drop the foreign key while rows move.';
    END IF;
END
$body$;
