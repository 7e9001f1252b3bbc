-- detach bots.messages_p20261001 from bots.messages
-- Its locks have a share of the budget each.

-- create schema_kit.retired_partition
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
CREATE SCHEMA IF NOT EXISTS "schema_kit";
CREATE TABLE IF NOT EXISTS "schema_kit".retired_partition (
    partition_oid  oid         PRIMARY KEY, -- with the name: a table that was renamed or restored is another one
    partition_name text        NOT NULL,
    parent_table   text        NOT NULL,
    by_policy      boolean     NOT NULL, -- retired by its set's policy, which may drop it, or by an operation
    bounds         text        NOT NULL, -- FOR VALUES ..., as it reads under TimeZone UTC and DateStyle ISO
    retired_at     timestamptz NOT NULL DEFAULT now() -- the grace period begins here
);
ALTER TABLE "schema_kit".retired_partition ADD COLUMN IF NOT EXISTS by_ttl boolean NOT NULL DEFAULT false;
COMMIT;

-- record that bots.messages_p20261001 leaves bots.messages
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
INSERT INTO "schema_kit"."retired_partition" (partition_oid, partition_name, parent_table, bounds, by_policy, by_ttl) VALUES ('"bots"."messages_p20261001"'::pg_catalog.regclass, 'bots.messages_p20261001', 'bots.messages', 'FOR VALUES FROM (''2026-09-30 17:00:00+00'') TO (''2026-10-31 17:00:00+00'')', false, false) ON CONFLICT (partition_oid) DO UPDATE SET (partition_name, parent_table, bounds, by_policy, by_ttl, retired_at) = (excluded.partition_name, excluded.parent_table, excluded.bounds, excluded.by_policy, excluded.by_ttl, now());
COMMIT;

-- detach bots.messages_p20261001 from bots.messages concurrently
-- locks: SHARE UPDATE EXCLUSIVE on bots.messages
-- locks: ACCESS EXCLUSIVE on bots.messages_p20261001
-- locks: ACCESS EXCLUSIVE on bots.reactions
-- locks: SHARE ROW EXCLUSIVE on bots.chats
SET lock_timeout = '266ms';
SET statement_timeout = '30000ms';
ALTER TABLE "bots"."messages" DETACH PARTITION "bots"."messages_p20261001" CONCURRENTLY;
RESET lock_timeout;
RESET statement_timeout;
