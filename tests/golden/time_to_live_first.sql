-- set the time-to-live of chat.sessions
-- A policy, and the table that holds it.

-- create schema_kit.ttl_policy
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
DO $do$ BEGIN -- one that a DBA has made is enough: CREATE SCHEMA asks for rights on the database before it looks
    IF to_regnamespace($name$"schema_kit"$name$) IS NULL THEN CREATE SCHEMA IF NOT EXISTS "schema_kit"; END IF;
END $do$;
CREATE TABLE IF NOT EXISTS "schema_kit".ttl_policy (
    table_name      text    PRIMARY KEY,
    column_name     text    NOT NULL,
    age             text, -- how old a row becomes; NULL where the column itself says when it expires
    timezone        text    NOT NULL DEFAULT 'UTC',
    encoding        text    NOT NULL DEFAULT '', -- of a column that is no date or time
    tree            jsonb, -- the tables whose rows go along; NULL: those whose foreign keys say ON DELETE CASCADE
    archive_first   boolean NOT NULL DEFAULT false,
    batch_size      integer NOT NULL DEFAULT 1000, -- of the first batch
    target_seconds  float8  NOT NULL DEFAULT 0.5,
    max_replica_lag float8           DEFAULT 10, -- NULL: never pause
    max_dead_share  float8           DEFAULT 0.2
);
COMMIT;

-- register the time-to-live of chat.sessions
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
INSERT INTO "schema_kit"."ttl_policy" (table_name, column_name, age, timezone, encoding, tree, archive_first, batch_size, target_seconds, max_replica_lag, max_dead_share) VALUES ('chat.sessions', 'expires_at', '90 days', 'Asia/Bangkok', '', '{"threads": {"Messages": {}}}', false, 1000, 0.5, 10.0, 0.2) ON CONFLICT (table_name) DO UPDATE SET column_name = excluded.column_name, age = excluded.age, timezone = excluded.timezone, encoding = excluded.encoding, tree = excluded.tree, archive_first = excluded.archive_first, batch_size = excluded.batch_size, target_seconds = excluded.target_seconds, max_replica_lag = excluded.max_replica_lag, max_dead_share = excluded.max_dead_share;
COMMIT;
