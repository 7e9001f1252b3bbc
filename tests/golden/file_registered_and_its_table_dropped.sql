-- record file:///srv/archive/it's.parquet
-- Both in one commit, when they are sent.

-- record file:///srv/archive/it's.parquet with 31 rows of bots.messages_p20261001
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
INSERT INTO "schema_kit"."archive_file" (file_url, table_name, table_oid, parent_table, control, lower_bound, upper_bound, format, row_count, byte_count, sha256, columns, dropped_at, restored_at, restored_to) VALUES ('file:///srv/archive/it''s.parquet', 'bots.messages_p20261001', 16400, 'bots.messages', 'created_at', '2026-09-01 00:00:00+00', '2026-10-01 00:00:00+00', 'parquet', 31, 4299, '9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f', '[{"name": "id", "type": "bigint", "stored": "int64", "checksum": "00d1a1c0ffee0000"}, {"name": "body", "type": "text", "stored": "text", "checksum": "5c17a3d20e6f48b1"}]', pg_catalog.now(), NULL, NULL) ON CONFLICT (file_url) DO UPDATE SET table_name = excluded.table_name, table_oid = excluded.table_oid, parent_table = excluded.parent_table, control = excluded.control, lower_bound = excluded.lower_bound, upper_bound = excluded.upper_bound, format = excluded.format, row_count = excluded.row_count, byte_count = excluded.byte_count, sha256 = excluded.sha256, columns = excluded.columns, dropped_at = excluded.dropped_at, restored_at = excluded.restored_at, restored_to = excluded.restored_to, written_at = pg_catalog.now();
DELETE FROM "schema_kit"."archive_file_due" WHERE table_name = 'bots.messages_p20261001';
COMMIT;

-- drop bots.messages_p20261001, which was a partition of bots.messages
-- locks: ACCESS EXCLUSIVE on bots.messages_p20261001
-- locks: ACCESS EXCLUSIVE on bots.chats
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL idle_in_transaction_session_timeout = '5000ms';
SET LOCAL statement_timeout = '5000ms';
DO 'BEGIN LOCK TABLE ONLY "bots"."messages_p20261001", ONLY "bots"."chats" IN ACCESS EXCLUSIVE MODE; EXCEPTION WHEN query_canceled THEN RAISE lock_not_available USING MESSAGE = ''locks not taken in time''; END';
SET LOCAL statement_timeout = '30000ms';
SELECT pg_catalog.set_config('transaction_timeout', '30000ms', true) WHERE pg_catalog.current_setting('transaction_timeout', true) IS NOT NULL;
LOCK TABLE ONLY "bots"."messages_p20261001" IN ACCESS EXCLUSIVE MODE;
DO 'DECLARE schema_kit_path text := pg_catalog.current_setting(''search_path''); BEGIN PERFORM pg_catalog.set_config(''search_path'', ''pg_catalog, pg_temp'', true); IF NOT EXISTS (SELECT 1 FROM "schema_kit"."retired_partition" WHERE partition_oid = ''"bots"."messages_p20261001"''::pg_catalog.regclass AND partition_name = ''bots.messages_p20261001'' AND parent_table = ''bots.messages'') OR EXISTS (SELECT 1 FROM pg_catalog.pg_inherits WHERE inhrelid = ''"bots"."messages_p20261001"''::pg_catalog.regclass) THEN RAISE object_in_use USING MESSAGE = ''bots.messages_p20261001 is not the table that was detached from bots.messages, or it is attached again''; END IF; IF pg_catalog.to_regclass(''"schema_kit"."archived_partition"'') IS NOT NULL THEN IF EXISTS (SELECT 1 FROM "schema_kit"."archived_partition" WHERE moved_at IS NULL AND partition_name = ''bots.messages_p20261001'') THEN RAISE object_in_use USING MESSAGE = ''bots.messages_p20261001 is in transit to an archive, or back (schema_kit.archived_partition): schema_kit archive run ends that''; END IF; END IF; PERFORM pg_catalog.set_config(''search_path'', schema_kit_path, true); END';
DELETE FROM "schema_kit"."retired_partition" WHERE partition_name = 'bots.messages_p20261001';
DROP TABLE "bots"."messages_p20261001";
COMMIT;
