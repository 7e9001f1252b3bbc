-- drop extension pg_trgm
-- Made here.

-- drop extension pg_trgm
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
DROP EXTENSION "pg_trgm";
DELETE FROM "schema_kit"."created_object" WHERE kind = 'extension' AND name = 'pg_trgm';
COMMIT;
