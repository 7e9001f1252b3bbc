-- drop archive shop.logins_archive
-- With its view and an empty partition.

-- drop shop.logins_archive and view shop.all_logins
-- locks: ACCESS EXCLUSIVE on shop.all_logins
-- locks: ACCESS EXCLUSIVE on shop.logins_archive
-- locks: ACCESS EXCLUSIVE on shop.old
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL idle_in_transaction_session_timeout = '5000ms';
SET LOCAL statement_timeout = '5000ms';
DO 'BEGIN ALTER VIEW "shop"."all_logins" RESET (check_option); LOCK TABLE ONLY "shop"."logins_archive" IN ACCESS EXCLUSIVE MODE; LOCK TABLE ONLY "shop"."old" IN ACCESS EXCLUSIVE MODE; EXCEPTION WHEN query_canceled THEN RAISE lock_not_available USING MESSAGE = ''locks not taken in time''; END';
SET LOCAL statement_timeout = '30000ms';
SELECT pg_catalog.set_config('transaction_timeout', '30000ms', true) WHERE pg_catalog.current_setting('transaction_timeout', true) IS NOT NULL;
DROP VIEW "shop"."all_logins";
LOCK TABLE "shop"."logins_archive" IN ACCESS EXCLUSIVE MODE;
DO 'DECLARE schema_kit_path text := pg_catalog.current_setting(''search_path''); was text; BEGIN PERFORM pg_catalog.set_config(''search_path'', ''pg_catalog, pg_temp'', true); was := pg_catalog.current_setting(''row_security''); PERFORM pg_catalog.set_config(''row_security'', ''off'', true); IF EXISTS (SELECT 1 FROM "shop"."logins_archive") THEN RAISE object_in_use USING MESSAGE = ''shop.logins_archive holds rows''; END IF; PERFORM pg_catalog.set_config(''row_security'', was, true); IF pg_catalog.to_regclass(''"schema_kit"."archived_partition"'') IS NOT NULL THEN IF EXISTS (SELECT 1 FROM "schema_kit"."archived_partition" WHERE moved_at IS NULL AND goes_to = ''shop.logins_archive'') THEN RAISE object_in_use USING MESSAGE = ''a partition is in transit to shop.logins_archive (schema_kit.archived_partition)''; END IF; END IF; PERFORM pg_catalog.set_config(''search_path'', schema_kit_path, true); END';
DELETE FROM "schema_kit"."part_config" WHERE parent_table = 'shop.logins_archive';
DROP TABLE "shop"."logins_archive";
COMMIT;
