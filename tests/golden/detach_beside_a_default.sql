-- detach bots.messages_p20261001 from bots.messages
-- The blocking way, all locks at once.

-- record that bots.messages_p20261001 leaves bots.messages
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
LOCK TABLE ONLY "bots"."messages_p20261001" IN ACCESS SHARE MODE;
DO 'DECLARE schema_kit_path text := pg_catalog.current_setting(''search_path''); BEGIN PERFORM pg_catalog.set_config(''search_path'', ''pg_catalog, pg_temp'', true); IF NOT EXISTS (SELECT 1 FROM pg_catalog.pg_inherits WHERE inhrelid = 16400 AND inhrelid = ''"bots"."messages_p20261001"''::pg_catalog.regclass AND inhparent = ''"bots"."messages"''::pg_catalog.regclass AND xmin::text = ''733'') THEN RAISE serialization_failure USING MESSAGE = ''bots.messages_p20261001 is not the partition of bots.messages any more that was looked at''; END IF; PERFORM pg_catalog.set_config(''search_path'', schema_kit_path, true); END';
INSERT INTO "schema_kit"."retired_partition" (partition_oid, partition_name, parent_table, bounds, by_policy, by_ttl, record_oid) VALUES ('"bots"."messages_p20261001"'::pg_catalog.regclass, 'bots.messages_p20261001', 'bots.messages', 'FOR VALUES FROM (''2026-09-30 17:00:00+00'') TO (''2026-10-31 17:00:00+00'')', false, false, '"schema_kit"."retired_partition"'::pg_catalog.regclass) ON CONFLICT (partition_name) DO UPDATE SET (partition_oid, parent_table, bounds, by_policy, by_ttl, record_oid, retired_at) = (excluded.partition_oid, excluded.parent_table, excluded.bounds, excluded.by_policy, excluded.by_ttl, excluded.record_oid, pg_catalog.now());
COMMIT;

-- detach bots.messages_p20261001 from bots.messages, blocking: bots.messages_default is a default partition, and PostgreSQL detaches no other one concurrently then
-- locks: ACCESS EXCLUSIVE on bots.messages
-- locks: ACCESS EXCLUSIVE on bots.messages_p20261001
-- locks: ACCESS EXCLUSIVE on bots.messages_default
-- locks: ACCESS EXCLUSIVE on bots.reactions
-- locks: SHARE ROW EXCLUSIVE on bots.chats
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL idle_in_transaction_session_timeout = '5000ms';
SET LOCAL statement_timeout = '5000ms';
DO 'BEGIN LOCK TABLE ONLY "bots"."messages" IN ACCESS EXCLUSIVE MODE; LOCK TABLE ONLY "bots"."messages_p20261001" IN ACCESS EXCLUSIVE MODE; LOCK TABLE ONLY "bots"."messages_default" IN ACCESS EXCLUSIVE MODE; LOCK TABLE ONLY "bots"."reactions" IN ACCESS EXCLUSIVE MODE; LOCK TABLE ONLY "bots"."chats" IN SHARE ROW EXCLUSIVE MODE; EXCEPTION WHEN query_canceled THEN RAISE lock_not_available USING MESSAGE = ''locks not taken in time''; END';
SET LOCAL statement_timeout = '30000ms';
SELECT pg_catalog.set_config('transaction_timeout', '30000ms', true) WHERE pg_catalog.current_setting('transaction_timeout', true) IS NOT NULL;
DO 'DECLARE schema_kit_path text := pg_catalog.current_setting(''search_path''); BEGIN PERFORM pg_catalog.set_config(''search_path'', ''pg_catalog, pg_temp'', true); IF NOT EXISTS (SELECT 1 FROM pg_catalog.pg_inherits WHERE inhrelid = 16400 AND inhrelid = ''"bots"."messages_p20261001"''::pg_catalog.regclass AND inhparent = ''"bots"."messages"''::pg_catalog.regclass AND xmin::text = ''733'') THEN RAISE serialization_failure USING MESSAGE = ''bots.messages_p20261001 is not the partition of bots.messages any more that was looked at''; END IF; PERFORM pg_catalog.set_config(''search_path'', schema_kit_path, true); END';
ALTER TABLE "bots"."messages" DETACH PARTITION "bots"."messages_p20261001";
COMMIT;
