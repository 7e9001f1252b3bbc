-- import
-- All of the range is the file's, or there is nothing of it.

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
CREATE TABLE "s"."t__restored" ("id" bigint NOT NULL);
COMMENT ON TABLE "s"."t__restored" IS 'schema_kit: being restored from file:///srv/a.parquet';
COPY "s"."t__restored" ("id") FROM STDIN;
COMMIT;

-- insert what is missing of file:///srv/a.parquet into s.t
-- locks: ROW EXCLUSIVE on s.t
-- locks: ACCESS EXCLUSIVE on s.t__restored
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
SET LOCAL idle_in_transaction_session_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
INSERT INTO "s"."t" ("id", "n""") OVERRIDING SYSTEM VALUE SELECT "id", "n""" FROM "s"."t__restored" WHERE NOT EXISTS (SELECT 1 FROM "s"."t" t WHERE t."id" >= '7');
DO 'DECLARE schema_kit_path text := pg_catalog.current_setting(''search_path''); BEGIN PERFORM pg_catalog.set_config(''search_path'', ''pg_catalog, pg_temp'', true); IF EXISTS (SELECT ROW(l."id", l."n""", l."twice")::pg_catalog.text FROM "s"."t__restored" l EXCEPT ALL SELECT ROW(t."id", t."n""", t."twice")::pg_catalog.text FROM "s"."t" t WHERE t."id" >= ''7'') THEN RAISE unique_violation USING MESSAGE = ''s.t has no primary key, and rows of that range that are not the file''''s''; END IF; PERFORM pg_catalog.set_config(''search_path'', schema_kit_path, true); END';
DROP TABLE "s"."t__restored";
COMMIT;
