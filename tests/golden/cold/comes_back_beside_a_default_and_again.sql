-- copy chat.messages_p202601 back from server cold
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
SET LOCAL statement_timeout = '0ms';
SET LOCAL statement_timeout = 60000;
SELECT there.one FROM "public".dblink('cold', 'SELECT 1') AS there (one integer);
SET LOCAL statement_timeout = 0;
DROP TABLE "chat"."messages_p202601";
CREATE TABLE "chat"."messages_p202601" (LIKE "chat"."messages_archive" INCLUDING ALL);
ALTER TABLE "chat"."messages_p202601" OWNER TO "app";
INSERT INTO "chat"."messages_p202601" ("id", "at", "it's", "mood") SELECT "id", "at", "it's", "mood" FROM "chat"."messages_p202601__cold";
ALTER TABLE "chat"."messages_p202601" ADD CHECK ("at" >= '2026-01-01 00:00:00+00' AND "at" < '2026-02-01 00:00:00+00');
DO 'DECLARE rows_here bigint; sum_here numeric; rows_there bigint; sum_there numeric;
BEGIN
  IF (SELECT there.active FROM "public".dblink(''cold'', ''SELECT pg_catalog.row_security_active(''''"old"."messages_p202601"'''')'') AS there (active boolean)) THEN
    RAISE object_in_use USING MESSAGE = ''row security on server cold hides rows of old.messages_p202601: switch it off there'';
  END IF;
  SELECT pg_catalog.count(*), coalesce(pg_catalog.sum(pg_catalog.hashtextextended(ROW(own."id", own."at", own."it''s", own."mood", own."twice")::text, 0)::numeric), 0) INTO rows_here, sum_here FROM "chat"."messages_p202601" own;
  SELECT pg_catalog.count(*), coalesce(pg_catalog.sum(pg_catalog.hashtextextended(ROW(own."id", own."at", own."it''s", own."mood", own."twice")::text, 0)::numeric), 0) INTO rows_there, sum_there FROM "chat"."messages_p202601__cold" own;
  IF (rows_here, sum_here) IS DISTINCT FROM (rows_there, sum_there)
     OR EXISTS (SELECT 1 FROM "schema_kit"."cold_partition" WHERE partition_name = ''chat.messages_p202601'' AND (coalesce(row_count, rows_here), coalesce(checksum, sum_here)) IS DISTINCT FROM (rows_here, sum_here)) THEN
    RAISE data_corrupted USING MESSAGE = ''the rows of old.messages_p202601 on server cold are not those that went there. Where they were changed there on purpose: UPDATE "schema_kit"."cold_partition" SET row_count = NULL, checksum = NULL WHERE partition_name = ''''chat.messages_p202601'''''';
  END IF;
END';
UPDATE "schema_kit"."cold_partition" SET returns = true, copied_at = pg_catalog.clock_timestamp(), differs = NULL WHERE partition_name = 'chat.messages_p202601';
COMMIT;

-- compare chat.messages_p202601 with server cold, and swap: detach chat.messages_p202601__cold, attach chat.messages_p202601 to chat.messages_archive
-- locks: ACCESS EXCLUSIVE on chat.messages_cold
-- locks: ACCESS EXCLUSIVE on chat.messages_p202601__cold
-- locks: ACCESS EXCLUSIVE on chat.messages_p202601
-- locks: ACCESS EXCLUSIVE on chat.rest
-- locks: SHARE ROW EXCLUSIVE on chat.messages_archive
BEGIN;
SET LOCAL synchronous_commit = 'on';
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
SELECT there.one FROM "public".dblink('cold', 'SELECT 1') AS there (one integer);
SET LOCAL statement_timeout = 0;
LOCK TABLE ONLY "chat"."messages_cold", ONLY "chat"."messages_p202601" IN SHARE MODE;
DO 'DECLARE rows_here bigint; sum_here numeric; rows_there bigint; sum_there numeric; wait float;
BEGIN
  SELECT pg_catalog.count(*), coalesce(pg_catalog.sum(pg_catalog.hashtextextended(ROW(own."id", own."at", own."it''s", own."mood", own."twice")::text, 0)::numeric), 0) INTO rows_here, sum_here FROM "chat"."messages_p202601" own;
  SELECT pg_catalog.count(*), coalesce(pg_catalog.sum(pg_catalog.hashtextextended(ROW(own."id", own."at", own."it''s", own."mood", own."twice")::text, 0)::numeric), 0) INTO rows_there, sum_there FROM "chat"."messages_p202601__cold" own;
  IF (rows_here, sum_here) IS DISTINCT FROM (rows_there, sum_there) THEN
    UPDATE "schema_kit"."cold_partition" SET copied_at = NULL, differs = pg_catalog.format(''%s has %s rows, checksum %s; %s on server %s has %s rows, checksum %s'', ''chat.messages_p202601'', rows_here, sum_here, ''old.messages_p202601'', ''cold'', rows_there, sum_there) WHERE partition_name = ''chat.messages_p202601'';
    RETURN;
  END IF;
  wait := extract(epoch FROM pg_catalog.current_setting(''lock_timeout'')::interval);
  PERFORM pg_catalog.set_config(''lock_timeout'', greatest(1.0::float, wait / 0.002::float)::int::text, true);
  FOR attempt IN 1..20 LOOP
    BEGIN
      LOCK TABLE ONLY "chat"."messages_cold", ONLY "chat"."messages_p202601" IN ACCESS EXCLUSIVE MODE; LOCK TABLE ONLY "chat"."messages_archive" IN SHARE ROW EXCLUSIVE MODE;
      EXIT;
    EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
      IF attempt = 20 THEN RAISE; END IF;
      PERFORM pg_catalog.pg_sleep(wait / 2.0::float * (1.0::float + pg_catalog.random()));
    END;
  END LOOP;
  ALTER TABLE "chat"."messages_cold" DETACH PARTITION "chat"."messages_p202601__cold";
  ALTER TABLE "chat"."messages_archive" ATTACH PARTITION "chat"."messages_p202601" FOR VALUES FROM (''2026-01-01 00:00:00+00'') TO (''2026-02-01 00:00:00+00'');
  UPDATE "schema_kit"."cold_partition" SET moved_at = NULL, differs = NULL WHERE partition_name = ''chat.messages_p202601'';
  INSERT INTO "schema_kit"."archived_partition" (partition_name, table_name, archive_table, bounds, goes_to, moved_at) VALUES (''chat.messages_p202601'', ''chat.messages'', ''chat.messages_archive'', ''FOR VALUES FROM (''''2026-01-01 00:00:00+00'''') TO (''''2026-02-01 00:00:00+00'''')'', ''chat.messages_archive'', pg_catalog.now()) ON CONFLICT (partition_name) DO UPDATE SET (table_name, archive_table, bounds, goes_to, moved_at) = (excluded.table_name, excluded.archive_table, excluded.bounds, excluded.goes_to, excluded.moved_at);
END';
COMMIT;

-- drop old.messages_p202601 on server cold: its rows are here again
-- locks: ACCESS EXCLUSIVE on chat.messages_p202601__cold
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL idle_in_transaction_session_timeout = '5000ms';
SET LOCAL statement_timeout = '30000ms';
SELECT pg_catalog.set_config('transaction_timeout', '30000ms', true) WHERE pg_catalog.current_setting('transaction_timeout', true) IS NOT NULL;
LOCK TABLE ONLY "chat"."messages_cold" IN ROW EXCLUSIVE MODE;
DO 'DECLARE schema_kit_path text := pg_catalog.current_setting(''search_path''); BEGIN PERFORM pg_catalog.set_config(''search_path'', ''pg_catalog, pg_temp'', true); IF EXISTS (SELECT 1 FROM pg_catalog.pg_inherits WHERE inhrelid = pg_catalog.to_regclass(''"chat"."messages_p202601__cold"'')) THEN RAISE object_in_use USING MESSAGE = ''chat.messages_p202601__cold is a partition by now''; END IF; PERFORM pg_catalog.set_config(''search_path'', schema_kit_path, true); END';
DROP FOREIGN TABLE IF EXISTS "chat"."messages_p202601__cold";
DELETE FROM "schema_kit"."cold_partition" WHERE partition_name = 'chat.messages_p202601';
SELECT "public".dblink_exec('cold', 'DO ''BEGIN IF pg_catalog.obj_description(pg_catalog.to_regclass(''''"old"."messages_p202601"''''), ''''pg_class'''') = ''''schema_kit: rows of chat.messages_p202601, 0e1'''' THEN DROP TABLE "old"."messages_p202601"; END IF; END''');
COMMIT;

