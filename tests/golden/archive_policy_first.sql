-- set the archive policy of shop.logins
-- No archive_policy yet.

-- create schema_kit.archive_policy and schema_kit.archived_partition
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
DO $do$ BEGIN -- one that a DBA has made is enough: CREATE SCHEMA asks for rights on the database before it looks
    IF to_regnamespace($name$"schema_kit"$name$) IS NULL THEN CREATE SCHEMA IF NOT EXISTS "schema_kit"; END IF;
END $do$;
CREATE TABLE IF NOT EXISTS "schema_kit".archive_policy (
    table_name    text    NOT NULL PRIMARY KEY,
    archive_table text    NOT NULL,
    archive_after text,    -- how far behind the present: '90 days', or so many ids; NULL where the condition alone decides
    way           text    NOT NULL CHECK (way IN ('partition', 'rows')),
    control       text,    -- by rows: the column that the age is counted from
    condition     text,    -- by rows: SQL over the table's columns
    archived_at   text,    -- by rows: the archive's column that takes the moment
    tree          jsonb,   -- by rows: the tables that go along, children first
    destination   text,    -- where files go, if to files
    compression   text,    -- theirs
    CHECK (archive_after IS NOT NULL OR condition IS NOT NULL)
);
CREATE TABLE IF NOT EXISTS "schema_kit".archived_partition (
    partition_name text CONSTRAINT archived_partition_pkey PRIMARY KEY, -- it is known by that, and by its bounds
    table_name     text NOT NULL,
    archive_table  text NOT NULL,
    bounds         text NOT NULL, -- FOR VALUES ..., as it reads under TimeZone UTC and DateStyle ISO
    goes_to        text NOT NULL, -- the table that it belongs to: the archive, or what it was restored to
    moved_at       timestamptz    -- since when it does; NULL while it is on its way
);
ALTER TABLE "schema_kit".archive_policy ADD COLUMN IF NOT EXISTS restored text[];
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_catalog.pg_attribute WHERE attname = 'partition_oid'
               AND attrelid = '"schema_kit".archived_partition'::pg_catalog.regclass) THEN
        DELETE FROM "schema_kit".archived_partition m USING "schema_kit".archived_partition later
        WHERE later.partition_name = m.partition_name
          AND (coalesce(later.moved_at, 'infinity'), later.partition_oid)
              > (coalesce(m.moved_at, 'infinity'), m.partition_oid);
        ALTER TABLE "schema_kit".archived_partition DROP COLUMN partition_oid;
        ALTER TABLE "schema_kit".archived_partition ADD CONSTRAINT archived_partition_pkey PRIMARY KEY (partition_name);
    END IF;
END $$;
COMMIT;

-- register the archive policy of shop.logins
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
INSERT INTO "schema_kit"."archive_policy" (table_name, archive_table, archive_after, way, control, condition, archived_at, tree, destination, compression) VALUES ('shop.logins', 'shop.logins_archive', '90 days', 'partition', NULL, NULL, NULL, NULL, NULL, NULL) ON CONFLICT (table_name) DO UPDATE SET archive_table = excluded.archive_table, archive_after = excluded.archive_after, way = excluded.way, control = excluded.control, condition = excluded.condition, archived_at = excluded.archived_at, tree = excluded.tree, destination = excluded.destination, compression = excluded.compression;
COMMIT;
