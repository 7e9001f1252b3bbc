-- create index ix_messages_chat on bots.messages
-- PostgreSQL drops no attached index alone, so it is built again in its place.

-- build index bots.messages_2026_ix_messages_chat again concurrently
-- locks: SHARE UPDATE EXCLUSIVE on bots.messages_2026
SET lock_timeout = 0;
SET statement_timeout = 0;
REINDEX INDEX CONCURRENTLY "bots"."messages_2026_ix_messages_chat";
RESET lock_timeout;
RESET statement_timeout;

-- attach index bots.messages_2025_ix_messages_chat to bots.ix_messages_chat
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
ALTER INDEX "bots"."ix_messages_chat" ATTACH PARTITION "bots"."messages_2025_ix_messages_chat";
COMMIT;
