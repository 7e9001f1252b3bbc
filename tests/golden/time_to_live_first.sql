-- set the time-to-live of chat.sessions
-- A policy, and the table that holds it.

-- create schema_kit.ttl_policy
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
-- all of sql/tables/ttl_policy.sql
COMMIT;

-- register the time-to-live of chat.sessions
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
INSERT INTO "schema_kit"."ttl_policy" (table_name, column_name, age, timezone, encoding, tree, archive_first, batch_size, target_seconds, max_replica_lag, max_dead_share) VALUES ('chat.sessions', 'expires_at', '90 days', 'Asia/Bangkok', '', '{"threads": {"Messages": {}}}', false, 1000, 0.5, 10.0, 0.2) ON CONFLICT (table_name) DO UPDATE SET column_name = excluded.column_name, age = excluded.age, timezone = excluded.timezone, encoding = excluded.encoding, tree = excluded.tree, archive_first = excluded.archive_first, batch_size = excluded.batch_size, target_seconds = excluded.target_seconds, max_replica_lag = excluded.max_replica_lag, max_dead_share = excluded.max_dead_share;
COMMIT;
