-- create index ix_messages_chat on bots.messages
-- It is waited for, and what is to be done is decided again.

-- wait for another session that builds ix_messages_chat on bots.messages
-- locks: SHARE UPDATE EXCLUSIVE on bots.messages
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
LOCK TABLE ONLY "bots"."messages" IN SHARE UPDATE EXCLUSIVE MODE;
COMMIT;

-- create index ix_messages_chat on bots.messages concurrently
-- locks: SHARE UPDATE EXCLUSIVE on bots.messages
SET lock_timeout = 0;
SET statement_timeout = 0;
CREATE INDEX CONCURRENTLY "ix_messages_chat" ON "bots"."messages" USING "btree" ("chat_id", "created_at" DESC);
RESET lock_timeout;
RESET statement_timeout;
