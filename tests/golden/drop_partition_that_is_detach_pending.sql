-- drop partition bots.messages_p20261001 of bots.messages
-- An earlier run was interrupted between the two transactions of the detach.

-- finalize the detach of bots.messages_p20261001 from bots.messages, which was interrupted
-- locks: SHARE UPDATE EXCLUSIVE on bots.messages
-- locks: ACCESS EXCLUSIVE on bots.messages_p20261001
-- locks: ACCESS EXCLUSIVE on bots.reactions
-- locks: SHARE ROW EXCLUSIVE on bots.chats
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL idle_in_transaction_session_timeout = '5000ms';
SET LOCAL statement_timeout = '5000ms';
ALTER TABLE "bots"."messages" DETACH PARTITION "bots"."messages_p20261001" FINALIZE;
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
