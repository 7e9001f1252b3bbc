-- create index ix_messages_chat on bots.messages
-- Killed while the second leaf was built.

-- drop index bots.messages_2025_b_ix_messages_chat concurrently
-- locks: SHARE UPDATE EXCLUSIVE on bots.messages_2025_b
SET lock_timeout = 0;
SET statement_timeout = 0;
DROP INDEX CONCURRENTLY IF EXISTS "bots"."messages_2025_b_ix_messages_chat";
RESET lock_timeout;
RESET statement_timeout;

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
