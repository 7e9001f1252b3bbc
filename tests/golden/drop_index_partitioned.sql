-- drop index bots.ix_messages_chat
-- PostgreSQL knows no concurrent way.

-- drop the partitioned index bots.ix_messages_chat (blocks bots.messages and its partitions briefly)
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
DROP INDEX "bots"."ix_messages_chat";
COMMIT;
