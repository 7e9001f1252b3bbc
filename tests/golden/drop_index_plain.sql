-- drop index bots.ix_messages_chat
-- Concurrently.

-- drop index bots.ix_messages_chat concurrently
-- locks: SHARE UPDATE EXCLUSIVE on bots.messages
SET lock_timeout = 0;
SET statement_timeout = 0;
DROP INDEX CONCURRENTLY IF EXISTS "bots"."ix_messages_chat";
RESET lock_timeout;
RESET statement_timeout;
