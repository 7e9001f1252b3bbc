-- create partitioned table shop.logins
-- Ranges under a list: one part exists with its first partition.

-- create partition shop.logins_eu_p20261201 from 2026-12-01 to 2027-01-01
-- locks: SHARE UPDATE EXCLUSIVE on shop.logins_eu
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
CREATE TABLE "shop"."logins_eu_p20261201" (LIKE "shop"."logins_eu" INCLUDING ALL EXCLUDING IDENTITY);
ALTER TABLE "shop"."logins_eu" ATTACH PARTITION "shop"."logins_eu_p20261201" FOR VALUES FROM ('2026-12-01 00:00:00+00') TO ('2027-01-01 00:00:00+00');
COMMIT;

-- create partition shop.logins_default DEFAULT
-- locks: SHARE UPDATE EXCLUSIVE on shop.logins
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
CREATE TABLE "shop"."logins_default" (LIKE "shop"."logins" INCLUDING ALL EXCLUDING IDENTITY) PARTITION BY RANGE ("created_at");
ALTER TABLE "shop"."logins" ATTACH PARTITION "shop"."logins_default" DEFAULT;
COMMIT;

-- create partition shop.logins_default_p20261101 from 2026-11-01 to 2026-12-01
-- locks: SHARE UPDATE EXCLUSIVE on shop.logins_default
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
CREATE TABLE "shop"."logins_default_p20261101" (LIKE "shop"."logins_default" INCLUDING ALL EXCLUDING IDENTITY);
ALTER TABLE "shop"."logins_default" ATTACH PARTITION "shop"."logins_default_p20261101" FOR VALUES FROM ('2026-11-01 00:00:00+00') TO ('2026-12-01 00:00:00+00');
COMMIT;

-- create partition shop.logins_default_p20261201 from 2026-12-01 to 2027-01-01
-- locks: SHARE UPDATE EXCLUSIVE on shop.logins_default
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
CREATE TABLE "shop"."logins_default_p20261201" (LIKE "shop"."logins_default" INCLUDING ALL EXCLUDING IDENTITY);
ALTER TABLE "shop"."logins_default" ATTACH PARTITION "shop"."logins_default_p20261201" FOR VALUES FROM ('2026-12-01 00:00:00+00') TO ('2027-01-01 00:00:00+00');
COMMIT;

-- register the policy of shop.logins
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
INSERT INTO "schema_kit"."part_config" (parent_table, control, partition_interval, premake, timezone, infinite_time_partitions, datetime_string, origin, epoch, encoding, inherit_privileges, retention, retention_keep_table, retention_schema, retention_grace, detach) VALUES ('shop.logins', 'created_at', '1 mon', 1, 'UTC', true, 'YYYYMMDD', NULL, 'none', NULL, false, NULL, true, NULL, '7 days', 'auto') ON CONFLICT (parent_table) DO UPDATE SET control = excluded.control, partition_interval = excluded.partition_interval, premake = excluded.premake, timezone = excluded.timezone, infinite_time_partitions = excluded.infinite_time_partitions, datetime_string = excluded.datetime_string, origin = excluded.origin, epoch = excluded.epoch, encoding = excluded.encoding, inherit_privileges = excluded.inherit_privileges, retention = excluded.retention, retention_keep_table = excluded.retention_keep_table, retention_schema = excluded.retention_schema, retention_grace = excluded.retention_grace, detach = excluded.detach;
COMMIT;
