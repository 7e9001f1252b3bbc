-- partition public.events by created_at, 1 month
-- Nothing belongs to it.

-- create schema_kit.part_config
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
DO $do$ BEGIN -- one that a DBA has made is enough: CREATE SCHEMA asks for rights on the database before it looks
    IF to_regnamespace($name$"schema_kit"$name$) IS NULL THEN CREATE SCHEMA IF NOT EXISTS "schema_kit"; END IF;
END $do$;
CREATE TABLE IF NOT EXISTS "schema_kit".part_config (
    parent_table             text    NOT NULL PRIMARY KEY,
    control                  text    NOT NULL,
    time_encoder             text,
    time_decoder             text,
    partition_interval       text    NOT NULL,
    partition_type           text    NOT NULL DEFAULT 'range' CHECK (partition_type IN ('range', 'list')),
    premake                  integer NOT NULL DEFAULT 4 CHECK (premake > 0),
    automatic_maintenance    text    NOT NULL DEFAULT 'on' CHECK (automatic_maintenance IN ('on', 'off')),
    template_table           text,
    retention                text,
    retention_schema         text    CHECK (retention_schema <> ''),
    retention_keep_index     boolean NOT NULL DEFAULT true,
    retention_keep_table     boolean NOT NULL DEFAULT true,
    epoch                    text    NOT NULL DEFAULT 'none'
        CHECK (epoch IN ('none', 'seconds', 'milliseconds', 'microseconds', 'nanoseconds')),
    constraint_cols          text[],
    optimize_constraint      integer NOT NULL DEFAULT 30,
    infinite_time_partitions boolean NOT NULL DEFAULT false,
    datetime_string          text,
    jobmon                   boolean NOT NULL DEFAULT true,
    sub_partition_set_full   boolean NOT NULL DEFAULT false,
    undo_in_progress         boolean NOT NULL DEFAULT false,
    inherit_privileges       boolean NOT NULL DEFAULT false,
    constraint_valid         boolean NOT NULL DEFAULT true,
    ignore_default_data      boolean NOT NULL DEFAULT true,
    date_trunc_interval      text,
    timezone                 text    NOT NULL DEFAULT 'UTC'
);
ALTER TABLE "schema_kit".part_config ADD COLUMN IF NOT EXISTS origin text;
ALTER TABLE "schema_kit".part_config ADD COLUMN IF NOT EXISTS encoding text;
ALTER TABLE "schema_kit".part_config ADD COLUMN IF NOT EXISTS retention_grace text NOT NULL DEFAULT '7 days';
ALTER TABLE "schema_kit".part_config ADD COLUMN IF NOT EXISTS detach text NOT NULL DEFAULT 'auto'
    CHECK (detach IN ('auto', 'concurrently', 'blocking'));
COMMENT ON COLUMN "schema_kit".part_config.timezone IS 'Partitions follow the wall clock of this IANA time zone';
COMMENT ON COLUMN "schema_kit".part_config.origin IS 'Where some partition begins, on that clock or among the ids';
COMMENT ON COLUMN "schema_kit".part_config.encoding IS 'How a key that is no date or time holds a moment: uuidv7, ulid, snowflake; pg_partman''s epoch says the others';
COMMENT ON COLUMN "schema_kit".part_config.retention_grace IS 'How long a detached partition is kept before it is dropped, where retention_keep_table is false';
COMMENT ON COLUMN "schema_kit".part_config.detach IS 'auto is concurrently wherever PostgreSQL can, and blocking where it cannot';
COMMIT;

-- add check schema_kit_bound to public.events, not validated: rows whose created_at is 2027-01-01 or later are refused until the swap
-- locks: ACCESS EXCLUSIVE on public.events
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL idle_in_transaction_session_timeout = '5000ms';
SET LOCAL statement_timeout = '30000ms';
SELECT set_config('transaction_timeout', '30000ms', true) WHERE current_setting('transaction_timeout', true) IS NOT NULL;
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

-- build the partitioned parent of public.events beside it
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
DO 'BEGIN LOCK TABLE ONLY "public"."events", ONLY "public"."events__new" IN ACCESS EXCLUSIVE MODE; EXCEPTION WHEN query_canceled THEN RAISE lock_not_available USING MESSAGE = ''locks not to be had in time''; END';
SET LOCAL statement_timeout = '30000ms';
SELECT set_config('transaction_timeout', '30000ms', true) WHERE current_setting('transaction_timeout', true) IS NOT NULL;
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
