-- create extension pg_trgm
-- With the list of what was made.

-- create schema_kit.created_object
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
-- all of sql/tables/created_object.sql
COMMIT;

-- create extension pg_trgm
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
CREATE EXTENSION "pg_trgm" SCHEMA public;
INSERT INTO "schema_kit"."created_object" (kind, name) VALUES ('extension', 'pg_trgm') ON CONFLICT DO NOTHING;
COMMIT;
