-- drop extension pg_trgm
-- Made here.

-- drop extension pg_trgm
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
DROP EXTENSION "pg_trgm";
DELETE FROM "schema_kit"."created_object" WHERE kind = 'extension' AND name = 'pg_trgm';
COMMIT;

-- drop schema_kit.created_object
-- locks: ACCESS EXCLUSIVE on schema_kit.created_object
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL idle_in_transaction_session_timeout = '5000ms';
SET LOCAL statement_timeout = '30000ms';
SELECT pg_catalog.set_config('transaction_timeout', '30000ms', true) WHERE pg_catalog.current_setting('transaction_timeout', true) IS NOT NULL;
DROP TABLE "schema_kit"."created_object";
DROP SCHEMA "schema_kit";
COMMIT;
