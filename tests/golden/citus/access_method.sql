-- store shop.items_p20260101 by access method columnar; its readers wait until it is compared
-- locks: ACCESS EXCLUSIVE on shop.items_archive
-- locks: ACCESS EXCLUSIVE on shop.items_p20260101
BEGIN;
SET LOCAL row_security = 'off';
SET LOCAL citus.multi_shard_modify_mode = 'sequential';
SET LOCAL citus.propagate_set_commands = 'local';
SET LOCAL lock_timeout = '5000ms';
SET LOCAL citus.propagate_set_commands = 'none';
SET LOCAL idle_in_transaction_session_timeout = '5000ms';
SET LOCAL statement_timeout = '5000ms';
DO 'BEGIN LOCK TABLE ONLY "shop"."items_archive", ONLY "shop"."items_p20260101" IN ACCESS EXCLUSIVE MODE; EXCEPTION WHEN query_canceled THEN RAISE lock_not_available USING MESSAGE = ''locks not taken in time''; END';
SET LOCAL statement_timeout = '0ms';
LOCK TABLE ONLY "shop"."items_p20260101" IN ACCESS EXCLUSIVE MODE;
DO 'DECLARE before text; after text; old_oid oid; now_oid oid;
BEGIN
  old_oid := ''"shop"."items_p20260101"''::pg_catalog.regclass;
  EXECUTE ''SELECT pg_catalog.concat(pg_catalog.count(*), '''' rows, checksum '''', coalesce(pg_catalog.sum(pg_catalog.hashtextextended(ROW(own."tenant", own."at")::text, 0)::numeric), 0)) FROM "shop"."items_p20260101" own'' INTO before;
  EXECUTE ''SELECT pg_catalog.alter_table_set_access_method(''''"shop"."items_p20260101"'''', ''''columnar'''')'';
  EXECUTE ''SELECT pg_catalog.concat(pg_catalog.count(*), '''' rows, checksum '''', coalesce(pg_catalog.sum(pg_catalog.hashtextextended(ROW(own."tenant", own."at")::text, 0)::numeric), 0)) FROM "shop"."items_p20260101" own'' INTO after;
  IF before <> after THEN
    RAISE data_corrupted USING MESSAGE = ''shop.items_p20260101 has other rows by access method columnar than before: '' || before || '', then '' || after;
  END IF;
  now_oid := ''"shop"."items_p20260101"''::text::pg_catalog.regclass;
  IF now_oid <> old_oid AND pg_catalog.to_regclass(''"schema_kit"."retired_partition"'') IS NOT NULL THEN
    UPDATE "schema_kit"."retired_partition" SET partition_oid = now_oid WHERE partition_oid = old_oid;
  END IF;
END';
COMMIT;

