-- replace view chat.all_messages over chat.messages and chat.messages_archive
-- locks: ACCESS EXCLUSIVE on chat.all_messages
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL idle_in_transaction_session_timeout = '5000ms';
SET LOCAL statement_timeout = '30000ms';
SELECT pg_catalog.set_config('transaction_timeout', '30000ms', true) WHERE pg_catalog.current_setting('transaction_timeout', true) IS NOT NULL;
CREATE OR REPLACE VIEW "chat"."all_messages" WITH (security_invoker = true) AS SELECT  FROM "chat"."messages" UNION ALL SELECT  FROM "chat"."messages_archive";
GRANT SELECT ON "chat"."all_messages" TO reader;
ALTER VIEW "chat"."all_messages" OWNER TO "app";
COMMIT;

-- drop chat.messages_cold
-- locks: ACCESS EXCLUSIVE on chat.messages_cold
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL idle_in_transaction_session_timeout = '5000ms';
SET LOCAL statement_timeout = '30000ms';
SELECT pg_catalog.set_config('transaction_timeout', '30000ms', true) WHERE pg_catalog.current_setting('transaction_timeout', true) IS NOT NULL;
LOCK TABLE ONLY "chat"."messages_cold" IN ACCESS EXCLUSIVE MODE;
DO 'DECLARE schema_kit_path text := pg_catalog.current_setting(''search_path''); BEGIN PERFORM pg_catalog.set_config(''search_path'', ''pg_catalog, pg_temp'', true); IF EXISTS (SELECT 1 FROM pg_catalog.pg_inherits WHERE inhparent = ''"chat"."messages_cold"''::regclass) THEN RAISE object_in_use USING MESSAGE = ''chat.messages_cold has partitions by now''; END IF; PERFORM pg_catalog.set_config(''search_path'', schema_kit_path, true); END';
DELETE FROM "schema_kit"."cold_archive" WHERE cold_table = 'chat.messages_cold';
DROP TABLE "chat"."messages_cold";
COMMIT;

-- drop schema_kit.cold_archive and schema_kit.cold_partition, which are empty then
-- locks: ACCESS EXCLUSIVE on schema_kit.cold_archive
-- locks: ACCESS EXCLUSIVE on schema_kit.cold_partition
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL idle_in_transaction_session_timeout = '5000ms';
SET LOCAL statement_timeout = '5000ms';
DO 'BEGIN LOCK TABLE ONLY "schema_kit"."cold_archive", ONLY "schema_kit"."cold_partition" IN ACCESS EXCLUSIVE MODE; EXCEPTION WHEN query_canceled THEN RAISE lock_not_available USING MESSAGE = ''locks not taken in time''; END';
SET LOCAL statement_timeout = '30000ms';
SELECT pg_catalog.set_config('transaction_timeout', '30000ms', true) WHERE pg_catalog.current_setting('transaction_timeout', true) IS NOT NULL;
DROP TABLE "schema_kit"."cold_archive", "schema_kit"."cold_partition";
COMMIT;

