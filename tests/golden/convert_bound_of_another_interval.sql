-- partition public.events by created_at, 1 month
-- The check of an earlier try is not a boundary of a month.

-- add check schema_kit_bound to public.events, not validated: rows whose created_at is 2027-01-01 or later are refused until the swap
-- locks: ACCESS EXCLUSIVE on public.events
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL idle_in_transaction_session_timeout = '5000ms';
SET LOCAL statement_timeout = '30000ms';
SELECT pg_catalog.set_config('transaction_timeout', '30000ms', true) WHERE pg_catalog.current_setting('transaction_timeout', true) IS NOT NULL;
ALTER TABLE "public"."events" DROP CONSTRAINT "schema_kit_bound";
ALTER TABLE "public"."events" ADD CONSTRAINT "schema_kit_bound" CHECK ("created_at" IS NOT NULL AND "created_at" < '2027-01-01 00:00:00+00') NOT VALID;
COMMIT;

-- validate schema_kit_bound of public.events
-- locks: SHARE UPDATE EXCLUSIVE on public.events
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
ALTER TABLE "public"."events" VALIDATE CONSTRAINT "schema_kit_bound";
COMMIT;

-- create index events__key on public.events concurrently
-- locks: SHARE UPDATE EXCLUSIVE on public.events
SET lock_timeout = 0;
SET statement_timeout = 0;
CREATE UNIQUE INDEX CONCURRENTLY "events__key" ON "public"."events" USING "btree" ("id", "created_at");
RESET lock_timeout;
RESET statement_timeout;

-- build the partitioned parent of public.events next to it
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
CREATE TABLE "public"."events__new" (LIKE "public"."events" INCLUDING ALL EXCLUDING INDEXES EXCLUDING IDENTITY EXCLUDING STATISTICS) PARTITION BY RANGE ("created_at");
ALTER TABLE "public"."events__new" DROP CONSTRAINT "schema_kit_bound";
ALTER TABLE "public"."events__new" ADD CONSTRAINT "events_pkey__new" PRIMARY KEY ("id", "created_at");
CREATE INDEX "ix_events_created_at__new" ON "public"."events__new" USING btree (created_at);
COMMENT ON TABLE "public"."events__new" IS 'schema_kit:e1ea566c67f3ceb5';
COMMIT;

-- create partition public.events_p20270101 from 2027-01-01 to 2027-02-01
-- locks: SHARE UPDATE EXCLUSIVE on public.events__new
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
CREATE TABLE "public"."events_p20270101" (LIKE "public"."events__new" INCLUDING ALL EXCLUDING IDENTITY);
ALTER TABLE "public"."events__new" ATTACH PARTITION "public"."events_p20270101" FOR VALUES FROM ('2027-01-01 00:00:00+00') TO ('2027-02-01 00:00:00+00');
COMMIT;

-- swap: public.events becomes partitioned, its rows are partition public.events_before_20270101
-- locks: ACCESS EXCLUSIVE on public.events
-- locks: ACCESS EXCLUSIVE on public.events__new
BEGIN;
SET LOCAL transaction_isolation = 'read committed';
SET LOCAL lock_timeout = '5000ms';
SET LOCAL idle_in_transaction_session_timeout = '5000ms';
SET LOCAL statement_timeout = '5000ms';
DO 'BEGIN LOCK TABLE ONLY "public"."events", ONLY "public"."events__new" IN ACCESS EXCLUSIVE MODE; EXCEPTION WHEN query_canceled THEN RAISE lock_not_available USING MESSAGE = ''locks not taken in time''; END';
SET LOCAL statement_timeout = '30000ms';
SELECT pg_catalog.set_config('transaction_timeout', '30000ms', true) WHERE pg_catalog.current_setting('transaction_timeout', true) IS NOT NULL;
ALTER TABLE "public"."events" DROP CONSTRAINT "events_pkey";
ALTER TABLE "public"."events" ALTER COLUMN "created_at" SET NOT NULL;
ALTER TABLE "public"."events" ADD CONSTRAINT "events_pkey_before_20270101" PRIMARY KEY USING INDEX "events__key";
ALTER INDEX "public"."ix_events_created_at" RENAME TO "ix_events_created_at_before_20270101";
ALTER TABLE "public"."events" RENAME TO "events_before_20270101";
ALTER TABLE "public"."events__new" RENAME TO "events";
ALTER INDEX "public"."ix_events_created_at__new" RENAME TO "ix_events_created_at";
ALTER INDEX "public"."events_pkey__new" RENAME TO "events_pkey";
ALTER TABLE "public"."events" ATTACH PARTITION "public"."events_before_20270101" FOR VALUES FROM (MINVALUE) TO ('2027-01-01 00:00:00+00');
ALTER TABLE "public"."events_before_20270101" DROP CONSTRAINT "schema_kit_bound";
COMMENT ON TABLE "public"."events" IS NULL;
INSERT INTO "schema_kit"."part_config" (parent_table, control, partition_interval, premake, timezone, infinite_time_partitions, datetime_string, origin, epoch, encoding, inherit_privileges, retention, retention_keep_table, retention_schema, retention_grace, detach) VALUES ('public.events', 'created_at', '1 mon', 2, 'UTC', true, 'YYYYMMDD', NULL, 'none', NULL, false, NULL, true, NULL, '7 days', 'auto') ON CONFLICT (parent_table) DO UPDATE SET control = excluded.control, partition_interval = excluded.partition_interval, premake = excluded.premake, timezone = excluded.timezone, infinite_time_partitions = excluded.infinite_time_partitions, datetime_string = excluded.datetime_string, origin = excluded.origin, epoch = excluded.epoch, encoding = excluded.encoding, inherit_privileges = excluded.inherit_privileges, retention = excluded.retention, retention_keep_table = excluded.retention_keep_table, retention_schema = excluded.retention_schema, retention_grace = excluded.retention_grace, detach = excluded.detach;
COMMIT;

-- analyze public.events
-- locks: SHARE UPDATE EXCLUSIVE on public.events
SET lock_timeout = 0;
SET statement_timeout = 0;
ANALYZE ONLY "public"."events";
RESET lock_timeout;
RESET statement_timeout;
