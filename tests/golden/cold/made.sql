-- create schema_kit.cold_archive
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
DO $do$ BEGIN -- one that a DBA has made is enough: CREATE SCHEMA asks for rights on the database before it looks
    IF pg_catalog.to_regnamespace($name$"schema_kit"$name$) IS NULL THEN CREATE SCHEMA IF NOT EXISTS "schema_kit"; END IF;
END $do$;
CREATE TABLE IF NOT EXISTS "schema_kit".cold_archive (
    table_name    text NOT NULL PRIMARY KEY,
    archive_table text NOT NULL,
    cold_table    text NOT NULL UNIQUE, -- partitioned; its partitions are foreign tables
    server_name   text NOT NULL,        -- the foreign server
    remote_schema text NOT NULL,        -- the schema of its tables there
    view_name     text,                 -- the view over all three
    identity      uuid NOT NULL DEFAULT pg_catalog.gen_random_uuid(), -- in the comment of each of its tables there
    cluster       text NOT NULL -- the database that they belong to: a clone of it must not change what is there
);
CREATE TABLE IF NOT EXISTS "schema_kit".cold_partition (
    partition_name text NOT NULL PRIMARY KEY, -- as it is called in the archive
    table_name     text NOT NULL,
    foreign_table  text NOT NULL UNIQUE,
    remote_table   text NOT NULL, -- its name on the server
    bounds         text NOT NULL, -- FOR VALUES ..., as it reads under TimeZone UTC and DateStyle ISO
    copied_at      timestamptz,   -- since when the copy is complete, there or, where it returns, here; NULL: it is not
    returns        boolean NOT NULL DEFAULT false,
    moved_at       timestamptz,   -- since when it is a partition of the cold table; NULL where it is not
    row_count      bigint,        -- what was copied there
    checksum       numeric,       -- NULL: not compared when it returns
    differs        text           -- how a copy differed, so that it was made again
);
ALTER TABLE "schema_kit".cold_partition ADD COLUMN IF NOT EXISTS summed text[];
ALTER TABLE "schema_kit".cold_partition ADD COLUMN IF NOT EXISTS own jsonb;
COMMIT;

-- create chat.messages_cold, for partitions on server cold
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
CREATE TABLE "chat"."messages_cold" ("id" bigint NOT NULL, "at" timestamp with time zone NOT NULL, "it's" text COLLATE pg_catalog."C", "mood" chat.mood, "twice" bigint) PARTITION BY RANGE ("at");
ALTER TABLE "chat"."messages_cold" OWNER TO "app";
GRANT SELECT ON "chat"."messages_cold" TO reader;
COMMENT ON TABLE "chat"."messages_cold" IS 'Rows that left chat.messages for server cold';
INSERT INTO "schema_kit"."cold_archive" (table_name, archive_table, cold_table, server_name, remote_schema, view_name, cluster) VALUES ('chat.messages', 'chat.messages_archive', 'chat.messages_cold', 'cold', 'old', 'chat.all_messages', (SELECT pg_catalog.concat_ws('/', s.system_identifier, d.oid) FROM pg_catalog.pg_control_system() s, pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()));
COMMIT;

-- replace view chat.all_messages over chat.messages and chat.messages_archive and chat.messages_cold
-- locks: ACCESS EXCLUSIVE on chat.all_messages
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL idle_in_transaction_session_timeout = '5000ms';
SET LOCAL statement_timeout = '30000ms';
SELECT pg_catalog.set_config('transaction_timeout', '30000ms', true) WHERE pg_catalog.current_setting('transaction_timeout', true) IS NOT NULL;
CREATE OR REPLACE VIEW "chat"."all_messages" WITH (security_invoker = true) AS SELECT  FROM "chat"."messages" UNION ALL SELECT  FROM "chat"."messages_archive" UNION ALL SELECT  FROM "chat"."messages_cold";
GRANT SELECT ON "chat"."all_messages" TO reader;
ALTER VIEW "chat"."all_messages" OWNER TO "app";
COMMIT;

