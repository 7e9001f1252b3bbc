-- drop foreign key messages_user_fkey of chat.messages_p202601
-- locks: ACCESS EXCLUSIVE on chat.messages_p202601
-- locks: ACCESS EXCLUSIVE on chat.users
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL idle_in_transaction_session_timeout = '5000ms';
SET LOCAL statement_timeout = '5000ms';
DO 'BEGIN LOCK TABLE ONLY "chat"."messages_p202601", ONLY "chat"."users" IN ACCESS EXCLUSIVE MODE; EXCEPTION WHEN query_canceled THEN RAISE lock_not_available USING MESSAGE = ''locks not taken in time''; END';
SET LOCAL statement_timeout = '30000ms';
SELECT pg_catalog.set_config('transaction_timeout', '30000ms', true) WHERE pg_catalog.current_setting('transaction_timeout', true) IS NOT NULL;
ALTER TABLE "chat"."messages_p202601" DROP CONSTRAINT "messages_user_fkey";
COMMIT;

-- record that chat.messages_p202601 goes to server cold
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
CREATE FOREIGN TABLE "chat"."messages_p202601__cold" ("id" bigint NOT NULL, "at" timestamp with time zone NOT NULL, "it's" text COLLATE pg_catalog."C", "mood" chat.mood, "twice" bigint) SERVER "cold" OPTIONS (schema_name 'old', table_name 'messages_p202601', fetch_size '200', batch_size '200');
INSERT INTO "schema_kit"."cold_partition" (partition_name, foreign_table, remote_table, bounds, table_name) SELECT 'chat.messages_p202601', 'chat.messages_p202601__cold', 'messages_p202601', 'FOR VALUES FROM (''2026-01-01 00:00:00+00'') TO (''2026-02-01 00:00:00+00'')', table_name FROM "schema_kit"."cold_archive" WHERE cold_table = 'chat.messages_cold';
COMMIT;

-- copy chat.messages_p202601 to old.messages_p202601 on server cold
-- locks: ACCESS EXCLUSIVE on chat.messages_p202601__cold
BEGIN;
SET LOCAL transaction_isolation = 'repeatable read';
SET LOCAL search_path = '';
SET LOCAL TimeZone = 'UTC';
SET LOCAL DateStyle = 'ISO, YMD';
SET LOCAL IntervalStyle = 'postgres';
SET LOCAL client_encoding = 'UTF8';
SET LOCAL extra_float_digits = '1';
SET LOCAL bytea_output = 'hex';
SET LOCAL lc_monetary = 'C';
SET LOCAL xmloption = 'content';
SET LOCAL row_security = 'off';
SET LOCAL lock_timeout = '5000ms';
SET LOCAL idle_in_transaction_session_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
SET LOCAL statement_timeout = 60000;
SELECT "public".dblink_exec('cold', 'DO ''BEGIN IF pg_catalog.to_regclass(''''"old"."messages_p202601"'''') IS NOT NULL AND pg_catalog.obj_description(pg_catalog.to_regclass(''''"old"."messages_p202601"''''), ''''pg_class'''') IS DISTINCT FROM ''''schema_kit: rows of chat.messages_p202601, 0e1'''' THEN RAISE duplicate_table USING MESSAGE = ''''old.messages_p202601 exists on server cold and is not a copy of chat.messages_p202601''''; END IF; DROP TABLE IF EXISTS "old"."messages_p202601"; CREATE TABLE "old"."messages_p202601" ("id" bigint NOT NULL, "at" timestamp with time zone NOT NULL, "it''''s" text COLLATE pg_catalog."C", "mood" text, "twice" bigint); COMMENT ON TABLE "old"."messages_p202601" IS ''''schema_kit: rows of chat.messages_p202601, 0e1''''; END''');
TRUNCATE "chat"."messages_p202601__cold";
SET LOCAL statement_timeout = 0;
INSERT INTO "chat"."messages_p202601__cold" ("id", "at", "it's", "mood", "twice") SELECT "id", "at", "it's", "mood", "twice" FROM "chat"."messages_p202601";
UPDATE "schema_kit"."cold_partition" SET copied_at = pg_catalog.clock_timestamp(), (row_count, checksum) = (SELECT pg_catalog.count(*), coalesce(pg_catalog.sum(pg_catalog.hashtextextended(ROW(own."id", own."at", own."it's", own."mood", own."twice")::text, 0)::numeric), 0) FROM "chat"."messages_p202601" own) WHERE partition_name = 'chat.messages_p202601';
COMMIT;

-- compare chat.messages_p202601 with its copy on server cold, and swap: drop it, attach chat.messages_p202601__cold to chat.messages_cold
-- locks: ACCESS EXCLUSIVE on chat.messages_archive
-- locks: ACCESS EXCLUSIVE on chat.messages_p202601
-- locks: ACCESS EXCLUSIVE on chat.messages_cold
-- locks: ACCESS EXCLUSIVE on chat.messages_p202601__cold
BEGIN;
SET LOCAL search_path = '';
SET LOCAL TimeZone = 'UTC';
SET LOCAL DateStyle = 'ISO, YMD';
SET LOCAL IntervalStyle = 'postgres';
SET LOCAL client_encoding = 'UTF8';
SET LOCAL extra_float_digits = '1';
SET LOCAL bytea_output = 'hex';
SET LOCAL lc_monetary = 'C';
SET LOCAL xmloption = 'content';
SET LOCAL row_security = 'off';
SET LOCAL lock_timeout = '5000ms';
SET LOCAL idle_in_transaction_session_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
SET LOCAL statement_timeout = 60000;
SELECT "public".dblink_exec('cold', 'SET synchronous_commit = ''on''; COMMENT ON TABLE "old"."messages_p202601" IS ''schema_kit: rows of chat.messages_p202601, 0e1''');
SET LOCAL statement_timeout = 0;
LOCK TABLE ONLY "chat"."messages_archive", ONLY "chat"."messages_p202601" IN SHARE MODE;
DO 'DECLARE schema_kit_path text := pg_catalog.current_setting(''search_path''); BEGIN PERFORM pg_catalog.set_config(''search_path'', ''pg_catalog, pg_temp'', true); IF NOT ARRAY(SELECT attname::text FROM pg_attribute WHERE attrelid = ''"chat"."messages_p202601"''::regclass AND attnum > 0 AND NOT attisdropped) <@ ARRAY[''id'', ''at'', ''it''''s'', ''mood'', ''twice''] THEN RAISE EXCEPTION USING ERRCODE = ''SK001'', MESSAGE = ''chat.messages_p202601 has other columns than those that were copied''; END IF; PERFORM pg_catalog.set_config(''search_path'', schema_kit_path, true); END';
DO 'DECLARE rows_here bigint; sum_here numeric; rows_there bigint; sum_there numeric; wait float;
BEGIN
  SELECT pg_catalog.count(*), coalesce(pg_catalog.sum(pg_catalog.hashtextextended(ROW(own."id", own."at", own."it''s", own."mood", own."twice")::text, 0)::numeric), 0) INTO rows_here, sum_here FROM "chat"."messages_p202601" own;
  SELECT pg_catalog.count(*), coalesce(pg_catalog.sum(pg_catalog.hashtextextended(ROW(own."id", own."at", own."it''s", own."mood", own."twice")::text, 0)::numeric), 0) INTO rows_there, sum_there FROM "chat"."messages_p202601__cold" own;
  IF (rows_here, sum_here) IS DISTINCT FROM (rows_there, sum_there) THEN
    UPDATE "schema_kit"."cold_partition" SET copied_at = NULL, differs = pg_catalog.format(''%s has %s rows, checksum %s; %s on server %s has %s rows, checksum %s'', ''chat.messages_p202601'', rows_here, sum_here, ''old.messages_p202601'', ''cold'', rows_there, sum_there) WHERE partition_name = ''chat.messages_p202601'';
    RETURN;
  END IF;
  wait := extract(epoch FROM pg_catalog.current_setting(''lock_timeout'')::interval);
  PERFORM pg_catalog.set_config(''lock_timeout'', greatest(1.0::float, wait / 0.003::float)::int::text, true);
  FOR attempt IN 1..20 LOOP
    BEGIN
      LOCK TABLE ONLY "chat"."messages_archive" IN ACCESS EXCLUSIVE MODE; LOCK TABLE ONLY "chat"."messages_p202601" IN ACCESS EXCLUSIVE MODE; LOCK TABLE ONLY "chat"."messages_cold" IN ACCESS EXCLUSIVE MODE;
      EXIT;
    EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
      IF attempt = 20 THEN RAISE; END IF;
      PERFORM pg_catalog.pg_sleep(wait / 3.0::float * (1.0::float + pg_catalog.random()));
    END;
  END LOOP;
  DROP TABLE "chat"."messages_p202601";
  ALTER FOREIGN TABLE "chat"."messages_p202601__cold" OPTIONS (ADD updatable ''false'', ADD truncatable ''false'');
  ALTER TABLE "chat"."messages_cold" ATTACH PARTITION "chat"."messages_p202601__cold" FOR VALUES FROM (''2026-01-01 00:00:00+00'') TO (''2026-02-01 00:00:00+00'');
  UPDATE "schema_kit"."cold_partition" SET moved_at = pg_catalog.now(), copied_at = NULL, differs = NULL, row_count = rows_here, checksum = sum_here WHERE partition_name = ''chat.messages_p202601'';
  DELETE FROM "schema_kit"."archived_partition" WHERE partition_name = ''chat.messages_p202601'';
END';
COMMIT;

