-- create index ix_messages_chat on bots.messages
-- Partitions of partitions.

-- create the partitioned index ix_messages_chat on bots.messages, without its partitions
-- locks: SHARE on bots.messages
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL idle_in_transaction_session_timeout = '5000ms';
SET LOCAL statement_timeout = '30000ms';
SELECT pg_catalog.set_config('transaction_timeout', '30000ms', true) WHERE pg_catalog.current_setting('transaction_timeout', true) IS NOT NULL;
CREATE INDEX "ix_messages_chat" ON ONLY "bots"."messages" USING "btree" ("chat_id", "created_at" DESC);
COMMIT;

-- create the partitioned index messages_2025_ix_messages_chat on bots.messages_2025, without its partitions
-- locks: SHARE on bots.messages_2025
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL idle_in_transaction_session_timeout = '5000ms';
SET LOCAL statement_timeout = '30000ms';
SELECT pg_catalog.set_config('transaction_timeout', '30000ms', true) WHERE pg_catalog.current_setting('transaction_timeout', true) IS NOT NULL;
CREATE INDEX "messages_2025_ix_messages_chat" ON ONLY "bots"."messages_2025" USING "btree" ("chat_id", "created_at" DESC);
COMMIT;

-- create index messages_2025_a_ix_messages_chat on bots.messages_2025_a concurrently
-- locks: SHARE UPDATE EXCLUSIVE on bots.messages_2025_a
SET lock_timeout = 0;
SET statement_timeout = 0;
CREATE INDEX CONCURRENTLY "messages_2025_a_ix_messages_chat" ON "bots"."messages_2025_a" USING "btree" ("chat_id", "created_at" DESC);
RESET lock_timeout;
RESET statement_timeout;

-- attach index bots.messages_2025_a_ix_messages_chat to bots.messages_2025_ix_messages_chat
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
ALTER INDEX "bots"."messages_2025_ix_messages_chat" ATTACH PARTITION "bots"."messages_2025_a_ix_messages_chat";
COMMIT;

-- create index messages_2025_b_ix_messages_chat on bots.messages_2025_b concurrently
-- locks: SHARE UPDATE EXCLUSIVE on bots.messages_2025_b
SET lock_timeout = 0;
SET statement_timeout = 0;
CREATE INDEX CONCURRENTLY "messages_2025_b_ix_messages_chat" ON "bots"."messages_2025_b" USING "btree" ("chat_id", "created_at" DESC);
RESET lock_timeout;
RESET statement_timeout;

-- attach index bots.messages_2025_b_ix_messages_chat to bots.messages_2025_ix_messages_chat
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
ALTER INDEX "bots"."messages_2025_ix_messages_chat" ATTACH PARTITION "bots"."messages_2025_b_ix_messages_chat";
COMMIT;

-- attach index bots.messages_2025_ix_messages_chat to bots.ix_messages_chat
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
ALTER INDEX "bots"."ix_messages_chat" ATTACH PARTITION "bots"."messages_2025_ix_messages_chat";
COMMIT;

-- create index messages_2026_ix_messages_chat on bots.messages_2026 concurrently
-- locks: SHARE UPDATE EXCLUSIVE on bots.messages_2026
SET lock_timeout = 0;
SET statement_timeout = 0;
CREATE INDEX CONCURRENTLY "messages_2026_ix_messages_chat" ON "bots"."messages_2026" USING "btree" ("chat_id", "created_at" DESC);
RESET lock_timeout;
RESET statement_timeout;

-- attach index bots.messages_2026_ix_messages_chat to bots.ix_messages_chat
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
ALTER INDEX "bots"."ix_messages_chat" ATTACH PARTITION "bots"."messages_2026_ix_messages_chat";
COMMIT;
