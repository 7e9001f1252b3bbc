-- create index ix_messages_chat on bots.messages
-- A child that was INVALID when it was attached was mended since.

-- attach index bots.messages_2025_ix_messages_chat to bots.ix_messages_chat
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
ALTER INDEX "bots"."ix_messages_chat" ATTACH PARTITION "bots"."messages_2025_ix_messages_chat";
COMMIT;
