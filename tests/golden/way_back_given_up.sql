-- abort the rollback of bots.messages
-- It was not fed before: what was begun goes.

-- log no more what changes in bots.messages for bots.messages__old
-- locks: ACCESS EXCLUSIVE on bots.messages
-- locks: ACCESS EXCLUSIVE on bots.messages_p20261001
-- locks: ACCESS EXCLUSIVE on bots.messages_p20261101
-- locks: ACCESS EXCLUSIVE on bots.messages_p20261201
-- locks: ACCESS EXCLUSIVE on bots.messages_p20270101
-- locks: ACCESS EXCLUSIVE on bots.messages_default
-- locks: ACCESS EXCLUSIVE on bots.messages__back
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL idle_in_transaction_session_timeout = '5000ms';
SET LOCAL statement_timeout = '5000ms';
DO 'BEGIN LOCK TABLE ONLY "bots"."messages", ONLY "bots"."messages_p20261001", ONLY "bots"."messages_p20261101", ONLY "bots"."messages_p20261201", ONLY "bots"."messages_p20270101", ONLY "bots"."messages_default", ONLY "bots"."messages__back" IN ACCESS EXCLUSIVE MODE; EXCEPTION WHEN query_canceled THEN RAISE lock_not_available USING MESSAGE = ''locks not taken in time''; END';
SET LOCAL statement_timeout = '30000ms';
SELECT pg_catalog.set_config('transaction_timeout', '30000ms', true) WHERE pg_catalog.current_setting('transaction_timeout', true) IS NOT NULL;
DROP TRIGGER IF EXISTS "schema_kit_copy_back" ON "bots"."messages";
DROP FUNCTION IF EXISTS "bots"."messages__back"();
DROP TABLE IF EXISTS "bots"."messages__back";
UPDATE "schema_kit"."copy_run" SET fed = false, back_identity = '' WHERE source_table = 'bots.messages';
COMMIT;
