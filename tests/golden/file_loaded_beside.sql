-- import
-- It stays there; what an earlier run has left is dropped first.

-- drop s.t__restored, which is not what the file holds
-- locks: ACCESS EXCLUSIVE on s.t__restored
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL idle_in_transaction_session_timeout = '5000ms';
SET LOCAL statement_timeout = '30000ms';
SELECT pg_catalog.set_config('transaction_timeout', '30000ms', true) WHERE pg_catalog.current_setting('transaction_timeout', true) IS NOT NULL;
LOCK TABLE ONLY "s"."t__restored" IN ACCESS EXCLUSIVE MODE;
DO 'DECLARE schema_kit_path text := pg_catalog.current_setting(''search_path''); BEGIN PERFORM pg_catalog.set_config(''search_path'', ''pg_catalog, pg_temp'', true); IF pg_catalog.starts_with(pg_catalog.obj_description(''"s"."t__restored"''::pg_catalog.regclass, ''pg_class''), ''schema_kit: being restored from '') IS NOT TRUE OR EXISTS (SELECT 1 FROM pg_catalog.pg_inherits WHERE inhrelid = ''"s"."t__restored"''::pg_catalog.regclass) THEN RAISE object_in_use USING MESSAGE = ''s.t__restored is in use by now''; END IF; PERFORM pg_catalog.set_config(''search_path'', schema_kit_path, true); END';
DROP TABLE "s"."t__restored";
COMMIT;

-- load file:///srv/a.parquet into s.t__restored
-- COPY reads what the summary names: psql does not find it here
BEGIN;
SET LOCAL search_path = '';
SET LOCAL TimeZone = 'UTC';
SET LOCAL DateStyle = 'ISO, YMD';
SET LOCAL IntervalStyle = 'postgres';
SET LOCAL client_encoding = 'UTF8';
SET LOCAL extra_float_digits = '1';
SET LOCAL bytea_output = 'hex';
SET LOCAL lc_monetary = 'C';
SET LOCAL xmloption = 'content';
SET LOCAL row_security = 'off';
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
CREATE TABLE "s"."t__restored" (LIKE "s"."t" INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING GENERATED INCLUDING STORAGE INCLUDING COMPRESSION);
COMMENT ON TABLE "s"."t__restored" IS 'schema_kit: being restored from file:///srv/a.parquet';
COPY "s"."t__restored" ("id", "n""") FROM STDIN (FORMAT csv);
COMMIT;

-- keep s.t__restored, which holds what the file does
-- locks: SHARE UPDATE EXCLUSIVE on s.t__restored
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
COMMENT ON TABLE "s"."t__restored" IS NULL;
COMMIT;

-- record that the rows of file:///srv/a.parquet are in s.t__restored
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
UPDATE "schema_kit"."archive_file" SET restored_at = pg_catalog.now(), restored_to = 's.t__restored' WHERE file_url = 'file:///srv/a.parquet';
COMMIT;
