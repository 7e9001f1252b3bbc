-- import
-- Its bounds are what PostgreSQL has printed when it was written.

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

-- attach s.t__restored to s.t FOR VALUES IN ('a''b', NULL)
-- locks: SHARE UPDATE EXCLUSIVE on s.t
-- locks: ACCESS EXCLUSIVE on s.t__restored
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL idle_in_transaction_session_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
ALTER TABLE "s"."t" ATTACH PARTITION "s"."t__restored" FOR VALUES IN ('a''b', NULL);
COMMIT;

-- record that the rows of file:///srv/a.parquet are in s.t__restored
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
UPDATE "schema_kit"."archive_file" SET restored_at = pg_catalog.now(), restored_to = 's.t__restored' WHERE file_url = 'file:///srv/a.parquet';
COMMIT;
