-- create the baseline
-- One table exists in the same shape.

-- create table bots.messages
-- locks: SHARE ROW EXCLUSIVE on bots.chats
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL idle_in_transaction_session_timeout = '5000ms';
SET LOCAL statement_timeout = '30000ms';
SELECT pg_catalog.set_config('transaction_timeout', '30000ms', true) WHERE pg_catalog.current_setting('transaction_timeout', true) IS NOT NULL;
CREATE TABLE bots.messages (id bigint PRIMARY KEY, chat_id bigint REFERENCES bots.chats);
INSERT INTO "schema_kit"."created_object" (kind, name) VALUES ('table', 'bots.messages') ON CONFLICT DO NOTHING;
COMMIT;
