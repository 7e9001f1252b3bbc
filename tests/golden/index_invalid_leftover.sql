-- create index ix_messages_chat on bots.messages
-- A killed build has left an INVALID index.

-- drop index bots.ix_messages_chat concurrently
-- locks: SHARE UPDATE EXCLUSIVE on bots.messages
SET lock_timeout = 0;
SET statement_timeout = 0;
DROP INDEX CONCURRENTLY IF EXISTS "bots"."ix_messages_chat";
RESET lock_timeout;
RESET statement_timeout;

-- create index ix_messages_chat on bots.messages concurrently
-- locks: SHARE UPDATE EXCLUSIVE on bots.messages
SET lock_timeout = 0;
SET statement_timeout = 0;
CREATE INDEX CONCURRENTLY "ix_messages_chat" ON "bots"."messages" USING "btree" ("chat_id", "created_at" DESC);
RESET lock_timeout;
RESET statement_timeout;
