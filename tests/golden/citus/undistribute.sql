-- take shop.items back to the coordinator; reads and writes wait while its rows are copied
-- locks: ACCESS EXCLUSIVE on shop.items
BEGIN;
SET LOCAL citus.multi_shard_modify_mode = 'sequential';
SET LOCAL citus.propagate_set_commands = 'local';
SET LOCAL lock_timeout = '5000ms';
SET LOCAL citus.propagate_set_commands = 'none';
SET LOCAL idle_in_transaction_session_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
SELECT pg_catalog.undistribute_table('"shop"."items"');
COMMIT;

