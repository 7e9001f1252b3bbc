-- detach bots.messages_p20261001 from bots.messages
-- Its locks have a share of the budget each.

-- create schema_kit.retired_partition
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
DO $do$ BEGIN -- one that a DBA has made is enough: CREATE SCHEMA asks for rights on the database before it looks
    IF to_regnamespace($name$"schema_kit"$name$) IS NULL THEN CREATE SCHEMA IF NOT EXISTS "schema_kit"; END IF;
END $do$;
CREATE TABLE IF NOT EXISTS "schema_kit".retired_partition (
    partition_name text        CONSTRAINT retired_partition_pkey PRIMARY KEY,
    partition_oid  oid         NOT NULL, -- tells a table that was made since under its name, until oids mean nothing
    parent_table   text        NOT NULL,
    by_policy      boolean     NOT NULL, -- retired by its set's policy, which may drop it, or by an operation
    bounds         text        NOT NULL, -- FOR VALUES ..., as it reads under TimeZone UTC and DateStyle ISO
    retired_at     timestamptz NOT NULL DEFAULT now() -- the grace period begins here
);
ALTER TABLE "schema_kit".retired_partition ADD COLUMN IF NOT EXISTS by_ttl boolean NOT NULL DEFAULT false;
ALTER TABLE "schema_kit".retired_partition ADD COLUMN IF NOT EXISTS record_oid oid;
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_catalog.pg_index x JOIN pg_catalog.pg_attribute a
               ON a.attrelid = x.indrelid AND a.attnum = x.indkey[0] AND a.attname = 'partition_oid'
               WHERE x.indrelid = '"schema_kit".retired_partition'::pg_catalog.regclass AND x.indisprimary) THEN
        DELETE FROM "schema_kit".retired_partition r USING "schema_kit".retired_partition later
        WHERE later.partition_name = r.partition_name
          AND (later.retired_at, later.partition_oid) > (r.retired_at, r.partition_oid);
        ALTER TABLE "schema_kit".retired_partition DROP CONSTRAINT retired_partition_pkey;
        ALTER TABLE "schema_kit".retired_partition ADD CONSTRAINT retired_partition_pkey PRIMARY KEY (partition_name);
        UPDATE "schema_kit".retired_partition r SET record_oid = r.tableoid FROM pg_catalog.pg_class c
        WHERE c.oid = r.partition_oid AND pg_catalog.strpos(r.partition_name, c.relname) > 0;
    END IF;
END $$;
COMMIT;

-- record that bots.messages_p20261001 leaves bots.messages
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
INSERT INTO "schema_kit"."retired_partition" (partition_oid, partition_name, parent_table, bounds, by_policy, by_ttl, record_oid) VALUES ('"bots"."messages_p20261001"'::pg_catalog.regclass, 'bots.messages_p20261001', 'bots.messages', 'FOR VALUES FROM (''2026-09-30 17:00:00+00'') TO (''2026-10-31 17:00:00+00'')', false, false, '"schema_kit"."retired_partition"'::pg_catalog.regclass) ON CONFLICT (partition_name) DO UPDATE SET (partition_oid, parent_table, bounds, by_policy, by_ttl, record_oid, retired_at) = (excluded.partition_oid, excluded.parent_table, excluded.bounds, excluded.by_policy, excluded.by_ttl, excluded.record_oid, now());
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
