-- create shop.items_archive, of the shape of shop.items
BEGIN;
SET LOCAL citus.multi_shard_modify_mode = 'sequential';
SET LOCAL citus.propagate_set_commands = 'local';
SET LOCAL lock_timeout = '5000ms';
SET LOCAL citus.propagate_set_commands = 'none';
SET LOCAL statement_timeout = '0ms';
CREATE TABLE "shop"."items_archive" (LIKE "shop"."items" INCLUDING ALL EXCLUDING IDENTITY) PARTITION BY RANGE ("at");
COMMENT ON TABLE "shop"."items_archive" IS 'Rows that left shop.items';
INSERT INTO "schema_kit"."part_config" (parent_table, control, partition_interval, premake, timezone, infinite_time_partitions, datetime_string, origin, epoch, encoding, inherit_privileges, retention, retention_keep_table, retention_schema, retention_grace, detach, automatic_maintenance) VALUES ('shop.items_archive', 'at', '1 mon', 4, 'UTC', true, 'YYYYMMDD', NULL, 'none', NULL, false, NULL, true, NULL, '7 days', 'auto', 'off') ON CONFLICT (parent_table) DO UPDATE SET control = excluded.control, partition_interval = excluded.partition_interval, premake = excluded.premake, timezone = excluded.timezone, infinite_time_partitions = excluded.infinite_time_partitions, datetime_string = excluded.datetime_string, origin = excluded.origin, epoch = excluded.epoch, encoding = excluded.encoding, inherit_privileges = excluded.inherit_privileges, retention = excluded.retention, retention_keep_table = excluded.retention_keep_table, retention_schema = excluded.retention_schema, retention_grace = excluded.retention_grace, detach = excluded.detach, automatic_maintenance = excluded.automatic_maintenance;
SELECT pg_catalog.create_distributed_table('"shop"."items_archive"', 'tenant', colocate_with => '"shop"."items"');
COMMIT;

