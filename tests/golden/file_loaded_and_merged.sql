-- import
-- The key says what exists already; the manifest says in the same commit that the rows are back.

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
INSERT INTO "s"."t" ("id", "n""") OVERRIDING SYSTEM VALUE SELECT "id", "n""" FROM "s"."t__restored" ON CONFLICT DO NOTHING;
DO 'DECLARE schema_kit_path text := pg_catalog.current_setting(''search_path''); differing text; BEGIN PERFORM pg_catalog.set_config(''search_path'', ''pg_catalog, pg_temp'', true); SELECT pg_catalog.string_agg(named, '', '') INTO differing FROM (SELECT pg_catalog.concat(''('', pg_catalog.concat_ws('', '', l."id"), '')'') AS named FROM "s"."t__restored" l WHERE NOT EXISTS (SELECT 1 FROM "s"."t" t WHERE t."id" OPERATOR("pg_catalog".=) l."id" AND ROW(t."id", t."n""", t."twice")::pg_catalog.text = ROW(l."id", l."n""", l."twice")::pg_catalog.text) LIMIT 5) wrong; IF differing IS NOT NULL THEN RAISE unique_violation USING MESSAGE = ''rows of the same key differ in s.t, or another unique index has taken their values: (id) = '' || differing; END IF; PERFORM pg_catalog.set_config(''search_path'', schema_kit_path, true); END';
UPDATE "schema_kit"."archive_file" SET restored_at = pg_catalog.now(), restored_to = 's.t' WHERE file_url = 'file:///srv/a.parquet';
DROP TABLE "s"."t__restored";
COMMIT;
