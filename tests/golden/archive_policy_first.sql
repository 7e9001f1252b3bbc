-- set the archive policy of shop.logins
-- No archive_policy yet.

-- create schema_kit.archive_policy
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
-- all of sql/tables/archive_policy.sql
COMMIT;

-- register the archive policy of shop.logins
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
INSERT INTO "schema_kit"."archive_policy" (table_name, archive_table, archive_after, way, control, condition, archived_at, tree, max_rows) VALUES ('shop.logins', 'shop.logins_archive', '90 days', 'partition', NULL, NULL, NULL, NULL, NULL) ON CONFLICT (table_name) DO UPDATE SET archive_table = excluded.archive_table, archive_after = excluded.archive_after, way = excluded.way, control = excluded.control, condition = excluded.condition, archived_at = excluded.archived_at, tree = excluded.tree, max_rows = excluded.max_rows;
COMMIT;
