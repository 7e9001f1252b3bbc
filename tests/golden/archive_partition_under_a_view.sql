-- archive
-- Both in one commit.

-- add check logins_p20260801__bounds to shop.logins_p20260801, not validated
-- locks: ACCESS EXCLUSIVE on shop.logins_p20260801
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL idle_in_transaction_session_timeout = '5000ms';
SET LOCAL statement_timeout = '30000ms';
SELECT pg_catalog.set_config('transaction_timeout', '30000ms', true) WHERE pg_catalog.current_setting('transaction_timeout', true) IS NOT NULL;
ALTER TABLE "shop"."logins_p20260801" ADD CONSTRAINT "logins_p20260801__bounds" CHECK ("created_at" IS NOT NULL AND "created_at" >= '2026-08-01 00:00:00+00' AND "created_at" < '2026-09-01 00:00:00+00') NOT VALID;
COMMIT;

-- validate logins_p20260801__bounds of shop.logins_p20260801
-- locks: SHARE UPDATE EXCLUSIVE on shop.logins_p20260801
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
ALTER TABLE "shop"."logins_p20260801" VALIDATE CONSTRAINT "logins_p20260801__bounds";
COMMIT;

-- move shop.logins_p20260801 from shop.logins to shop.logins_archive in one commit: view shop.all_logins shows both tables, and would miss its rows in between
-- locks: ACCESS EXCLUSIVE on shop.logins
-- locks: ACCESS EXCLUSIVE on shop.logins_p20260801
-- locks: SHARE ROW EXCLUSIVE on shop.logins_archive
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL idle_in_transaction_session_timeout = '5000ms';
SET LOCAL statement_timeout = '5000ms';
DO 'BEGIN LOCK TABLE ONLY "shop"."logins" IN ACCESS EXCLUSIVE MODE; LOCK TABLE ONLY "shop"."logins_p20260801" IN ACCESS EXCLUSIVE MODE; LOCK TABLE ONLY "shop"."logins_archive" IN SHARE ROW EXCLUSIVE MODE; EXCEPTION WHEN query_canceled THEN RAISE lock_not_available USING MESSAGE = ''locks not taken in time''; END';
SET LOCAL statement_timeout = '30000ms';
SELECT pg_catalog.set_config('transaction_timeout', '30000ms', true) WHERE pg_catalog.current_setting('transaction_timeout', true) IS NOT NULL;
LOCK TABLE ONLY "shop"."logins_archive" IN SHARE ROW EXCLUSIVE MODE;
DO 'DECLARE schema_kit_path text := pg_catalog.current_setting(''search_path''); BEGIN PERFORM pg_catalog.set_config(''search_path'', ''pg_catalog, pg_temp'', true); IF (NOT EXISTS (SELECT 1 FROM pg_class t, pg_class a WHERE t.oid = to_regclass(''"shop"."logins"'') AND a.oid = to_regclass(''"shop"."logins_archive"'') AND t.relrowsecurity AND NOT a.relrowsecurity AND (EXISTS (SELECT 1 FROM aclexplode(a.relacl) g WHERE g.grantee <> a.relowner) OR EXISTS (SELECT 1 FROM pg_attribute c WHERE c.attrelid = a.oid AND c.attacl IS NOT NULL)))) IS NOT TRUE THEN RAISE serialization_failure USING MESSAGE = ''shop.logins_archive has no row security, and shop.logins has''; END IF; PERFORM pg_catalog.set_config(''search_path'', schema_kit_path, true); END';
DO 'DECLARE schema_kit_path text := pg_catalog.current_setting(''search_path''); BEGIN PERFORM pg_catalog.set_config(''search_path'', ''pg_catalog, pg_temp'', true); IF NOT EXISTS (SELECT 1 FROM pg_catalog.pg_inherits WHERE inhrelid = 16600 AND inhrelid = ''"shop"."logins_p20260801"''::pg_catalog.regclass AND inhparent = ''"shop"."logins"''::pg_catalog.regclass AND xmin::text = ''734'') THEN RAISE serialization_failure USING MESSAGE = ''shop.logins_p20260801 is not the partition of shop.logins any more that was looked at''; END IF; PERFORM pg_catalog.set_config(''search_path'', schema_kit_path, true); END';
ALTER TABLE "shop"."logins" DETACH PARTITION "shop"."logins_p20260801";
ALTER TABLE "shop"."logins_archive" ATTACH PARTITION "shop"."logins_p20260801" FOR VALUES FROM ('2026-08-01 00:00:00+00') TO ('2026-09-01 00:00:00+00');
INSERT INTO "schema_kit"."archived_partition" (partition_name, table_name, archive_table, bounds, goes_to, moved_at) VALUES ('shop.logins_p20260801', 'shop.logins', 'shop.logins_archive', 'FOR VALUES FROM (''2026-08-01 00:00:00+00'') TO (''2026-09-01 00:00:00+00'')', 'shop.logins_archive', pg_catalog.now()) ON CONFLICT (partition_name) DO UPDATE SET (table_name, archive_table, bounds, goes_to, moved_at) = (excluded.table_name, excluded.archive_table, excluded.bounds, excluded.goes_to, excluded.moved_at);
COMMIT;
