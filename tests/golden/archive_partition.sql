-- archive
-- Detached concurrently, then attached.

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

-- record that shop.logins_p20260801 goes from shop.logins to shop.logins_archive
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
LOCK TABLE ONLY "shop"."logins_archive", ONLY "shop"."logins_p20260801" IN ACCESS SHARE MODE;
DO 'BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_inherits WHERE inhrelid = ''"shop"."logins_p20260801"''::pg_catalog.regclass AND inhparent = ''"shop"."logins"''::pg_catalog.regclass) THEN RAISE serialization_failure USING MESSAGE = ''shop.logins_p20260801 is no partition of shop.logins any more: another run was faster''; END IF; END';
INSERT INTO "schema_kit"."retired_partition" (partition_oid, partition_name, parent_table, bounds, by_policy, by_ttl, record_oid) VALUES ('"shop"."logins_p20260801"'::pg_catalog.regclass, 'shop.logins_p20260801', 'shop.logins', 'FOR VALUES ...', false, false, '"schema_kit"."retired_partition"'::pg_catalog.regclass) ON CONFLICT (partition_name) DO UPDATE SET (partition_oid, parent_table, bounds, by_policy, by_ttl, record_oid, retired_at) = (excluded.partition_oid, excluded.parent_table, excluded.bounds, excluded.by_policy, excluded.by_ttl, excluded.record_oid, now());
INSERT INTO "schema_kit"."archived_partition" (partition_name, table_name, archive_table, bounds, goes_to, moved_at) VALUES ('shop.logins_p20260801', 'shop.logins', 'shop.logins_archive', 'FOR VALUES ...', 'shop.logins_archive', NULL) ON CONFLICT (partition_name) DO UPDATE SET (table_name, archive_table, bounds, goes_to, moved_at) = (excluded.table_name, excluded.archive_table, excluded.bounds, excluded.goes_to, excluded.moved_at);
COMMIT;

-- detach shop.logins_p20260801 from shop.logins concurrently
-- locks: SHARE UPDATE EXCLUSIVE on shop.logins
-- locks: ACCESS EXCLUSIVE on shop.logins_p20260801
SET lock_timeout = '5000ms';
SET statement_timeout = '30000ms';
ALTER TABLE "shop"."logins" DETACH PARTITION "shop"."logins_p20260801" CONCURRENTLY;
RESET lock_timeout;
RESET statement_timeout;

-- attach shop.logins_p20260801 to shop.logins_archive from 2026-08-01 00:00:00+00 to 2026-09-01 00:00:00+00
-- locks: SHARE UPDATE EXCLUSIVE on shop.logins_archive
-- locks: ACCESS EXCLUSIVE on shop.logins_p20260801
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL idle_in_transaction_session_timeout = '5000ms';
SET LOCAL statement_timeout = '30000ms';
SELECT set_config('transaction_timeout', '30000ms', true) WHERE current_setting('transaction_timeout', true) IS NOT NULL;
ALTER TABLE "shop"."logins_archive" ATTACH PARTITION "shop"."logins_p20260801" FOR VALUES FROM ('2026-08-01 00:00:00+00') TO ('2026-09-01 00:00:00+00');
INSERT INTO "schema_kit"."archived_partition" (partition_name, table_name, archive_table, bounds, goes_to, moved_at) VALUES ('shop.logins_p20260801', 'shop.logins', 'shop.logins_archive', 'FOR VALUES FROM (''2026-08-01 00:00:00+00'') TO (''2026-09-01 00:00:00+00'')', 'shop.logins_archive', now()) ON CONFLICT (partition_name) DO UPDATE SET (table_name, archive_table, bounds, goes_to, moved_at) = (excluded.table_name, excluded.archive_table, excluded.bounds, excluded.goes_to, excluded.moved_at);
DELETE FROM "schema_kit"."retired_partition" WHERE partition_name = 'shop.logins_p20260801';
COMMIT;
