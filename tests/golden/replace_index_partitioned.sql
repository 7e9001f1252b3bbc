-- replace index ix_messages_chat on bots.messages
-- The parts change names too, those that PostgreSQL has named itself as well.

-- create the partitioned index ix_messages_chat__replacement on bots.messages, without its partitions
-- locks: SHARE on bots.messages
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL idle_in_transaction_session_timeout = '5000ms';
SET LOCAL statement_timeout = '30000ms';
SELECT pg_catalog.set_config('transaction_timeout', '30000ms', true) WHERE pg_catalog.current_setting('transaction_timeout', true) IS NOT NULL;
CREATE INDEX "ix_messages_chat__replacement" ON ONLY "bots"."messages" USING "btree" ("chat_id", "created_at" DESC);
COMMIT;

-- create the partitioned index messages_2025_ix_messages_chat__replacement on bots.messages_2025, without its partitions
-- locks: SHARE on bots.messages_2025
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL idle_in_transaction_session_timeout = '5000ms';
SET LOCAL statement_timeout = '30000ms';
SELECT pg_catalog.set_config('transaction_timeout', '30000ms', true) WHERE pg_catalog.current_setting('transaction_timeout', true) IS NOT NULL;
CREATE INDEX "messages_2025_ix_messages_chat__replacement" ON ONLY "bots"."messages_2025" USING "btree" ("chat_id", "created_at" DESC);
COMMIT;

-- create index messages_2025_a_ix_messages_chat__replacement on bots.messages_2025_a concurrently
-- locks: SHARE UPDATE EXCLUSIVE on bots.messages_2025_a
SET lock_timeout = 0;
SET statement_timeout = 0;
CREATE INDEX CONCURRENTLY "messages_2025_a_ix_messages_chat__replacement" ON "bots"."messages_2025_a" USING "btree" ("chat_id", "created_at" DESC);
RESET lock_timeout;
RESET statement_timeout;

-- attach index bots.messages_2025_a_ix_messages_chat__replacement to bots.messages_2025_ix_messages_chat__replacement
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
ALTER INDEX "bots"."messages_2025_ix_messages_chat__replacement" ATTACH PARTITION "bots"."messages_2025_a_ix_messages_chat__replacement";
COMMIT;

-- create index messages_2025_b_ix_messages_chat__replacement on bots.messages_2025_b concurrently
-- locks: SHARE UPDATE EXCLUSIVE on bots.messages_2025_b
SET lock_timeout = 0;
SET statement_timeout = 0;
CREATE INDEX CONCURRENTLY "messages_2025_b_ix_messages_chat__replacement" ON "bots"."messages_2025_b" USING "btree" ("chat_id", "created_at" DESC);
RESET lock_timeout;
RESET statement_timeout;

-- attach index bots.messages_2025_b_ix_messages_chat__replacement to bots.messages_2025_ix_messages_chat__replacement
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
ALTER INDEX "bots"."messages_2025_ix_messages_chat__replacement" ATTACH PARTITION "bots"."messages_2025_b_ix_messages_chat__replacement";
COMMIT;

-- attach index bots.messages_2025_ix_messages_chat__replacement to bots.ix_messages_chat__replacement
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
ALTER INDEX "bots"."ix_messages_chat__replacement" ATTACH PARTITION "bots"."messages_2025_ix_messages_chat__replacement";
COMMIT;

-- create index messages_2026_ix_messages_chat__replacement on bots.messages_2026 concurrently
-- locks: SHARE UPDATE EXCLUSIVE on bots.messages_2026
SET lock_timeout = 0;
SET statement_timeout = 0;
CREATE INDEX CONCURRENTLY "messages_2026_ix_messages_chat__replacement" ON "bots"."messages_2026" USING "btree" ("chat_id", "created_at" DESC);
RESET lock_timeout;
RESET statement_timeout;

-- attach index bots.messages_2026_ix_messages_chat__replacement to bots.ix_messages_chat__replacement
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
ALTER INDEX "bots"."ix_messages_chat__replacement" ATTACH PARTITION "bots"."messages_2026_ix_messages_chat__replacement";
COMMIT;

-- give the name bots.ix_messages_chat to the new index of bots.messages
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
ALTER INDEX "bots"."ix_messages_chat" RENAME TO "ix_messages_chat__replaced";
ALTER INDEX "bots"."ix_messages_chat__replacement" RENAME TO "ix_messages_chat";
ALTER INDEX "bots"."messages_2025_ix_messages_chat__replacement" RENAME TO "messages_2025_ix_messages_chat";
ALTER INDEX "bots"."messages_2025_a_ix_messages_chat__replacement" RENAME TO "messages_2025_a_ix_messages_chat";
ALTER INDEX "bots"."messages_2025_b_ix_messages_chat__replacement" RENAME TO "messages_2025_b_ix_messages_chat";
ALTER INDEX "bots"."messages_2026_ix_messages_chat__replacement" RENAME TO "messages_2026_ix_messages_chat";
DO 'DECLARE schema_kit_path text := pg_catalog.current_setting(''search_path''); BEGIN PERFORM pg_catalog.set_config(''search_path'', ''pg_catalog, pg_temp'', true); IF (SELECT bool_and((SELECT concat_ws(''|'', x.indisclustered,
  (SELECT string_agg(concat_ws(''='', a.attnum, a.attstattarget), '','' ORDER BY a.attnum) FROM pg_attribute a
   WHERE a.attrelid = x.indexrelid AND a.attstattarget >= 0), obj_description(x.indexrelid, ''pg_class''))
FROM pg_index x WHERE x.indexrelid = to_regclass(s.name) AND NOT x.indisreplident
  AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = x.indexrelid)) IS NOT DISTINCT FROM s.marks) FROM (VALUES (''"bots"."ix_messages_chat__replaced"'', ''f''), (''"bots"."messages_2026_chat_id_idx"'', ''f'')) s (name, marks)) IS NOT TRUE THEN RAISE serialization_failure USING MESSAGE = ''what rests on bots.ix_messages_chat, or was set for it, has changed''; END IF; PERFORM pg_catalog.set_config(''search_path'', schema_kit_path, true); END';
COMMENT ON INDEX "bots"."ix_messages_chat__replaced" IS 'schema_kit: replaced, about to be dropped';
COMMIT;

-- drop the partitioned index bots.ix_messages_chat__replaced (blocks bots.messages and its partitions briefly)
-- locks: ACCESS EXCLUSIVE on bots.messages
-- locks: ACCESS EXCLUSIVE on bots.messages_2025
-- locks: ACCESS EXCLUSIVE on bots.messages_2025_a
-- locks: ACCESS EXCLUSIVE on bots.messages_2025_b
-- locks: ACCESS EXCLUSIVE on bots.messages_2026
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL idle_in_transaction_session_timeout = '5000ms';
SET LOCAL statement_timeout = '5000ms';
DO 'BEGIN LOCK TABLE ONLY "bots"."messages", ONLY "bots"."messages_2025", ONLY "bots"."messages_2025_a", ONLY "bots"."messages_2025_b", ONLY "bots"."messages_2026" IN ACCESS EXCLUSIVE MODE; EXCEPTION WHEN query_canceled THEN RAISE lock_not_available USING MESSAGE = ''locks not taken in time''; END';
SET LOCAL statement_timeout = '30000ms';
SELECT pg_catalog.set_config('transaction_timeout', '30000ms', true) WHERE pg_catalog.current_setting('transaction_timeout', true) IS NOT NULL;
DROP INDEX "bots"."ix_messages_chat__replaced";
COMMIT;
