-- drop the time-to-live of chat.sessions
-- The last one goes with its table.

-- forget the time-to-live of chat.sessions
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
DELETE FROM "schema_kit"."ttl_policy" WHERE table_name = 'chat.sessions';
COMMIT;

-- forget the time-to-live of chat.threads, and drop schema_kit.ttl_policy, which is empty then
-- locks: ACCESS EXCLUSIVE on schema_kit.ttl_policy
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL idle_in_transaction_session_timeout = '5000ms';
SET LOCAL statement_timeout = '30000ms';
SELECT pg_catalog.set_config('transaction_timeout', '30000ms', true) WHERE pg_catalog.current_setting('transaction_timeout', true) IS NOT NULL;
DROP TABLE "schema_kit"."ttl_policy";
COMMIT;
