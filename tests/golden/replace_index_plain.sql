-- replace index ix_messages_chat on bots.messages
-- The index exists with one column; its comment goes over.

-- create index ix_messages_chat__replacement on bots.messages concurrently
-- locks: SHARE UPDATE EXCLUSIVE on bots.messages
SET lock_timeout = 0;
SET statement_timeout = 0;
CREATE INDEX CONCURRENTLY "ix_messages_chat__replacement" ON "bots"."messages" USING "btree" ("chat_id", "created_at" DESC);
RESET lock_timeout;
RESET statement_timeout;

-- give the name bots.ix_messages_chat to the new index of bots.messages
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
ALTER INDEX "bots"."ix_messages_chat" RENAME TO "ix_messages_chat__replaced";
ALTER INDEX "bots"."ix_messages_chat__replacement" RENAME TO "ix_messages_chat";
COMMENT ON INDEX "bots"."ix_messages_chat__replaced" IS 'schema_kit: replaced, about to be dropped';
COMMENT ON INDEX "bots"."ix_messages_chat" IS 'the inbox';
COMMIT;

-- drop index bots.ix_messages_chat__replaced concurrently
-- locks: SHARE UPDATE EXCLUSIVE on bots.messages
SET lock_timeout = 0;
SET statement_timeout = 0;
DROP INDEX CONCURRENTLY IF EXISTS "bots"."ix_messages_chat__replaced";
RESET lock_timeout;
RESET statement_timeout;
