-- create archive shop.logins_archive
-- The primary key and one index.

-- create schema_kit.part_config
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
-- all of sql/partman/tables/part_config.sql
COMMIT;

-- create shop.logins_archive, of the shape of shop.logins
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
CREATE TABLE "shop"."logins_archive" (LIKE "shop"."logins" INCLUDING ALL EXCLUDING IDENTITY EXCLUDING INDEXES, "archived_at" timestamp with time zone DEFAULT pg_catalog.now()) PARTITION BY RANGE ("created_at");
ALTER TABLE "shop"."logins_archive" ADD PRIMARY KEY ("id");
CREATE INDEX "logins_archive_ix" ON "shop"."logins_archive" USING btree (body);
REVOKE ALL ON "shop"."logins_archive" FROM PUBLIC;
GRANT SELECT ON "shop"."logins_archive" TO reader;
GRANT INSERT ON "shop"."logins_archive" TO writer;
COMMENT ON TABLE "shop"."logins_archive" IS 'Rows that left shop.logins';
INSERT INTO "schema_kit"."part_config" (parent_table, control, partition_interval, premake, timezone, infinite_time_partitions, datetime_string, origin, epoch, encoding, inherit_privileges, retention, retention_keep_table, retention_schema, retention_grace, detach, automatic_maintenance) VALUES ('shop.logins_archive', 'created_at', '1 year', 4, 'UTC', true, 'YYYYMMDD', NULL, 'none', NULL, false, NULL, true, NULL, '7 days', 'auto', 'off') ON CONFLICT (parent_table) DO UPDATE SET control = excluded.control, partition_interval = excluded.partition_interval, premake = excluded.premake, timezone = excluded.timezone, infinite_time_partitions = excluded.infinite_time_partitions, datetime_string = excluded.datetime_string, origin = excluded.origin, epoch = excluded.epoch, encoding = excluded.encoding, inherit_privileges = excluded.inherit_privileges, retention = excluded.retention, retention_keep_table = excluded.retention_keep_table, retention_schema = excluded.retention_schema, retention_grace = excluded.retention_grace, detach = excluded.detach, automatic_maintenance = excluded.automatic_maintenance;
COMMIT;
