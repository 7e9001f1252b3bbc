-- drop part_config
-- No copy is in progress, and no partition is out.

-- drop schema_kit.part_config
-- locks: ACCESS EXCLUSIVE on schema_kit.part_config
-- locks: ACCESS EXCLUSIVE on schema_kit.retired_partition
-- locks: ACCESS EXCLUSIVE on schema_kit.copy_run
-- locks: ACCESS EXCLUSIVE on schema_kit.copy_target
-- locks: ACCESS EXCLUSIVE on schema_kit.copy_chunk
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL idle_in_transaction_session_timeout = '5000ms';
SET LOCAL statement_timeout = '5000ms';
DO 'BEGIN LOCK TABLE ONLY "schema_kit"."part_config", ONLY "schema_kit"."retired_partition", ONLY "schema_kit"."copy_run", ONLY "schema_kit"."copy_target", ONLY "schema_kit"."copy_chunk" IN ACCESS EXCLUSIVE MODE; EXCEPTION WHEN query_canceled THEN RAISE lock_not_available USING MESSAGE = ''locks not taken in time''; END';
SET LOCAL statement_timeout = '30000ms';
SELECT pg_catalog.set_config('transaction_timeout', '30000ms', true) WHERE pg_catalog.current_setting('transaction_timeout', true) IS NOT NULL;
DROP TABLE "schema_kit"."part_config", "schema_kit"."retired_partition", "schema_kit"."copy_run", "schema_kit"."copy_target", "schema_kit"."copy_chunk";
DROP SCHEMA "schema_kit";
COMMIT;
