-- archive
-- A run was killed in between; the CHECK is validated again where it is not found.

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

-- attach shop.logins_p20260801 to shop.logins_archive from 2026-08-01 00:00:00+00 to 2026-09-01 00:00:00+00
-- locks: SHARE UPDATE EXCLUSIVE on shop.logins_archive
-- locks: ACCESS EXCLUSIVE on shop.logins_p20260801
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL idle_in_transaction_session_timeout = '5000ms';
SET LOCAL statement_timeout = '30000ms';
SELECT pg_catalog.set_config('transaction_timeout', '30000ms', true) WHERE pg_catalog.current_setting('transaction_timeout', true) IS NOT NULL;
DO 'DECLARE schema_kit_path text := pg_catalog.current_setting(''search_path''); BEGIN PERFORM pg_catalog.set_config(''search_path'', ''pg_catalog, pg_temp'', true); IF (NOT EXISTS (SELECT 1 FROM pg_class t, pg_class a WHERE t.oid = to_regclass(''"shop"."logins"'') AND a.oid = to_regclass(''"shop"."logins_archive"'') AND t.relrowsecurity AND NOT a.relrowsecurity AND (EXISTS (SELECT 1 FROM aclexplode(a.relacl) g WHERE g.grantee <> a.relowner) OR EXISTS (SELECT 1 FROM pg_attribute c WHERE c.attrelid = a.oid AND c.attacl IS NOT NULL)))) IS NOT TRUE THEN RAISE serialization_failure USING MESSAGE = ''shop.logins_archive has no row security, and shop.logins has''; END IF; PERFORM pg_catalog.set_config(''search_path'', schema_kit_path, true); END';
ALTER TABLE "shop"."logins_archive" ATTACH PARTITION "shop"."logins_p20260801" FOR VALUES FROM ('2026-08-01 00:00:00+00') TO ('2026-09-01 00:00:00+00');
INSERT INTO "schema_kit"."archived_partition" (partition_name, table_name, archive_table, bounds, goes_to, moved_at) VALUES ('shop.logins_p20260801', 'shop.logins', 'shop.logins_archive', 'FOR VALUES FROM (''2026-08-01 00:00:00+00'') TO (''2026-09-01 00:00:00+00'')', 'shop.logins_archive', pg_catalog.now()) ON CONFLICT (partition_name) DO UPDATE SET (table_name, archive_table, bounds, goes_to, moved_at) = (excluded.table_name, excluded.archive_table, excluded.bounds, excluded.goes_to, excluded.moved_at);
DELETE FROM "schema_kit"."retired_partition" WHERE partition_name = 'shop.logins_p20260801';
COMMIT;
