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
  UPDATE "schema_kit"."cold_partition" SET moved_at = pg_catalog.now(), copied_at = NULL, differs = NULL, row_count = rows_here, checksum = sum_here, own = ''[["table", "comment", "it''''s the first"]]'' WHERE partition_name = ''chat.messages_p202601'';
  DELETE FROM "schema_kit"."archived_partition" WHERE partition_name = ''chat.messages_p202601'';
END';
COMMIT;

