-- archive
-- Detached concurrently, then attached.

-- create schema_kit.retired_partition
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
-- all of sql/tables/retired_partition.sql
COMMIT;

-- record that shop.logins_p20260801 goes from shop.logins to shop.logins_archive
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
LOCK TABLE ONLY "shop"."logins_archive", ONLY "shop"."logins_p20260801" IN ACCESS SHARE MODE;
DO 'DECLARE schema_kit_path text := pg_catalog.current_setting(''search_path''); BEGIN PERFORM pg_catalog.set_config(''search_path'', ''pg_catalog, pg_temp'', true); IF (NOT EXISTS (SELECT 1 FROM pg_class t, pg_class a WHERE t.oid = to_regclass(''"shop"."logins"'') AND a.oid = to_regclass(''"shop"."logins_archive"'') AND t.relrowsecurity AND NOT a.relrowsecurity AND (EXISTS (SELECT 1 FROM aclexplode(a.relacl) g WHERE g.grantee <> a.relowner) OR EXISTS (SELECT 1 FROM pg_attribute c WHERE c.attrelid = a.oid AND c.attacl IS NOT NULL)))) IS NOT TRUE THEN RAISE serialization_failure USING MESSAGE = ''shop.logins_archive has no row security, and shop.logins has''; END IF; PERFORM pg_catalog.set_config(''search_path'', schema_kit_path, true); END';
DO 'DECLARE schema_kit_path text := pg_catalog.current_setting(''search_path''); BEGIN PERFORM pg_catalog.set_config(''search_path'', ''pg_catalog, pg_temp'', true); IF NOT EXISTS (SELECT 1 FROM pg_catalog.pg_inherits WHERE inhrelid = 16600 AND inhrelid = ''"shop"."logins_p20260801"''::pg_catalog.regclass AND inhparent = ''"shop"."logins"''::pg_catalog.regclass AND xmin::text = ''734'') THEN RAISE serialization_failure USING MESSAGE = ''shop.logins_p20260801 is not the partition of shop.logins any more that was looked at''; END IF; PERFORM pg_catalog.set_config(''search_path'', schema_kit_path, true); END';
INSERT INTO "schema_kit"."retired_partition" (partition_oid, partition_name, parent_table, bounds, by_policy, by_ttl, record_oid) VALUES ('"shop"."logins_p20260801"'::pg_catalog.regclass, 'shop.logins_p20260801', 'shop.logins', 'FOR VALUES ...', false, false, '"schema_kit"."retired_partition"'::pg_catalog.regclass) ON CONFLICT (partition_name) DO UPDATE SET (partition_oid, parent_table, bounds, by_policy, by_ttl, record_oid, retired_at) = (excluded.partition_oid, excluded.parent_table, excluded.bounds, excluded.by_policy, excluded.by_ttl, excluded.record_oid, pg_catalog.now());
INSERT INTO "schema_kit"."archived_partition" (partition_name, table_name, archive_table, bounds, goes_to, moved_at) VALUES ('shop.logins_p20260801', 'shop.logins', 'shop.logins_archive', 'FOR VALUES ...', 'shop.logins_archive', NULL) ON CONFLICT (partition_name) DO UPDATE SET (table_name, archive_table, bounds, goes_to, moved_at) = (excluded.table_name, excluded.archive_table, excluded.bounds, excluded.goes_to, excluded.moved_at);
COMMIT;

-- detach shop.logins_p20260801 from shop.logins concurrently
-- locks: SHARE UPDATE EXCLUSIVE on shop.logins
-- locks: ACCESS EXCLUSIVE on shop.logins_p20260801
SET lock_timeout = '5000ms';
SET statement_timeout = '30000ms';
DO 'DECLARE schema_kit_path text := pg_catalog.current_setting(''search_path''); BEGIN PERFORM pg_catalog.set_config(''search_path'', ''pg_catalog, pg_temp'', true); IF NOT EXISTS (SELECT 1 FROM pg_catalog.pg_inherits WHERE inhrelid = 16600 AND inhrelid = ''"shop"."logins_p20260801"''::pg_catalog.regclass AND inhparent = ''"shop"."logins"''::pg_catalog.regclass AND xmin::text = ''734'') THEN RAISE serialization_failure USING MESSAGE = ''shop.logins_p20260801 is not the partition of shop.logins any more that was looked at''; END IF; PERFORM pg_catalog.set_config(''search_path'', schema_kit_path, true); END';
ALTER TABLE "shop"."logins" DETACH PARTITION "shop"."logins_p20260801" CONCURRENTLY;
RESET lock_timeout;
RESET statement_timeout;

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
