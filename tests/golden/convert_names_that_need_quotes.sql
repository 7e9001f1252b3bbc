-- partition "Chat ""Bot"""."ข้อความxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" by Created At, 1 month
-- Capitals, spaces, quotes, Thai, a name as long as names can be.

-- add check schema_kit_bound to "Chat ""Bot"""."ข้อความxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", not validated: rows whose Created At is 2027-01-01 or later are refused until the swap
-- locks: ACCESS EXCLUSIVE on "Chat ""Bot"""."ข้อความxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL idle_in_transaction_session_timeout = '5000ms';
SET LOCAL statement_timeout = '30000ms';
SELECT pg_catalog.set_config('transaction_timeout', '30000ms', true) WHERE pg_catalog.current_setting('transaction_timeout', true) IS NOT NULL;
ALTER TABLE "Chat ""Bot"""."ข้อความxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" ADD CONSTRAINT "schema_kit_bound" CHECK ("Created At" IS NOT NULL AND "Created At" < '2027-01-01 00:00:00+00') NOT VALID;
COMMIT;

-- validate schema_kit_bound of "Chat ""Bot"""."ข้อความxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
-- locks: SHARE UPDATE EXCLUSIVE on "Chat ""Bot"""."ข้อความxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
ALTER TABLE "Chat ""Bot"""."ข้อความxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" VALIDATE CONSTRAINT "schema_kit_bound";
COMMIT;

-- create index ข้อความxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx_26a2f0__key on "Chat ""Bot"""."ข้อความxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" concurrently
-- locks: SHARE UPDATE EXCLUSIVE on "Chat ""Bot"""."ข้อความxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
SET lock_timeout = 0;
SET statement_timeout = 0;
CREATE UNIQUE INDEX CONCURRENTLY "ข้อความxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx_26a2f0__key" ON "Chat ""Bot"""."ข้อความxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" USING "btree" ("Id", "Created At");
RESET lock_timeout;
RESET statement_timeout;

-- build the partitioned parent of "Chat ""Bot"""."ข้อความxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" next to it
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
CREATE TABLE "Chat ""Bot"""."ข้อความxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx_26a2f0__new" (LIKE "Chat ""Bot"""."ข้อความxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" INCLUDING ALL EXCLUDING INDEXES EXCLUDING IDENTITY EXCLUDING STATISTICS) PARTITION BY RANGE ("Created At");
ALTER TABLE "Chat ""Bot"""."ข้อความxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx_26a2f0__new" DROP CONSTRAINT "schema_kit_bound";
ALTER TABLE "Chat ""Bot"""."ข้อความxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx_26a2f0__new" ADD CONSTRAINT "it's__new" PRIMARY KEY ("Id", "Created At");
COMMENT ON TABLE "Chat ""Bot"""."ข้อความxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx_26a2f0__new" IS 'schema_kit:8c9b284b6a3ef25b';
COMMIT;

-- create partition "Chat ""Bot"""."ข้อความxxxxxxxxxxxxxxxxxxxxxxxx_26a2f0_p20270101" from 2027-01-01 to 2027-02-01
-- locks: SHARE UPDATE EXCLUSIVE on "Chat ""Bot"""."ข้อความxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx_26a2f0__new"
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
CREATE TABLE "Chat ""Bot"""."ข้อความxxxxxxxxxxxxxxxxxxxxxxxx_26a2f0_p20270101" (LIKE "Chat ""Bot"""."ข้อความxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx_26a2f0__new" INCLUDING ALL EXCLUDING IDENTITY);
COMMENT ON TABLE "Chat ""Bot"""."ข้อความxxxxxxxxxxxxxxxxxxxxxxxx_26a2f0_p20270101" IS E'it''s a \\ comment';
ALTER TABLE "Chat ""Bot"""."ข้อความxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx_26a2f0__new" ATTACH PARTITION "Chat ""Bot"""."ข้อความxxxxxxxxxxxxxxxxxxxxxxxx_26a2f0_p20270101" FOR VALUES FROM ('2027-01-01 00:00:00+00') TO ('2027-02-01 00:00:00+00');
COMMIT;

-- swap: "Chat ""Bot"""."ข้อความxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" becomes partitioned, its rows are partition "Chat ""Bot"""."ข้อความxxxxxxxxxxxxxxxxxxx_26a2f0_before_20270101"
-- locks: ACCESS EXCLUSIVE on "Chat ""Bot"""."ข้อความxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
-- locks: ACCESS EXCLUSIVE on "Chat ""Bot"""."ข้อความxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx_26a2f0__new"
BEGIN;
SET LOCAL transaction_isolation = 'read committed';
SET LOCAL lock_timeout = '5000ms';
SET LOCAL idle_in_transaction_session_timeout = '5000ms';
SET LOCAL statement_timeout = '5000ms';
DO 'BEGIN LOCK TABLE ONLY "Chat ""Bot"""."ข้อความxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", ONLY "Chat ""Bot"""."ข้อความxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx_26a2f0__new" IN ACCESS EXCLUSIVE MODE; EXCEPTION WHEN query_canceled THEN RAISE lock_not_available USING MESSAGE = ''locks not taken in time''; END';
SET LOCAL statement_timeout = '30000ms';
SELECT pg_catalog.set_config('transaction_timeout', '30000ms', true) WHERE pg_catalog.current_setting('transaction_timeout', true) IS NOT NULL;
ALTER TABLE "Chat ""Bot"""."ข้อความxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" DROP CONSTRAINT "it's";
ALTER TABLE "Chat ""Bot"""."ข้อความxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" ALTER COLUMN "Created At" SET NOT NULL;
ALTER TABLE "Chat ""Bot"""."ข้อความxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" ADD CONSTRAINT "it's_before_20270101" PRIMARY KEY USING INDEX "ข้อความxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx_26a2f0__key";
ALTER TABLE "Chat ""Bot"""."ข้อความxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" RENAME TO "ข้อความxxxxxxxxxxxxxxxxxxx_26a2f0_before_20270101";
ALTER TABLE "Chat ""Bot"""."ข้อความxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx_26a2f0__new" RENAME TO "ข้อความxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
ALTER INDEX "Chat ""Bot"""."it's__new" RENAME TO "it's";
ALTER TABLE "Chat ""Bot"""."ข้อความxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" ATTACH PARTITION "Chat ""Bot"""."ข้อความxxxxxxxxxxxxxxxxxxx_26a2f0_before_20270101" FOR VALUES FROM (MINVALUE) TO ('2027-01-01 00:00:00+00');
ALTER TABLE "Chat ""Bot"""."ข้อความxxxxxxxxxxxxxxxxxxx_26a2f0_before_20270101" DROP CONSTRAINT "schema_kit_bound";
COMMENT ON TABLE "Chat ""Bot"""."ข้อความxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" IS E'it''s a \\ comment';
INSERT INTO "schema_kit"."part_config" (parent_table, control, partition_interval, premake, timezone, infinite_time_partitions, datetime_string, origin, epoch, encoding, inherit_privileges, retention, retention_keep_table, retention_schema, retention_grace, detach) VALUES ('"Chat ""Bot"""."ข้อความxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"', 'Created At', '1 mon', 1, 'UTC', true, 'YYYYMMDD', NULL, 'none', NULL, false, NULL, true, NULL, '7 days', 'auto') ON CONFLICT (parent_table) DO UPDATE SET control = excluded.control, partition_interval = excluded.partition_interval, premake = excluded.premake, timezone = excluded.timezone, infinite_time_partitions = excluded.infinite_time_partitions, datetime_string = excluded.datetime_string, origin = excluded.origin, epoch = excluded.epoch, encoding = excluded.encoding, inherit_privileges = excluded.inherit_privileges, retention = excluded.retention, retention_keep_table = excluded.retention_keep_table, retention_schema = excluded.retention_schema, retention_grace = excluded.retention_grace, detach = excluded.detach;
COMMIT;

-- analyze "Chat ""Bot"""."ข้อความxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
-- locks: SHARE UPDATE EXCLUSIVE on "Chat ""Bot"""."ข้อความxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
SET lock_timeout = 0;
SET statement_timeout = 0;
ANALYZE ONLY "Chat ""Bot"""."ข้อความxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
RESET lock_timeout;
RESET statement_timeout;
