-- adopt shop.logins
-- A past partition lies on no boundaries; pg_partman's maintenance goes off.

-- register the policy of shop.logins
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
INSERT INTO "schema_kit"."part_config" (parent_table, control, partition_interval, premake, timezone, infinite_time_partitions, datetime_string, origin, epoch, encoding, inherit_privileges, retention, retention_keep_table, retention_schema, retention_grace, detach) VALUES ('shop.logins', 'created_at', '1 mon', 3, 'UTC', true, 'YYYYMMDD', NULL, 'none', NULL, false, NULL, true, NULL, '7 days', 'auto') ON CONFLICT (parent_table) DO UPDATE SET control = excluded.control, partition_interval = excluded.partition_interval, premake = excluded.premake, timezone = excluded.timezone, infinite_time_partitions = excluded.infinite_time_partitions, datetime_string = excluded.datetime_string, origin = excluded.origin, epoch = excluded.epoch, encoding = excluded.encoding, inherit_privileges = excluded.inherit_privileges, retention = excluded.retention, retention_keep_table = excluded.retention_keep_table, retention_schema = excluded.retention_schema, retention_grace = excluded.retention_grace, detach = excluded.detach;
COMMIT;

-- turn partman.part_config's maintenance of shop.logins off
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
UPDATE "partman"."part_config" SET automatic_maintenance = 'off' WHERE parent_table = 'shop.logins';
COMMIT;
