-- drop the baseline
-- One table existed before; the schema holds it still, and an extension is left in the ledger.

-- drop the empty table bots.messages
-- locks: ACCESS EXCLUSIVE on bots.messages
-- locks: ACCESS EXCLUSIVE on bots.chats
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL idle_in_transaction_session_timeout = '5000ms';
SET LOCAL statement_timeout = '5000ms';
DO 'BEGIN LOCK TABLE ONLY "bots"."messages", ONLY "bots"."chats" IN ACCESS EXCLUSIVE MODE; EXCEPTION WHEN query_canceled THEN RAISE lock_not_available USING MESSAGE = ''locks not taken in time''; END';
SET LOCAL statement_timeout = '30000ms';
SELECT pg_catalog.set_config('transaction_timeout', '30000ms', true) WHERE pg_catalog.current_setting('transaction_timeout', true) IS NOT NULL;
DO 'DECLARE schema_kit_path text := pg_catalog.current_setting(''search_path''); BEGIN PERFORM pg_catalog.set_config(''search_path'', ''pg_catalog, pg_temp'', true); IF EXISTS (SELECT 1 FROM "bots"."messages") THEN RAISE object_in_use USING MESSAGE = ''bots.messages holds rows''; END IF; PERFORM pg_catalog.set_config(''search_path'', schema_kit_path, true); END';
DROP TABLE "bots"."messages";
DELETE FROM "schema_kit"."created_object" WHERE kind = 'table' AND name = 'bots.messages';
COMMIT;

-- leave schema bots: others use it
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
DELETE FROM "schema_kit"."created_object" WHERE kind = 'schema' AND name = 'bots';
COMMIT;
