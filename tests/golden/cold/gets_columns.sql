-- drop old.p2 on server cold: its columns have changed
-- locks: ACCESS EXCLUSIVE on chat.p2__cold
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL idle_in_transaction_session_timeout = '5000ms';
SET LOCAL statement_timeout = '30000ms';
SELECT pg_catalog.set_config('transaction_timeout', '30000ms', true) WHERE pg_catalog.current_setting('transaction_timeout', true) IS NOT NULL;
LOCK TABLE ONLY "chat"."messages_cold" IN ROW EXCLUSIVE MODE;
DO 'DECLARE schema_kit_path text := pg_catalog.current_setting(''search_path''); BEGIN PERFORM pg_catalog.set_config(''search_path'', ''pg_catalog, pg_temp'', true); IF EXISTS (SELECT 1 FROM pg_catalog.pg_inherits WHERE inhrelid = pg_catalog.to_regclass(''"chat"."p2__cold"'')) THEN RAISE object_in_use USING MESSAGE = ''chat.p2__cold is a partition by now''; END IF; PERFORM pg_catalog.set_config(''search_path'', schema_kit_path, true); END';
DROP FOREIGN TABLE IF EXISTS "chat"."p2__cold";
DELETE FROM "schema_kit"."cold_partition" WHERE partition_name = 'chat.p2';
SELECT "public".dblink_exec('cold', 'DO ''BEGIN IF pg_catalog.obj_description(pg_catalog.to_regclass(''''"old"."p2"''''), ''''pg_class'''') = ''''schema_kit: rows of chat.p2, 0e1'''' THEN DROP TABLE "old"."p2"; END IF; END''');
COMMIT;

-- add column it's 100% to tables on server cold
BEGIN;
SET LOCAL search_path = '';
SET LOCAL TimeZone = 'UTC';
SET LOCAL DateStyle = 'ISO, YMD';
SET LOCAL IntervalStyle = 'postgres';
SET LOCAL client_encoding = 'UTF8';
SET LOCAL extra_float_digits = '1';
SET LOCAL bytea_output = 'hex';
SET LOCAL lc_monetary = 'C';
SET LOCAL xmloption = 'content';
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
SET LOCAL statement_timeout = 60000;
SELECT "public".dblink_exec('cold', pg_catalog.format('SET lock_timeout = %2$L; ALTER TABLE "old"."messages_p202601" ADD COLUMN IF NOT EXISTS "it''s 100%%" text NOT NULL DEFAULT %1$L', (('low'::chat.mood)::chat.mood)::text, pg_catalog.current_setting('lock_timeout')));
SET LOCAL statement_timeout = 0;
COMMIT;

-- add columns to chat.messages_cold and its partitions: it's 100%
-- locks: ACCESS EXCLUSIVE on chat.messages_cold
-- locks: ACCESS EXCLUSIVE on chat.messages_p202601__cold
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL idle_in_transaction_session_timeout = '5000ms';
SET LOCAL statement_timeout = '5000ms';
ALTER TABLE "chat"."messages_cold" ADD COLUMN "it's 100%" chat.mood NOT NULL;
UPDATE "schema_kit"."cold_partition" SET summed = coalesce(summed, ARRAY['id', 'at']), copied_at = NULL WHERE table_name = 'chat.messages' AND moved_at IS NOT NULL;
COMMIT;

