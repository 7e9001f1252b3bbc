-- detach shop.items_p20260101 from shop.items, blocking: shop.items_p20260101 is distributed by tenant, and Citus detaches none concurrently
-- locks: ACCESS EXCLUSIVE on shop.items
-- locks: ACCESS EXCLUSIVE on shop.items_p20260101
BEGIN;
SET LOCAL citus.multi_shard_modify_mode = 'sequential';
SET LOCAL citus.propagate_set_commands = 'local';
SET LOCAL lock_timeout = '5000ms';
SET LOCAL citus.propagate_set_commands = 'none';
SET LOCAL idle_in_transaction_session_timeout = '5000ms';
SET LOCAL statement_timeout = '5000ms';
DO 'BEGIN LOCK TABLE ONLY "shop"."items", ONLY "shop"."items_p20260101" IN ACCESS EXCLUSIVE MODE; EXCEPTION WHEN query_canceled THEN RAISE lock_not_available USING MESSAGE = ''locks not taken in time''; END';
SET LOCAL statement_timeout = '30000ms';
SELECT pg_catalog.set_config('transaction_timeout', '30000ms', true) WHERE pg_catalog.current_setting('transaction_timeout', true) IS NOT NULL;
ALTER TABLE "shop"."items" DETACH PARTITION "shop"."items_p20260101";
COMMIT;

