-- drain the default partition of public.events
-- Killed when one of the tables had its key: there is a lot in the log.

-- give public.events_p20261101 its primary key
-- locks: ACCESS EXCLUSIVE on public.events_p20261101
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL idle_in_transaction_session_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
LOCK TABLE ONLY "public"."events_p20261101" IN ACCESS EXCLUSIVE MODE;
DO 'DECLARE schema_kit_path text := pg_catalog.current_setting(''search_path''); BEGIN PERFORM pg_catalog.set_config(''search_path'', ''pg_catalog, pg_temp'', true); IF ((SELECT count(*) FROM pg_index WHERE indrelid = to_regclass(''"public"."events_p20261101"'')) = 0) IS NOT TRUE THEN RAISE serialization_failure USING MESSAGE = ''public.events_p20261101 has other indexes by now''; END IF; PERFORM pg_catalog.set_config(''search_path'', schema_kit_path, true); END';
ALTER TABLE "public"."events_p20261101" ADD PRIMARY KEY (id, created_at);
COMMIT;

-- give public.events_default__new its primary key
-- locks: ACCESS EXCLUSIVE on public.events_default__new
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL idle_in_transaction_session_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
LOCK TABLE ONLY "public"."events_default__new" IN ACCESS EXCLUSIVE MODE;
DO 'DECLARE schema_kit_path text := pg_catalog.current_setting(''search_path''); BEGIN PERFORM pg_catalog.set_config(''search_path'', ''pg_catalog, pg_temp'', true); IF ((SELECT count(*) FROM pg_index WHERE indrelid = to_regclass(''"public"."events_default__new"'')) = 0) IS NOT TRUE THEN RAISE serialization_failure USING MESSAGE = ''public.events_default__new has other indexes by now''; END IF; PERFORM pg_catalog.set_config(''search_path'', schema_kit_path, true); END';
ALTER TABLE "public"."events_default__new" ADD PRIMARY KEY (id, created_at);
COMMIT;

-- replay what changed in public.events_default meanwhile
-- locks: SHARE ROW EXCLUSIVE on public.events_default__staging
-- repeated, a commit each time, until no row is left
BEGIN;
SET LOCAL transaction_isolation = 'repeatable read';
SET LOCAL synchronous_commit = 'off';
SET LOCAL enable_hashjoin = 'off';
SET LOCAL enable_mergejoin = 'off';
SET LOCAL enable_seqscan = 'off';
SET LOCAL jit = 'off';
SET LOCAL row_security = 'off';
SET LOCAL lock_timeout = '5000ms';
SET LOCAL idle_in_transaction_session_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
LOCK TABLE ONLY "public"."events_default__staging" IN SHARE ROW EXCLUSIVE MODE;
DO 'DECLARE schema_kit_path text := pg_catalog.current_setting(''search_path''); BEGIN PERFORM pg_catalog.set_config(''search_path'', ''pg_catalog, pg_temp'', true); IF (EXISTS (SELECT 1 FROM "schema_kit"."copy_run" WHERE source_table = ''public.events_default'' AND cut_at IS NOT NULL) AND NOT EXISTS (SELECT 1 FROM "schema_kit"."copy_chunk" WHERE source_table = ''public.events_default'' AND done_at IS NULL)) IS NOT TRUE THEN RAISE serialization_failure USING MESSAGE = ''another run has gone on with the copy of public.events_default''; END IF; PERFORM pg_catalog.set_config(''search_path'', schema_kit_path, true); END';
DO 'DECLARE
  schema_kit_taken bigint;
  schema_kit_keys "public"."events_default__log"[];
BEGIN
  WITH gone AS (DELETE FROM "public"."events_default__log" WHERE ctid = ANY (ARRAY(SELECT ctid FROM "public"."events_default__log" LIMIT 10000)) RETURNING "id", "created_at"), keys AS (SELECT DISTINCT "id", "created_at" FROM gone)
  SELECT (SELECT pg_catalog.count(*) FROM gone), pg_catalog.array_agg(ROW("id", "created_at")::"public"."events_default__log")
  INTO schema_kit_taken, schema_kit_keys FROM keys;
  IF schema_kit_taken > 0 THEN
    DELETE FROM "public"."events_default__staging" t USING pg_catalog.unnest(schema_kit_keys) AS k WHERE t."id" OPERATOR("pg_catalog".=) k."id" AND t."created_at" OPERATOR("pg_catalog".=) k."created_at";
    INSERT INTO "public"."events_default__staging" ("id", "created_at", "body") OVERRIDING SYSTEM VALUE SELECT s."id", s."created_at", s."body"
    FROM pg_catalog.unnest(schema_kit_keys) AS k JOIN "public"."events_default" s ON s."id" OPERATOR("pg_catalog".=) k."id" AND s."created_at" OPERATOR("pg_catalog".=) k."created_at";
  END IF;
  PERFORM pg_catalog.set_config(''schema_kit.replayed'', schema_kit_taken::text, true);
END';
UPDATE "schema_kit"."copy_run" SET replayed = replayed + pg_catalog.current_setting('schema_kit.replayed')::bigint WHERE source_table = 'public.events_default';
SELECT 1 FROM "schema_kit"."copy_run" WHERE source_table = 'public.events_default' AND pg_catalog.current_setting('schema_kit.replayed')::bigint >= 10000;
COMMIT;

-- build 1 indexes of public.events_p20260901
-- locks: SHARE ROW EXCLUSIVE on public.events_p20260901
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL idle_in_transaction_session_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
LOCK TABLE ONLY "public"."events_p20260901" IN SHARE ROW EXCLUSIVE MODE;
DO 'DECLARE schema_kit_path text := pg_catalog.current_setting(''search_path''); BEGIN PERFORM pg_catalog.set_config(''search_path'', ''pg_catalog, pg_temp'', true); IF ((SELECT count(*) FROM pg_index WHERE indrelid = to_regclass(''"public"."events_p20260901"'')) = 1) IS NOT TRUE THEN RAISE serialization_failure USING MESSAGE = ''public.events_p20260901 has other indexes by now''; END IF; PERFORM pg_catalog.set_config(''search_path'', schema_kit_path, true); END';
CREATE INDEX ON "public"."events_p20260901" USING btree (created_at);
COMMIT;

-- build 1 indexes of public.events_p20261101
-- locks: SHARE ROW EXCLUSIVE on public.events_p20261101
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL idle_in_transaction_session_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
LOCK TABLE ONLY "public"."events_p20261101" IN SHARE ROW EXCLUSIVE MODE;
DO 'DECLARE schema_kit_path text := pg_catalog.current_setting(''search_path''); BEGIN PERFORM pg_catalog.set_config(''search_path'', ''pg_catalog, pg_temp'', true); IF ((SELECT count(*) FROM pg_index WHERE indrelid = to_regclass(''"public"."events_p20261101"'')) = 1) IS NOT TRUE THEN RAISE serialization_failure USING MESSAGE = ''public.events_p20261101 has other indexes by now''; END IF; PERFORM pg_catalog.set_config(''search_path'', schema_kit_path, true); END';
CREATE INDEX ON "public"."events_p20261101" USING btree (created_at);
COMMIT;

-- build 1 indexes of public.events_default__new
-- locks: SHARE ROW EXCLUSIVE on public.events_default__new
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL idle_in_transaction_session_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
LOCK TABLE ONLY "public"."events_default__new" IN SHARE ROW EXCLUSIVE MODE;
DO 'DECLARE schema_kit_path text := pg_catalog.current_setting(''search_path''); BEGIN PERFORM pg_catalog.set_config(''search_path'', ''pg_catalog, pg_temp'', true); IF ((SELECT count(*) FROM pg_index WHERE indrelid = to_regclass(''"public"."events_default__new"'')) = 1) IS NOT TRUE THEN RAISE serialization_failure USING MESSAGE = ''public.events_default__new has other indexes by now''; END IF; PERFORM pg_catalog.set_config(''search_path'', schema_kit_path, true); END';
CREATE INDEX ON "public"."events_default__new" USING btree (created_at);
COMMIT;

-- replay what changed in public.events_default meanwhile
-- locks: SHARE ROW EXCLUSIVE on public.events_default__staging
-- repeated, a commit each time, until no row is left
BEGIN;
SET LOCAL transaction_isolation = 'repeatable read';
SET LOCAL synchronous_commit = 'off';
SET LOCAL enable_hashjoin = 'off';
SET LOCAL enable_mergejoin = 'off';
SET LOCAL enable_seqscan = 'off';
SET LOCAL jit = 'off';
SET LOCAL row_security = 'off';
SET LOCAL lock_timeout = '5000ms';
SET LOCAL idle_in_transaction_session_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
LOCK TABLE ONLY "public"."events_default__staging" IN SHARE ROW EXCLUSIVE MODE;
DO 'DECLARE schema_kit_path text := pg_catalog.current_setting(''search_path''); BEGIN PERFORM pg_catalog.set_config(''search_path'', ''pg_catalog, pg_temp'', true); IF (EXISTS (SELECT 1 FROM "schema_kit"."copy_run" WHERE source_table = ''public.events_default'' AND cut_at IS NOT NULL) AND NOT EXISTS (SELECT 1 FROM "schema_kit"."copy_chunk" WHERE source_table = ''public.events_default'' AND done_at IS NULL)) IS NOT TRUE THEN RAISE serialization_failure USING MESSAGE = ''another run has gone on with the copy of public.events_default''; END IF; PERFORM pg_catalog.set_config(''search_path'', schema_kit_path, true); END';
DO 'DECLARE
  schema_kit_taken bigint;
  schema_kit_keys "public"."events_default__log"[];
BEGIN
  WITH gone AS (DELETE FROM "public"."events_default__log" WHERE ctid = ANY (ARRAY(SELECT ctid FROM "public"."events_default__log" LIMIT 10000)) RETURNING "id", "created_at"), keys AS (SELECT DISTINCT "id", "created_at" FROM gone)
  SELECT (SELECT pg_catalog.count(*) FROM gone), pg_catalog.array_agg(ROW("id", "created_at")::"public"."events_default__log")
  INTO schema_kit_taken, schema_kit_keys FROM keys;
  IF schema_kit_taken > 0 THEN
    DELETE FROM "public"."events_default__staging" t USING pg_catalog.unnest(schema_kit_keys) AS k WHERE t."id" OPERATOR("pg_catalog".=) k."id" AND t."created_at" OPERATOR("pg_catalog".=) k."created_at";
    INSERT INTO "public"."events_default__staging" ("id", "created_at", "body") OVERRIDING SYSTEM VALUE SELECT s."id", s."created_at", s."body"
    FROM pg_catalog.unnest(schema_kit_keys) AS k JOIN "public"."events_default" s ON s."id" OPERATOR("pg_catalog".=) k."id" AND s."created_at" OPERATOR("pg_catalog".=) k."created_at";
  END IF;
  PERFORM pg_catalog.set_config(''schema_kit.replayed'', schema_kit_taken::text, true);
END';
UPDATE "schema_kit"."copy_run" SET replayed = replayed + pg_catalog.current_setting('schema_kit.replayed')::bigint WHERE source_table = 'public.events_default';
SELECT 1 FROM "schema_kit"."copy_run" WHERE source_table = 'public.events_default' AND pg_catalog.current_setting('schema_kit.replayed')::bigint >= 10000;
COMMIT;

-- analyze public.events_p20260901
-- locks: SHARE UPDATE EXCLUSIVE on public.events_p20260901
SET lock_timeout = 0;
SET statement_timeout = 0;
ANALYZE "public"."events_p20260901";
RESET lock_timeout;
RESET statement_timeout;

-- analyze public.events_p20261101
-- locks: SHARE UPDATE EXCLUSIVE on public.events_p20261101
SET lock_timeout = 0;
SET statement_timeout = 0;
ANALYZE "public"."events_p20261101";
RESET lock_timeout;
RESET statement_timeout;

-- analyze public.events_default__new
-- locks: SHARE UPDATE EXCLUSIVE on public.events_default__new
SET lock_timeout = 0;
SET statement_timeout = 0;
ANALYZE "public"."events_default__new";
RESET lock_timeout;
RESET statement_timeout;

-- compare 3 tables with public.events_default
BEGIN;
SET LOCAL transaction_isolation = 'repeatable read';
SET LOCAL jit = 'off';
SET LOCAL row_security = 'off';
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
DO 'DECLARE schema_kit_path text := pg_catalog.current_setting(''search_path''); found jsonb; BEGIN PERFORM pg_catalog.set_config(''search_path'', ''pg_catalog, pg_temp'', true); 
  EXECUTE ''WITH s AS MATERIALIZED (SELECT width_bucket(r."created_at", ARRAY[''''2026-09-01 00:00:00+00'''', ''''2026-10-01 00:00:00+00'''', ''''2026-11-01 00:00:00+00'''', ''''2026-12-01 00:00:00+00'''']::timestamp with time zone[]) AS place, count(*) AS rows, sum(hash_record_extended(ROW(r."id", r."created_at", r."body"), 0)) AS sum FROM "public"."events_default" r WHERE NOT EXISTS (SELECT 1 FROM "public"."events_default__log" l WHERE l."id" OPERATOR("pg_catalog".=) r."id" AND l."created_at" OPERATOR("pg_catalog".=) r."created_at") GROUP BY 1), t AS MATERIALIZED (SELECT width_bucket(r."created_at", ARRAY[''''2026-09-01 00:00:00+00'''', ''''2026-10-01 00:00:00+00'''', ''''2026-11-01 00:00:00+00'''', ''''2026-12-01 00:00:00+00'''']::timestamp with time zone[]) AS place, count(*) AS rows, sum(hash_record_extended(ROW(r."id", r."created_at", r."body"), 0)) AS sum FROM "public"."events_default__staging" r WHERE NOT EXISTS (SELECT 1 FROM "public"."events_default__log" l WHERE l."id" OPERATOR("pg_catalog".=) r."id" AND l."created_at" OPERATOR("pg_catalog".=) r."created_at") GROUP BY 1) SELECT jsonb_agg(f) FROM (SELECT p.target, coalesce(sum(s.rows), 0) AS s_rows, coalesce(sum(s.sum), 0) AS s_sum, coalesce(sum(t.rows), 0) AS t_rows, coalesce(sum(t.sum), 0) AS t_sum FROM (VALUES (0, ''''public.events_default''''), (1, ''''public.events_p20260901''''), (2, ''''public.events_default''''), (3, ''''public.events_p20261101''''), (4, ''''public.events_default'''')) AS p (place, target) LEFT JOIN s ON s.place = p.place LEFT JOIN t ON t.place = p.place GROUP BY p.target) f'' INTO found;
  UPDATE "schema_kit"."copy_target" c SET source_rows = f.s_rows, source_sum = f.s_sum, target_rows = f.t_rows,
    target_sum = f.t_sum, verified_at = clock_timestamp()
  FROM jsonb_to_recordset(found) AS f (target text, s_rows bigint, s_sum numeric, t_rows bigint, t_sum numeric)
  WHERE c.source_table = ''public.events_default'' AND c.target_table = f.target;
 PERFORM pg_catalog.set_config(''search_path'', schema_kit_path, true); END';
COMMIT;

-- wait for transactions whose snapshot is older than the copy of public.events_default
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
UPDATE "schema_kit"."copy_run" SET settled_at = pg_catalog.clock_timestamp() WHERE source_table = 'public.events_default';
COMMIT;

-- swap: 3 partitions take the place of public.events_default
-- locks: ACCESS EXCLUSIVE on public.events
-- locks: ACCESS EXCLUSIVE on public.events_default
-- locks: ACCESS EXCLUSIVE on public.events_default__staging
-- locks: ACCESS EXCLUSIVE on public.events_default__log
-- locks: ACCESS EXCLUSIVE on public.events_p20260901
-- locks: ACCESS EXCLUSIVE on public.events_p20261101
-- locks: ACCESS EXCLUSIVE on public.events_default__new
BEGIN;
SET LOCAL transaction_isolation = 'read committed';
SET LOCAL enable_hashjoin = 'off';
SET LOCAL enable_mergejoin = 'off';
SET LOCAL enable_seqscan = 'off';
SET LOCAL jit = 'off';
SET LOCAL row_security = 'off';
SET LOCAL lock_timeout = '5000ms';
SET LOCAL idle_in_transaction_session_timeout = '5000ms';
SET LOCAL statement_timeout = '5000ms';
DO 'BEGIN LOCK TABLE ONLY "public"."events", ONLY "public"."events_default", ONLY "public"."events_default__staging", ONLY "public"."events_default__log", ONLY "public"."events_p20260901", ONLY "public"."events_p20261101", ONLY "public"."events_default__new" IN ACCESS EXCLUSIVE MODE; EXCEPTION WHEN query_canceled THEN RAISE lock_not_available USING MESSAGE = ''locks not taken in time''; END';
SET LOCAL statement_timeout = '30000ms';
SELECT pg_catalog.set_config('transaction_timeout', '30000ms', true) WHERE pg_catalog.current_setting('transaction_timeout', true) IS NOT NULL;
DO 'DECLARE schema_kit_path text := pg_catalog.current_setting(''search_path''); BEGIN PERFORM pg_catalog.set_config(''search_path'', ''pg_catalog, pg_temp'', true); IF ((SELECT concat_ws('':'', c.oid, pg_relation_filenode(c.oid), array_to_string(c.reloptions, '' ''), '''') || (SELECT hashtextextended(string_agg(concat_ws('' '', a.attnum, a.attname, a.atttypid, a.atttypmod, a.attnotnull, a.attgenerated, a.attstorage, a.attcompression), '','' ORDER BY a.attnum), 0) FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) || (SELECT coalesce(hashtextextended(string_agg(concat_ws('' '', k.conname, k.conbin::text), '','' ORDER BY k.conname), 0)::text, '''') FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = ''c'') FROM pg_class c WHERE c.oid = to_regclass(''"public"."events_default"'')) = ''16400:16400:1'' AND (SELECT EXISTS (SELECT 1 FROM pg_trigger t WHERE t.tgrelid = to_regclass(''"public"."events_default"'') AND t.tgname = ''schema_kit_copy_log'' AND t.tgenabled = ''A'') AND to_regclass(''"public"."events_default__log"'') IS NOT NULL) AND EXISTS (SELECT 1 FROM "schema_kit"."copy_run" WHERE source_table = ''public.events_default'' AND cut_at IS NOT NULL) AND NOT EXISTS (SELECT 1 FROM "schema_kit"."copy_chunk" WHERE source_table = ''public.events_default'' AND done_at IS NULL) AND EXISTS (SELECT 1 FROM "schema_kit"."copy_run" WHERE source_table = ''public.events_default'' AND settled_at IS NOT NULL AND swapped_at IS NULL) AND NOT EXISTS (SELECT 1 FROM "schema_kit"."copy_target" WHERE source_table = ''public.events_default'' AND NOT ((source_rows, source_sum) = (target_rows, target_sum)) IS TRUE)) IS NOT TRUE THEN RAISE serialization_failure USING MESSAGE = ''public.events_default is not any more what was copied''; END IF; PERFORM pg_catalog.set_config(''search_path'', schema_kit_path, true); END';
DO 'DECLARE
  schema_kit_taken bigint;
  schema_kit_keys "public"."events_default__log"[];
BEGIN
  WITH gone AS (DELETE FROM "public"."events_default__log" RETURNING "id", "created_at"), keys AS (SELECT DISTINCT "id", "created_at" FROM gone)
  SELECT (SELECT pg_catalog.count(*) FROM gone), pg_catalog.array_agg(ROW("id", "created_at")::"public"."events_default__log")
  INTO schema_kit_taken, schema_kit_keys FROM keys;
  IF schema_kit_taken > 0 THEN
    DELETE FROM "public"."events_default__staging" t USING pg_catalog.unnest(schema_kit_keys) AS k WHERE t."id" OPERATOR("pg_catalog".=) k."id" AND t."created_at" OPERATOR("pg_catalog".=) k."created_at";
    INSERT INTO "public"."events_default__staging" ("id", "created_at", "body") OVERRIDING SYSTEM VALUE SELECT s."id", s."created_at", s."body"
    FROM pg_catalog.unnest(schema_kit_keys) AS k JOIN "public"."events_default" s ON s."id" OPERATOR("pg_catalog".=) k."id" AND s."created_at" OPERATOR("pg_catalog".=) k."created_at";
  END IF;
  PERFORM pg_catalog.set_config(''schema_kit.replayed'', schema_kit_taken::text, true);
END';
DO 'DECLARE schema_kit_path text := pg_catalog.current_setting(''search_path''); BEGIN PERFORM pg_catalog.set_config(''search_path'', ''pg_catalog, pg_temp'', true); IF EXISTS (SELECT FROM pg_stat_activity a WHERE a.datname = current_database() AND a.pid <> pg_backend_pid()
  AND a.backend_type NOT IN (''autovacuum worker'', ''walsender'') AND a.backend_xmin IS NOT NULL AND a.xact_start < now()
  AND (a.state LIKE ''idle in transaction%''
       OR (a.xact_start < a.query_start AND a.query_start < clock_timestamp() - interval ''1 second'')) AND NOT pg_backend_pid() = ANY (pg_blocking_pids(a.pid))) THEN RAISE lock_not_available USING MESSAGE = ''a transaction has a snapshot from before''; END IF; PERFORM pg_catalog.set_config(''search_path'', schema_kit_path, true); END';
ALTER TABLE "public"."events" DETACH PARTITION "public"."events_default";
DROP TRIGGER "schema_kit_copy_log" ON "public"."events_default";
ALTER TABLE "public"."events_default" RENAME TO "events_default__old";
ALTER TABLE "public"."events_default__staging" DETACH PARTITION "public"."events_p20260901";
ALTER TABLE "public"."events" ATTACH PARTITION "public"."events_p20260901" FOR VALUES FROM ('2026-09-01 00:00:00+00') TO ('2026-10-01 00:00:00+00');
ALTER TABLE "public"."events_p20260901" DROP CONSTRAINT "schema_kit_bounds";
ALTER TABLE "public"."events_default__staging" DETACH PARTITION "public"."events_p20261101";
ALTER TABLE "public"."events" ATTACH PARTITION "public"."events_p20261101" FOR VALUES FROM ('2026-11-01 00:00:00+00') TO ('2026-12-01 00:00:00+00');
ALTER TABLE "public"."events_p20261101" DROP CONSTRAINT "schema_kit_bounds";
ALTER TABLE "public"."events_default__staging" DETACH PARTITION "public"."events_default__new";
ALTER TABLE "public"."events_default__new" RENAME TO "events_default";
ALTER TABLE "public"."events" ATTACH PARTITION "public"."events_default" DEFAULT;
DO 'DECLARE schema_kit_path text := pg_catalog.current_setting(''search_path''); schema_kit_commands text[]; command text; BEGIN PERFORM pg_catalog.set_config(''search_path'', ''pg_catalog, pg_temp'', true); schema_kit_commands := ARRAY(WITH pairs (own, model) AS (VALUES (''"public"."events_p20260901"''::regclass, ''"public"."events"''::regclass), (''"public"."events_p20261101"''::regclass, ''"public"."events"''::regclass), (''"public"."events_default"''::regclass, ''"public"."events_default__old"''::regclass)), columns AS (
  SELECT p.own, m.attname AS name, CASE WHEN m.attgenerated = '''' THEN pg_get_expr(d.adbin, m.attrelid) END AS def,
         CASE WHEN o.attgenerated = '''' THEN pg_get_expr(e.adbin, o.attrelid) END AS own_def,
         coalesce(m.attstattarget, -1) AS target, coalesce(o.attstattarget, -1) AS own_target,
         m.attstorage AS storage, o.attstorage AS own_storage,
         m.attcompression AS compression, o.attcompression AS own_compression,
         m.attoptions AS options, o.attoptions AS own_options,
         col_description(m.attrelid, m.attnum) AS comment, col_description(o.attrelid, o.attnum) AS own_comment
  FROM pairs p JOIN pg_attribute m ON m.attrelid = p.model AND m.attnum > 0 AND NOT m.attisdropped
  JOIN pg_attribute o ON o.attrelid = p.own AND o.attname = m.attname
  LEFT JOIN pg_attrdef d ON d.adrelid = m.attrelid AND d.adnum = m.attnum
  LEFT JOIN pg_attrdef e ON e.adrelid = o.attrelid AND e.adnum = o.attnum
)
SELECT format(''ALTER TABLE %s ALTER COLUMN %I %s'', own, name, action) FROM columns, LATERAL (
  SELECT coalesce(''SET DEFAULT '' || def, ''DROP DEFAULT'') WHERE def IS DISTINCT FROM own_def
  UNION ALL SELECT ''SET STATISTICS '' || target WHERE target <> own_target
  UNION ALL SELECT ''SET STORAGE '' || CASE storage WHEN ''p'' THEN ''PLAIN'' WHEN ''e'' THEN ''EXTERNAL'' WHEN ''m'' THEN ''MAIN''
                                                  ELSE ''EXTENDED'' END WHERE storage <> own_storage
  UNION ALL SELECT ''SET COMPRESSION '' || CASE compression WHEN ''p'' THEN ''pglz'' WHEN ''l'' THEN ''lz4'' ELSE ''default'' END
  WHERE compression <> own_compression
  UNION ALL SELECT coalesce(''SET ('' || option_name || '' = '' || m.option_value || '')'', ''RESET ('' || option_name || '')'')
  FROM pg_options_to_table(options) m FULL JOIN pg_options_to_table(own_options) o USING (option_name)
  WHERE option_name IN (''n_distinct'', ''n_distinct_inherited'') AND m.option_value IS DISTINCT FROM o.option_value
) a (action)
UNION ALL SELECT format(''COMMENT ON COLUMN %s.%I IS %L'', own, name, comment) FROM columns
WHERE comment IS DISTINCT FROM own_comment); PERFORM pg_catalog.set_config(''search_path'', schema_kit_path, true); FOREACH command IN ARRAY schema_kit_commands LOOP EXECUTE command; END LOOP; END';
DROP TABLE "public"."events_default__staging", "public"."events_default__log";
DROP FUNCTION "public"."events_default__log"();
UPDATE "schema_kit"."copy_run" SET swapped_at = pg_catalog.clock_timestamp() WHERE source_table = 'public.events_default';
COMMIT;

-- drop public.events_default__old, whose rows were copied
-- locks: ACCESS EXCLUSIVE on public.events_default__old
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL idle_in_transaction_session_timeout = '5000ms';
SET LOCAL statement_timeout = '30000ms';
SELECT pg_catalog.set_config('transaction_timeout', '30000ms', true) WHERE pg_catalog.current_setting('transaction_timeout', true) IS NOT NULL;
DO 'DECLARE schema_kit_path text := pg_catalog.current_setting(''search_path''); own oid; BEGIN PERFORM pg_catalog.set_config(''search_path'', ''pg_catalog, pg_temp'', true); own := to_regclass(''"public"."events_default__old"'');
IF own IS NOT NULL THEN
LOCK TABLE ONLY "public"."events_default__old" IN ACCESS EXCLUSIVE MODE;
own := to_regclass(''"public"."events_default__old"'');
IF NOT (EXISTS (SELECT 1 FROM "schema_kit"."copy_run" WHERE source_table = ''public.events_default'' AND split_part(identity, '':'', 1) = own::text)
OR (SELECT count(*) FROM pg_attribute o JOIN pg_attribute p USING (attname, atttypid) WHERE o.attrelid = own
    AND p.attrelid = to_regclass(''"public"."events"'') AND attname IN (''id'', ''created_at'')) = 2
AND EXISTS (SELECT 1 FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid WHERE x.indrelid = own
            AND x.indisprimary AND i.relname <> ''events_default__old_pkey'')) THEN
RAISE object_in_use USING MESSAGE = ''public.events_default__old is not the table whose rows were copied, which has another name or is gone. Rename public.events_default__old and run this again.'';
END IF; END IF; PERFORM pg_catalog.set_config(''search_path'', schema_kit_path, true); END';
DO 'DECLARE schema_kit_path text := pg_catalog.current_setting(''search_path''); schema_kit_commands text[]; command text; BEGIN PERFORM pg_catalog.set_config(''search_path'', ''pg_catalog, pg_temp'', true); schema_kit_commands := ARRAY(SELECT format(''ALTER INDEX %I.%I RENAME TO %I'', n.nspname, i.relname, to_be.name)
FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_namespace n ON n.oid = i.relnamespace
LEFT JOIN (SELECT o.indexrelid AS old, o.indisclustered, n.indexrelid AS new, n.indrelid FROM (SELECT x.*, regexp_replace(regexp_replace(pg_get_indexdef(x.indexrelid), ''^.*? USING '', ''''), '' WITH [(][^()]*[)]'', '''') AS definition, row_number() OVER (PARTITION BY x.indisunique, regexp_replace(regexp_replace(pg_get_indexdef(x.indexrelid), ''^.*? USING '', ''''), '' WITH [(][^()]*[)]'', '''') ORDER BY x.indexrelid) AS place FROM pg_index x WHERE x.indrelid = to_regclass(''"public"."events_default__old"'')) o JOIN (SELECT x.*, regexp_replace(regexp_replace(pg_get_indexdef(x.indexrelid), ''^.*? USING '', ''''), '' WITH [(][^()]*[)]'', '''') AS definition, row_number() OVER (PARTITION BY x.indisunique, regexp_replace(regexp_replace(pg_get_indexdef(x.indexrelid), ''^.*? USING '', ''''), '' WITH [(][^()]*[)]'', '''') ORDER BY x.indexrelid) AS place FROM pg_index x WHERE x.indrelid = to_regclass(''"public"."events_default"'')) n USING (definition, indisunique, place)) pair ON pair.new = i.oid
LEFT JOIN pg_class p ON p.oid = pair.old,
LATERAL (SELECT coalesce(p.relname, ''events_default_'' || substr(i.relname, length(''events_default__new_'') + 1))) to_be (name)
WHERE x.indrelid = to_regclass(''"public"."events_default"'') AND to_be.name <> i.relname AND (p.oid IS NOT NULL
  OR starts_with(i.relname, ''events_default__new_'') AND to_regclass(format(''%I.%I'', n.nspname, to_be.name)) IS NULL)
ORDER BY i.relname); PERFORM pg_catalog.set_config(''search_path'', schema_kit_path, true); DROP TABLE IF EXISTS "public"."events_default__old";FOREACH command IN ARRAY schema_kit_commands LOOP EXECUTE command; END LOOP; END';
DROP TABLE IF EXISTS "public"."events_default__old";
UPDATE "schema_kit"."copy_run" SET finished_at = pg_catalog.clock_timestamp() WHERE source_table = 'public.events_default';
COMMIT;
