-- build index bots.ix_messages_chat again
-- An earlier try was killed, and the index itself is INVALID.

-- drop index bots.ix_messages_chat_ccnew concurrently
-- locks: SHARE UPDATE EXCLUSIVE on bots.messages
SET lock_timeout = 0;
SET statement_timeout = 0;
DROP INDEX CONCURRENTLY IF EXISTS "bots"."ix_messages_chat_ccnew";
RESET lock_timeout;
RESET statement_timeout;

-- drop index bots.ix_messages_chat_ccold1 concurrently
-- locks: SHARE UPDATE EXCLUSIVE on bots.messages
SET lock_timeout = 0;
SET statement_timeout = 0;
DROP INDEX CONCURRENTLY IF EXISTS "bots"."ix_messages_chat_ccold1";
RESET lock_timeout;
RESET statement_timeout;

-- build index bots.ix_messages_chat again concurrently
-- locks: SHARE UPDATE EXCLUSIVE on bots.messages
SET lock_timeout = 0;
SET statement_timeout = 0;
REINDEX INDEX CONCURRENTLY "bots"."ix_messages_chat";
RESET lock_timeout;
RESET statement_timeout;
