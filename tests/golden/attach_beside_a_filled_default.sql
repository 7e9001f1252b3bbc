-- attach bots.imported to bots.messages
-- Both are validated first.

-- create index imported_messages_created_at_idx on bots.imported concurrently
-- locks: SHARE UPDATE EXCLUSIVE on bots.imported
SET lock_timeout = 0;
SET statement_timeout = 0;
CREATE INDEX CONCURRENTLY "imported_messages_created_at_idx" ON "bots"."imported" USING btree (created_at);
RESET lock_timeout;
RESET statement_timeout;

-- add check imported__bounds to bots.imported, not validated
-- locks: ACCESS EXCLUSIVE on bots.imported
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL idle_in_transaction_session_timeout = '5000ms';
SET LOCAL statement_timeout = '30000ms';
SELECT pg_catalog.set_config('transaction_timeout', '30000ms', true) WHERE pg_catalog.current_setting('transaction_timeout', true) IS NOT NULL;
ALTER TABLE "bots"."imported" ADD CONSTRAINT "imported__bounds" CHECK ("created_at" IS NOT NULL AND "created_at" < '2026-09-30 17:00:00+00') NOT VALID;
COMMIT;

-- validate imported__bounds of bots.imported
-- locks: SHARE UPDATE EXCLUSIVE on bots.imported
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
ALTER TABLE "bots"."imported" VALIDATE CONSTRAINT "imported__bounds";
COMMIT;

-- add check imported_not_here to bots.messages_default, not validated
-- locks: ACCESS EXCLUSIVE on bots.messages_default
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL idle_in_transaction_session_timeout = '5000ms';
SET LOCAL statement_timeout = '30000ms';
SELECT pg_catalog.set_config('transaction_timeout', '30000ms', true) WHERE pg_catalog.current_setting('transaction_timeout', true) IS NOT NULL;
ALTER TABLE "bots"."messages_default" ADD CONSTRAINT "imported_not_here" CHECK ("created_at" >= '2026-09-30 17:00:00+00') NOT VALID;
COMMIT;

-- validate imported_not_here of bots.messages_default
-- locks: SHARE UPDATE EXCLUSIVE on bots.messages_default
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
ALTER TABLE "bots"."messages_default" VALIDATE CONSTRAINT "imported_not_here";
COMMIT;

-- attach bots.imported to bots.messages from MINVALUE to 2026-09-30 17:00:00+00
-- locks: SHARE UPDATE EXCLUSIVE on bots.messages
-- locks: ACCESS EXCLUSIVE on bots.imported
-- locks: ACCESS EXCLUSIVE on bots.messages_default
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL idle_in_transaction_session_timeout = '5000ms';
SET LOCAL statement_timeout = '5000ms';
DO 'BEGIN LOCK TABLE ONLY "bots"."imported", ONLY "bots"."messages_default" IN ACCESS EXCLUSIVE MODE; EXCEPTION WHEN query_canceled THEN RAISE lock_not_available USING MESSAGE = ''locks not taken in time''; END';
SET LOCAL statement_timeout = '30000ms';
SELECT pg_catalog.set_config('transaction_timeout', '30000ms', true) WHERE pg_catalog.current_setting('transaction_timeout', true) IS NOT NULL;
ALTER TABLE "bots"."messages" ATTACH PARTITION "bots"."imported" FOR VALUES FROM (MINVALUE) TO ('2026-09-30 17:00:00+00');
ALTER TABLE "bots"."imported" DROP CONSTRAINT "imported__bounds";
ALTER TABLE "bots"."messages_default" DROP CONSTRAINT "imported_not_here";
COMMIT;
