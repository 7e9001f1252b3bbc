-- create extension pg_trgm
-- With the list of what was made.

-- create schema_kit.created_object
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
DO $do$ BEGIN -- one that a DBA has made is enough: CREATE SCHEMA asks for rights on the database before it looks
    IF to_regnamespace($name$"schema_kit"$name$) IS NULL THEN CREATE SCHEMA IF NOT EXISTS "schema_kit"; END IF;
END $do$;
CREATE TABLE IF NOT EXISTS "schema_kit".created_object (
    kind text NOT NULL, -- schema, table, type, extension
    name text NOT NULL,
    PRIMARY KEY (kind, name)
);
COMMIT;

-- create extension pg_trgm
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
CREATE EXTENSION "pg_trgm" SCHEMA public;
INSERT INTO "schema_kit"."created_object" (kind, name) VALUES ('extension', 'pg_trgm') ON CONFLICT DO NOTHING;
COMMIT;
