-- partition bots.messages by created_at, 1 month
-- So that a rollback is possible with all that was written since.

-- log the keys of bots.messages that change, and make 5 tables for its rows
-- locks: SHARE ROW EXCLUSIVE on bots.messages
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL idle_in_transaction_session_timeout = '5000ms';
SET LOCAL statement_timeout = '30000ms';
SELECT pg_catalog.set_config('transaction_timeout', '30000ms', true) WHERE pg_catalog.current_setting('transaction_timeout', true) IS NOT NULL;
CREATE TABLE "bots"."messages__staging" (LIKE "bots"."messages" INCLUDING ALL EXCLUDING IDENTITY EXCLUDING INDEXES EXCLUDING STATISTICS) PARTITION BY RANGE ("created_at");
REVOKE ALL ON "bots"."messages__staging" FROM PUBLIC;
REVOKE ALL ON "bots"."messages__staging" FROM reader;
ALTER TABLE "bots"."messages__staging" OWNER TO "bots";
CREATE TABLE "bots"."messages_p20261001" (LIKE "bots"."messages" INCLUDING ALL EXCLUDING IDENTITY EXCLUDING INDEXES) WITH (fillfactor=90, autovacuum_vacuum_scale_factor=0.05);
REVOKE ALL ON "bots"."messages_p20261001" FROM PUBLIC;
REVOKE ALL ON "bots"."messages_p20261001" FROM reader;
ALTER TABLE "bots"."messages_p20261001" OWNER TO "bots";
COMMENT ON TABLE "bots"."messages_p20261001" IS 'what people and bots say';
ALTER TABLE "bots"."messages_p20261001" ADD CONSTRAINT "schema_kit_bounds" CHECK ("created_at" IS NOT NULL AND "created_at" >= '2026-09-30 17:00:00+00' AND "created_at" < '2026-10-31 17:00:00+00');
ALTER TABLE "bots"."messages__staging" ATTACH PARTITION "bots"."messages_p20261001" FOR VALUES FROM ('2026-09-30 17:00:00+00') TO ('2026-10-31 17:00:00+00');
CREATE TABLE "bots"."messages_p20261101" (LIKE "bots"."messages" INCLUDING ALL EXCLUDING IDENTITY EXCLUDING INDEXES) WITH (fillfactor=90, autovacuum_vacuum_scale_factor=0.05);
REVOKE ALL ON "bots"."messages_p20261101" FROM PUBLIC;
REVOKE ALL ON "bots"."messages_p20261101" FROM reader;
ALTER TABLE "bots"."messages_p20261101" OWNER TO "bots";
COMMENT ON TABLE "bots"."messages_p20261101" IS 'what people and bots say';
ALTER TABLE "bots"."messages_p20261101" ADD CONSTRAINT "schema_kit_bounds" CHECK ("created_at" IS NOT NULL AND "created_at" >= '2026-10-31 17:00:00+00' AND "created_at" < '2026-11-30 17:00:00+00');
ALTER TABLE "bots"."messages__staging" ATTACH PARTITION "bots"."messages_p20261101" FOR VALUES FROM ('2026-10-31 17:00:00+00') TO ('2026-11-30 17:00:00+00');
CREATE TABLE "bots"."messages_p20261201" (LIKE "bots"."messages" INCLUDING ALL EXCLUDING IDENTITY EXCLUDING INDEXES) WITH (fillfactor=90, autovacuum_vacuum_scale_factor=0.05);
REVOKE ALL ON "bots"."messages_p20261201" FROM PUBLIC;
REVOKE ALL ON "bots"."messages_p20261201" FROM reader;
ALTER TABLE "bots"."messages_p20261201" OWNER TO "bots";
COMMENT ON TABLE "bots"."messages_p20261201" IS 'what people and bots say';
ALTER TABLE "bots"."messages_p20261201" ADD CONSTRAINT "schema_kit_bounds" CHECK ("created_at" IS NOT NULL AND "created_at" >= '2026-11-30 17:00:00+00' AND "created_at" < '2026-12-31 17:00:00+00');
ALTER TABLE "bots"."messages__staging" ATTACH PARTITION "bots"."messages_p20261201" FOR VALUES FROM ('2026-11-30 17:00:00+00') TO ('2026-12-31 17:00:00+00');
CREATE TABLE "bots"."messages_p20270101" (LIKE "bots"."messages" INCLUDING ALL EXCLUDING IDENTITY EXCLUDING INDEXES) WITH (fillfactor=90, autovacuum_vacuum_scale_factor=0.05);
REVOKE ALL ON "bots"."messages_p20270101" FROM PUBLIC;
REVOKE ALL ON "bots"."messages_p20270101" FROM reader;
ALTER TABLE "bots"."messages_p20270101" OWNER TO "bots";
COMMENT ON TABLE "bots"."messages_p20270101" IS 'what people and bots say';
ALTER TABLE "bots"."messages_p20270101" ADD CONSTRAINT "schema_kit_bounds" CHECK ("created_at" IS NOT NULL AND "created_at" >= '2026-12-31 17:00:00+00' AND "created_at" < '2027-01-31 17:00:00+00');
ALTER TABLE "bots"."messages__staging" ATTACH PARTITION "bots"."messages_p20270101" FOR VALUES FROM ('2026-12-31 17:00:00+00') TO ('2027-01-31 17:00:00+00');
CREATE TABLE "bots"."messages_default" (LIKE "bots"."messages" INCLUDING ALL EXCLUDING IDENTITY EXCLUDING INDEXES) WITH (fillfactor=90, autovacuum_vacuum_scale_factor=0.05);
REVOKE ALL ON "bots"."messages_default" FROM PUBLIC;
REVOKE ALL ON "bots"."messages_default" FROM reader;
ALTER TABLE "bots"."messages_default" OWNER TO "bots";
COMMENT ON TABLE "bots"."messages_default" IS 'what people and bots say';
ALTER TABLE "bots"."messages__staging" ATTACH PARTITION "bots"."messages_default" DEFAULT;
CREATE TABLE "bots"."messages__log" WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 50000) AS SELECT "id", "created_at" FROM "bots"."messages" WITH NO DATA;
DO 'BEGIN DROP TABLE "bots"."messages__log"; RAISE SQLSTATE ''SKIT0''; EXCEPTION WHEN SQLSTATE ''SKIT0'' THEN NULL; END';
REVOKE ALL ON "bots"."messages__log" FROM PUBLIC;
REVOKE ALL ON "bots"."messages__log" FROM reader;
ALTER TABLE "bots"."messages__log" OWNER TO "bots";
ALTER TABLE "bots"."messages__log" REPLICA IDENTITY FULL;
CREATE FUNCTION "bots"."messages__log"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'BEGIN
  IF TG_OP <> ''INSERT'' THEN
    INSERT INTO "bots"."messages__log" ("id", "created_at") VALUES (OLD."id", OLD."created_at");
  END IF;
  IF TG_OP = ''INSERT'' OR (TG_OP = ''UPDATE'' AND (NEW."id" OPERATOR("pg_catalog".=) OLD."id" AND NEW."created_at" OPERATOR("pg_catalog".=) OLD."created_at") IS NOT TRUE) THEN
    INSERT INTO "bots"."messages__log" ("id", "created_at") VALUES (NEW."id", NEW."created_at");
  END IF;
  RETURN NULL;
END';
REVOKE ALL ON FUNCTION "bots"."messages__log"() FROM PUBLIC;
DO 'DECLARE schema_kit_path text := pg_catalog.current_setting(''search_path''); BEGIN PERFORM pg_catalog.set_config(''search_path'', ''pg_catalog, pg_temp'', true); PERFORM (NEW."id" OPERATOR("pg_catalog".=) OLD."id" AND NEW."created_at" OPERATOR("pg_catalog".=) OLD."created_at") IS NOT TRUE FROM (SELECT "id", "created_at" FROM "bots"."messages" LIMIT 1) AS old, (SELECT "id", "created_at" FROM "bots"."messages" LIMIT 1) AS new; PERFORM pg_catalog.set_config(''search_path'', schema_kit_path, true); END';
ALTER FUNCTION "bots"."messages__log"() OWNER TO "bots";
CREATE TRIGGER "schema_kit_copy_log" AFTER INSERT OR UPDATE OR DELETE ON "bots"."messages" FOR EACH ROW EXECUTE FUNCTION "bots"."messages__log"();
ALTER TABLE "bots"."messages" ENABLE ALWAYS TRIGGER "schema_kit_copy_log";
DELETE FROM "schema_kit"."copy_run" WHERE source_table = 'bots.messages';
INSERT INTO "schema_kit"."copy_run" (source_table, parent_table, purpose, identity) VALUES ('bots.messages', 'bots.messages', 'convert', '16400:16400:1');
INSERT INTO "schema_kit"."copy_target" (source_table, target_table, built_as, lower_bound, upper_bound, is_default) VALUES ('bots.messages', 'bots.messages_p20261001', 'bots.messages_p20261001', '2026-09-30 17:00:00+00', '2026-10-31 17:00:00+00', false), ('bots.messages', 'bots.messages_p20261101', 'bots.messages_p20261101', '2026-10-31 17:00:00+00', '2026-11-30 17:00:00+00', false), ('bots.messages', 'bots.messages_p20261201', 'bots.messages_p20261201', '2026-11-30 17:00:00+00', '2026-12-31 17:00:00+00', false), ('bots.messages', 'bots.messages_p20270101', 'bots.messages_p20270101', '2026-12-31 17:00:00+00', '2027-01-31 17:00:00+00', false), ('bots.messages', 'bots.messages_default', 'bots.messages_default', NULL, NULL, true);
COMMIT;

-- divide bots.messages into chunks by id, created_at
-- locks: SHARE ROW EXCLUSIVE on bots.messages__staging
BEGIN;
SET LOCAL transaction_isolation = 'read committed';
SET LOCAL DateStyle = 'ISO, YMD';
SET LOCAL IntervalStyle = 'postgres';
SET LOCAL TimeZone = 'UTC';
SET LOCAL extra_float_digits = '1';
SET LOCAL bytea_output = 'hex';
SET LOCAL row_security = 'off';
SET LOCAL lock_timeout = '5000ms';
SET LOCAL idle_in_transaction_session_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
LOCK TABLE ONLY "bots"."messages__staging" IN SHARE ROW EXCLUSIVE MODE;
DO 'DECLARE schema_kit_path text := pg_catalog.current_setting(''search_path''); BEGIN PERFORM pg_catalog.set_config(''search_path'', ''pg_catalog, pg_temp'', true); IF (EXISTS (SELECT 1 FROM "schema_kit"."copy_run" WHERE source_table = ''bots.messages'' AND cut_at IS NULL)) IS NOT TRUE THEN RAISE serialization_failure USING MESSAGE = ''another run has gone on with the copy of bots.messages''; END IF; PERFORM pg_catalog.set_config(''search_path'', schema_kit_path, true); END';
DO 'DECLARE schema_kit_path text := pg_catalog.current_setting(''search_path''); pages float; bytes float; share float; BEGIN PERFORM pg_catalog.set_config(''search_path'', ''pg_catalog, pg_temp'', true); 
  pages := pg_relation_size(''"bots"."messages"'') / current_setting(''block_size'')::float;
  bytes := pg_table_size(''"bots"."messages"'');
  share := least(100, greatest(1, 100 * 1000 / greatest(pages, 1)));
  EXECUTE ''INSERT INTO "schema_kit"."copy_chunk" (source_table, number, lower_key, upper_key)
WITH sample AS (
  SELECT DISTINCT ON ("id", "created_at") "id", "created_at", row_number() OVER (ORDER BY "id", "created_at") - 1 AS schema_kit_place,
         count(*) OVER () AS schema_kit_all
  FROM "bots"."messages" TABLESAMPLE SYSTEM ('' || share || '') ORDER BY "id", "created_at", schema_kit_place
), sized AS (
  SELECT *, lag(schema_kit_place) OVER (ORDER BY schema_kit_place) AS schema_kit_before,
         greatest(1, ceil(schema_kit_all / ceil(greatest(
           schema_kit_all * 100.0 / ('' || share || '') / 50000, ('' || bytes || '')::float / 33554432
         ))))::bigint AS schema_kit_step
  FROM sample
), numbered AS (
  SELECT ARRAY["id"::text, "created_at"::text] AS edge, row_number() OVER (ORDER BY schema_kit_place) AS number FROM sized
  WHERE schema_kit_place / schema_kit_step > schema_kit_before / schema_kit_step
)
SELECT ''''bots.messages'''', coalesce(l.number, 0), l.edge, u.edge
FROM numbered l FULL JOIN numbered u ON u.number = l.number + 1
UNION ALL SELECT ''''bots.messages'''', 0, NULL, NULL WHERE NOT EXISTS (SELECT 1 FROM numbered)'';
 PERFORM pg_catalog.set_config(''search_path'', schema_kit_path, true); END';
UPDATE "schema_kit"."copy_run" SET cut_at = pg_catalog.clock_timestamp(), cut_by = ARRAY['id', 'created_at'] WHERE source_table = 'bots.messages';
COMMIT;

-- copy the rows of bots.messages, chunk by chunk
-- repeated, a commit each time, until no row is left
BEGIN;
SET LOCAL transaction_isolation = 'read committed';
SET LOCAL synchronous_commit = 'off';
SET LOCAL DateStyle = 'ISO, YMD';
SET LOCAL IntervalStyle = 'postgres';
SET LOCAL TimeZone = 'UTC';
SET LOCAL extra_float_digits = '1';
SET LOCAL bytea_output = 'hex';
SET LOCAL enable_seqscan = 'off';
SET LOCAL jit = 'off';
SET LOCAL row_security = 'off';
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
DO 'DECLARE
  chunk record;
  began timestamptz := pg_catalog.clock_timestamp();
  copied bigint;
BEGIN
  PERFORM pg_catalog.set_config(''schema_kit.chunk'', '''', true);
  SELECT c.number, c.lower_key, c.upper_key INTO chunk FROM "schema_kit"."copy_chunk" c
  WHERE c.source_table = ''bots.messages'' AND c.done_at IS NULL
  ORDER BY c.number = coalesce(nullif(pg_catalog.current_setting(''schema_kit.last_chunk'', true), '''')::int + 1, 0) DESC,
           pg_catalog.hashint4(c.number) LIMIT 1 FOR UPDATE SKIP LOCKED;
  IF FOUND THEN
    EXECUTE ''INSERT INTO "bots"."messages__staging" ("id", "number", "chat_id", "text", "created_at") SELECT "id", "number", "chat_id", "text", "created_at" FROM "bots"."messages" WHERE '' || CASE WHEN chunk.lower_key IS NULL THEN ''true'' ELSE pg_catalog.format(''("id", "created_at") OPERATOR("pg_catalog".>=) (%L::bigint, %L::timestamp with time zone)'', chunk.lower_key[1], chunk.lower_key[2]) END || '' AND '' || CASE WHEN chunk.upper_key IS NULL THEN ''true'' ELSE pg_catalog.format(''("id", "created_at") OPERATOR("pg_catalog".<) (%L::bigint, %L::timestamp with time zone)'', chunk.upper_key[1], chunk.upper_key[2]) END;
    GET DIAGNOSTICS copied = ROW_COUNT;
    UPDATE "schema_kit"."copy_chunk" SET rows = copied, began_at = began WHERE source_table = ''bots.messages'' AND number = chunk.number;
    PERFORM pg_catalog.set_config(''schema_kit.chunk'', chunk.number::text, true);
    PERFORM pg_catalog.set_config(''schema_kit.last_chunk'', chunk.number::text, false);
  END IF;
END';
UPDATE "schema_kit"."copy_chunk" SET done_at = pg_catalog.clock_timestamp() WHERE source_table = 'bots.messages' AND number = nullif(pg_catalog.current_setting('schema_kit.chunk'), '')::int;
COMMIT;

-- give bots.messages_p20261001 its primary key
-- locks: ACCESS EXCLUSIVE on bots.messages_p20261001
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL idle_in_transaction_session_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
LOCK TABLE ONLY "bots"."messages_p20261001" IN ACCESS EXCLUSIVE MODE;
DO 'DECLARE schema_kit_path text := pg_catalog.current_setting(''search_path''); BEGIN PERFORM pg_catalog.set_config(''search_path'', ''pg_catalog, pg_temp'', true); IF ((SELECT count(*) FROM pg_index WHERE indrelid = to_regclass(''"bots"."messages_p20261001"'')) = 0) IS NOT TRUE THEN RAISE serialization_failure USING MESSAGE = ''bots.messages_p20261001 has other indexes by now''; END IF; PERFORM pg_catalog.set_config(''search_path'', schema_kit_path, true); END';
ALTER TABLE "bots"."messages_p20261001" ADD PRIMARY KEY ("id", "created_at");
COMMIT;

-- give bots.messages_p20261101 its primary key
-- locks: ACCESS EXCLUSIVE on bots.messages_p20261101
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL idle_in_transaction_session_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
LOCK TABLE ONLY "bots"."messages_p20261101" IN ACCESS EXCLUSIVE MODE;
DO 'DECLARE schema_kit_path text := pg_catalog.current_setting(''search_path''); BEGIN PERFORM pg_catalog.set_config(''search_path'', ''pg_catalog, pg_temp'', true); IF ((SELECT count(*) FROM pg_index WHERE indrelid = to_regclass(''"bots"."messages_p20261101"'')) = 0) IS NOT TRUE THEN RAISE serialization_failure USING MESSAGE = ''bots.messages_p20261101 has other indexes by now''; END IF; PERFORM pg_catalog.set_config(''search_path'', schema_kit_path, true); END';
ALTER TABLE "bots"."messages_p20261101" ADD PRIMARY KEY ("id", "created_at");
COMMIT;

-- give bots.messages_p20261201 its primary key
-- locks: ACCESS EXCLUSIVE on bots.messages_p20261201
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL idle_in_transaction_session_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
LOCK TABLE ONLY "bots"."messages_p20261201" IN ACCESS EXCLUSIVE MODE;
DO 'DECLARE schema_kit_path text := pg_catalog.current_setting(''search_path''); BEGIN PERFORM pg_catalog.set_config(''search_path'', ''pg_catalog, pg_temp'', true); IF ((SELECT count(*) FROM pg_index WHERE indrelid = to_regclass(''"bots"."messages_p20261201"'')) = 0) IS NOT TRUE THEN RAISE serialization_failure USING MESSAGE = ''bots.messages_p20261201 has other indexes by now''; END IF; PERFORM pg_catalog.set_config(''search_path'', schema_kit_path, true); END';
ALTER TABLE "bots"."messages_p20261201" ADD PRIMARY KEY ("id", "created_at");
COMMIT;

-- give bots.messages_p20270101 its primary key
-- locks: ACCESS EXCLUSIVE on bots.messages_p20270101
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL idle_in_transaction_session_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
LOCK TABLE ONLY "bots"."messages_p20270101" IN ACCESS EXCLUSIVE MODE;
DO 'DECLARE schema_kit_path text := pg_catalog.current_setting(''search_path''); BEGIN PERFORM pg_catalog.set_config(''search_path'', ''pg_catalog, pg_temp'', true); IF ((SELECT count(*) FROM pg_index WHERE indrelid = to_regclass(''"bots"."messages_p20270101"'')) = 0) IS NOT TRUE THEN RAISE serialization_failure USING MESSAGE = ''bots.messages_p20270101 has other indexes by now''; END IF; PERFORM pg_catalog.set_config(''search_path'', schema_kit_path, true); END';
ALTER TABLE "bots"."messages_p20270101" ADD PRIMARY KEY ("id", "created_at");
COMMIT;

-- give bots.messages_default its primary key
-- locks: ACCESS EXCLUSIVE on bots.messages_default
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL idle_in_transaction_session_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
LOCK TABLE ONLY "bots"."messages_default" IN ACCESS EXCLUSIVE MODE;
DO 'DECLARE schema_kit_path text := pg_catalog.current_setting(''search_path''); BEGIN PERFORM pg_catalog.set_config(''search_path'', ''pg_catalog, pg_temp'', true); IF ((SELECT count(*) FROM pg_index WHERE indrelid = to_regclass(''"bots"."messages_default"'')) = 0) IS NOT TRUE THEN RAISE serialization_failure USING MESSAGE = ''bots.messages_default has other indexes by now''; END IF; PERFORM pg_catalog.set_config(''search_path'', schema_kit_path, true); END';
ALTER TABLE "bots"."messages_default" ADD PRIMARY KEY ("id", "created_at");
COMMIT;

-- replay what changed in bots.messages meanwhile
-- locks: SHARE ROW EXCLUSIVE on bots.messages__staging
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
LOCK TABLE ONLY "bots"."messages__staging" IN SHARE ROW EXCLUSIVE MODE;
DO 'DECLARE schema_kit_path text := pg_catalog.current_setting(''search_path''); BEGIN PERFORM pg_catalog.set_config(''search_path'', ''pg_catalog, pg_temp'', true); IF (EXISTS (SELECT 1 FROM "schema_kit"."copy_run" WHERE source_table = ''bots.messages'' AND cut_at IS NOT NULL) AND NOT EXISTS (SELECT 1 FROM "schema_kit"."copy_chunk" WHERE source_table = ''bots.messages'' AND done_at IS NULL)) IS NOT TRUE THEN RAISE serialization_failure USING MESSAGE = ''another run has gone on with the copy of bots.messages''; END IF; PERFORM pg_catalog.set_config(''search_path'', schema_kit_path, true); END';
DO 'DECLARE
  schema_kit_taken bigint;
  schema_kit_keys "bots"."messages__log"[];
BEGIN
  WITH gone AS (DELETE FROM "bots"."messages__log" WHERE ctid = ANY (ARRAY(SELECT ctid FROM "bots"."messages__log" LIMIT 10000)) RETURNING "id", "created_at"), keys AS (SELECT DISTINCT "id", "created_at" FROM gone)
  SELECT (SELECT pg_catalog.count(*) FROM gone), pg_catalog.array_agg(ROW("id", "created_at")::"bots"."messages__log")
  INTO schema_kit_taken, schema_kit_keys FROM keys;
  IF schema_kit_taken > 0 THEN
    DELETE FROM "bots"."messages__staging" t USING pg_catalog.unnest(schema_kit_keys) AS k WHERE t."id" OPERATOR("pg_catalog".=) k."id" AND t."created_at" OPERATOR("pg_catalog".=) k."created_at";
    INSERT INTO "bots"."messages__staging" ("id", "number", "chat_id", "text", "created_at") OVERRIDING SYSTEM VALUE SELECT s."id", s."number", s."chat_id", s."text", s."created_at"
    FROM pg_catalog.unnest(schema_kit_keys) AS k JOIN "bots"."messages" s ON s."id" OPERATOR("pg_catalog".=) k."id" AND s."created_at" OPERATOR("pg_catalog".=) k."created_at";
  END IF;
  PERFORM pg_catalog.set_config(''schema_kit.replayed'', schema_kit_taken::text, true);
END';
UPDATE "schema_kit"."copy_run" SET replayed = replayed + pg_catalog.current_setting('schema_kit.replayed')::bigint WHERE source_table = 'bots.messages';
SELECT 1 FROM "schema_kit"."copy_run" WHERE source_table = 'bots.messages' AND pg_catalog.current_setting('schema_kit.replayed')::bigint >= 10000;
COMMIT;

-- build 2 indexes of bots.messages_p20261001
-- locks: ACCESS EXCLUSIVE on bots.messages_p20261001
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL idle_in_transaction_session_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
LOCK TABLE ONLY "bots"."messages_p20261001" IN ACCESS EXCLUSIVE MODE;
DO 'DECLARE schema_kit_path text := pg_catalog.current_setting(''search_path''); BEGIN PERFORM pg_catalog.set_config(''search_path'', ''pg_catalog, pg_temp'', true); IF ((SELECT count(*) FROM pg_index WHERE indrelid = to_regclass(''"bots"."messages_p20261001"'')) = 1) IS NOT TRUE THEN RAISE serialization_failure USING MESSAGE = ''bots.messages_p20261001 has other indexes by now''; END IF; PERFORM pg_catalog.set_config(''search_path'', schema_kit_path, true); END';
CREATE INDEX ON "bots"."messages_p20261001" USING gin (text public.gin_trgm_ops) WHERE (text IS NOT NULL);
ALTER TABLE "bots"."messages_p20261001" ADD UNIQUE (chat_id, created_at);
COMMIT;

-- build 2 indexes of bots.messages_p20261101
-- locks: ACCESS EXCLUSIVE on bots.messages_p20261101
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL idle_in_transaction_session_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
LOCK TABLE ONLY "bots"."messages_p20261101" IN ACCESS EXCLUSIVE MODE;
DO 'DECLARE schema_kit_path text := pg_catalog.current_setting(''search_path''); BEGIN PERFORM pg_catalog.set_config(''search_path'', ''pg_catalog, pg_temp'', true); IF ((SELECT count(*) FROM pg_index WHERE indrelid = to_regclass(''"bots"."messages_p20261101"'')) = 1) IS NOT TRUE THEN RAISE serialization_failure USING MESSAGE = ''bots.messages_p20261101 has other indexes by now''; END IF; PERFORM pg_catalog.set_config(''search_path'', schema_kit_path, true); END';
CREATE INDEX ON "bots"."messages_p20261101" USING gin (text public.gin_trgm_ops) WHERE (text IS NOT NULL);
ALTER TABLE "bots"."messages_p20261101" ADD UNIQUE (chat_id, created_at);
COMMIT;

-- build 2 indexes of bots.messages_p20261201
-- locks: ACCESS EXCLUSIVE on bots.messages_p20261201
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL idle_in_transaction_session_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
LOCK TABLE ONLY "bots"."messages_p20261201" IN ACCESS EXCLUSIVE MODE;
DO 'DECLARE schema_kit_path text := pg_catalog.current_setting(''search_path''); BEGIN PERFORM pg_catalog.set_config(''search_path'', ''pg_catalog, pg_temp'', true); IF ((SELECT count(*) FROM pg_index WHERE indrelid = to_regclass(''"bots"."messages_p20261201"'')) = 1) IS NOT TRUE THEN RAISE serialization_failure USING MESSAGE = ''bots.messages_p20261201 has other indexes by now''; END IF; PERFORM pg_catalog.set_config(''search_path'', schema_kit_path, true); END';
CREATE INDEX ON "bots"."messages_p20261201" USING gin (text public.gin_trgm_ops) WHERE (text IS NOT NULL);
ALTER TABLE "bots"."messages_p20261201" ADD UNIQUE (chat_id, created_at);
COMMIT;

-- build 2 indexes of bots.messages_p20270101
-- locks: ACCESS EXCLUSIVE on bots.messages_p20270101
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL idle_in_transaction_session_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
LOCK TABLE ONLY "bots"."messages_p20270101" IN ACCESS EXCLUSIVE MODE;
DO 'DECLARE schema_kit_path text := pg_catalog.current_setting(''search_path''); BEGIN PERFORM pg_catalog.set_config(''search_path'', ''pg_catalog, pg_temp'', true); IF ((SELECT count(*) FROM pg_index WHERE indrelid = to_regclass(''"bots"."messages_p20270101"'')) = 1) IS NOT TRUE THEN RAISE serialization_failure USING MESSAGE = ''bots.messages_p20270101 has other indexes by now''; END IF; PERFORM pg_catalog.set_config(''search_path'', schema_kit_path, true); END';
CREATE INDEX ON "bots"."messages_p20270101" USING gin (text public.gin_trgm_ops) WHERE (text IS NOT NULL);
ALTER TABLE "bots"."messages_p20270101" ADD UNIQUE (chat_id, created_at);
COMMIT;

-- build 2 indexes of bots.messages_default
-- locks: ACCESS EXCLUSIVE on bots.messages_default
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL idle_in_transaction_session_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
LOCK TABLE ONLY "bots"."messages_default" IN ACCESS EXCLUSIVE MODE;
DO 'DECLARE schema_kit_path text := pg_catalog.current_setting(''search_path''); BEGIN PERFORM pg_catalog.set_config(''search_path'', ''pg_catalog, pg_temp'', true); IF ((SELECT count(*) FROM pg_index WHERE indrelid = to_regclass(''"bots"."messages_default"'')) = 1) IS NOT TRUE THEN RAISE serialization_failure USING MESSAGE = ''bots.messages_default has other indexes by now''; END IF; PERFORM pg_catalog.set_config(''search_path'', schema_kit_path, true); END';
CREATE INDEX ON "bots"."messages_default" USING gin (text public.gin_trgm_ops) WHERE (text IS NOT NULL);
ALTER TABLE "bots"."messages_default" ADD UNIQUE (chat_id, created_at);
COMMIT;

-- replay what changed in bots.messages meanwhile
-- locks: SHARE ROW EXCLUSIVE on bots.messages__staging
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
LOCK TABLE ONLY "bots"."messages__staging" IN SHARE ROW EXCLUSIVE MODE;
DO 'DECLARE schema_kit_path text := pg_catalog.current_setting(''search_path''); BEGIN PERFORM pg_catalog.set_config(''search_path'', ''pg_catalog, pg_temp'', true); IF (EXISTS (SELECT 1 FROM "schema_kit"."copy_run" WHERE source_table = ''bots.messages'' AND cut_at IS NOT NULL) AND NOT EXISTS (SELECT 1 FROM "schema_kit"."copy_chunk" WHERE source_table = ''bots.messages'' AND done_at IS NULL)) IS NOT TRUE THEN RAISE serialization_failure USING MESSAGE = ''another run has gone on with the copy of bots.messages''; END IF; PERFORM pg_catalog.set_config(''search_path'', schema_kit_path, true); END';
DO 'DECLARE
  schema_kit_taken bigint;
  schema_kit_keys "bots"."messages__log"[];
BEGIN
  WITH gone AS (DELETE FROM "bots"."messages__log" RETURNING "id", "created_at"), keys AS (SELECT DISTINCT "id", "created_at" FROM gone)
  SELECT (SELECT pg_catalog.count(*) FROM gone), pg_catalog.array_agg(ROW("id", "created_at")::"bots"."messages__log")
  INTO schema_kit_taken, schema_kit_keys FROM keys;
  IF schema_kit_taken > 0 THEN
    DELETE FROM "bots"."messages__staging" t USING pg_catalog.unnest(schema_kit_keys) AS k WHERE t."id" OPERATOR("pg_catalog".=) k."id" AND t."created_at" OPERATOR("pg_catalog".=) k."created_at";
    INSERT INTO "bots"."messages__staging" ("id", "number", "chat_id", "text", "created_at") OVERRIDING SYSTEM VALUE SELECT s."id", s."number", s."chat_id", s."text", s."created_at"
    FROM pg_catalog.unnest(schema_kit_keys) AS k JOIN "bots"."messages" s ON s."id" OPERATOR("pg_catalog".=) k."id" AND s."created_at" OPERATOR("pg_catalog".=) k."created_at";
  END IF;
  PERFORM pg_catalog.set_config(''schema_kit.replayed'', schema_kit_taken::text, true);
END';
UPDATE "schema_kit"."copy_run" SET replayed = replayed + pg_catalog.current_setting('schema_kit.replayed')::bigint WHERE source_table = 'bots.messages';
SELECT 1 FROM "schema_kit"."copy_run" WHERE source_table = 'bots.messages' AND pg_catalog.current_setting('schema_kit.replayed')::bigint >= 4611686018427387904;
COMMIT;

-- analyze bots.messages_p20261001
-- locks: SHARE UPDATE EXCLUSIVE on bots.messages_p20261001
SET lock_timeout = 0;
SET statement_timeout = 0;
ANALYZE "bots"."messages_p20261001";
RESET lock_timeout;
RESET statement_timeout;

-- analyze bots.messages_p20261101
-- locks: SHARE UPDATE EXCLUSIVE on bots.messages_p20261101
SET lock_timeout = 0;
SET statement_timeout = 0;
ANALYZE "bots"."messages_p20261101";
RESET lock_timeout;
RESET statement_timeout;

-- analyze bots.messages_p20261201
-- locks: SHARE UPDATE EXCLUSIVE on bots.messages_p20261201
SET lock_timeout = 0;
SET statement_timeout = 0;
ANALYZE "bots"."messages_p20261201";
RESET lock_timeout;
RESET statement_timeout;

-- analyze bots.messages_p20270101
-- locks: SHARE UPDATE EXCLUSIVE on bots.messages_p20270101
SET lock_timeout = 0;
SET statement_timeout = 0;
ANALYZE "bots"."messages_p20270101";
RESET lock_timeout;
RESET statement_timeout;

-- analyze bots.messages_default
-- locks: SHARE UPDATE EXCLUSIVE on bots.messages_default
SET lock_timeout = 0;
SET statement_timeout = 0;
ANALYZE "bots"."messages_default";
RESET lock_timeout;
RESET statement_timeout;

-- compare 5 tables with bots.messages
BEGIN;
SET LOCAL transaction_isolation = 'repeatable read';
SET LOCAL jit = 'off';
SET LOCAL row_security = 'off';
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
DO 'DECLARE schema_kit_path text := pg_catalog.current_setting(''search_path''); found jsonb; BEGIN PERFORM pg_catalog.set_config(''search_path'', ''pg_catalog, pg_temp'', true); 
  EXECUTE ''WITH s AS MATERIALIZED (SELECT width_bucket(r."created_at", ARRAY[''''2026-09-30 17:00:00+00'''', ''''2026-10-31 17:00:00+00'''', ''''2026-11-30 17:00:00+00'''', ''''2026-12-31 17:00:00+00'''', ''''2027-01-31 17:00:00+00'''']::timestamp with time zone[]) AS place, count(*) AS rows, sum(hash_record_extended(ROW(r."id", r."number", r."chat_id", r."text", r."created_at"), 0)) AS sum FROM "bots"."messages" r WHERE NOT EXISTS (SELECT 1 FROM "bots"."messages__log" l WHERE l."id" OPERATOR("pg_catalog".=) r."id" AND l."created_at" OPERATOR("pg_catalog".=) r."created_at") GROUP BY 1), t AS MATERIALIZED (SELECT width_bucket(r."created_at", ARRAY[''''2026-09-30 17:00:00+00'''', ''''2026-10-31 17:00:00+00'''', ''''2026-11-30 17:00:00+00'''', ''''2026-12-31 17:00:00+00'''', ''''2027-01-31 17:00:00+00'''']::timestamp with time zone[]) AS place, count(*) AS rows, sum(hash_record_extended(ROW(r."id", r."number", r."chat_id", r."text", r."created_at"), 0)) AS sum FROM "bots"."messages__staging" r WHERE NOT EXISTS (SELECT 1 FROM "bots"."messages__log" l WHERE l."id" OPERATOR("pg_catalog".=) r."id" AND l."created_at" OPERATOR("pg_catalog".=) r."created_at") GROUP BY 1) SELECT jsonb_agg(f) FROM (SELECT p.target, coalesce(sum(s.rows), 0) AS s_rows, coalesce(sum(s.sum), 0) AS s_sum, coalesce(sum(t.rows), 0) AS t_rows, coalesce(sum(t.sum), 0) AS t_sum FROM (VALUES (0, ''''bots.messages_default''''), (1, ''''bots.messages_p20261001''''), (2, ''''bots.messages_p20261101''''), (3, ''''bots.messages_p20261201''''), (4, ''''bots.messages_p20270101''''), (5, ''''bots.messages_default'''')) AS p (place, target) LEFT JOIN s ON s.place = p.place LEFT JOIN t ON t.place = p.place GROUP BY p.target) f'' INTO found;
  UPDATE "schema_kit"."copy_target" c SET source_rows = f.s_rows, source_sum = f.s_sum, target_rows = f.t_rows,
    target_sum = f.t_sum, verified_at = clock_timestamp()
  FROM jsonb_to_recordset(found) AS f (target text, s_rows bigint, s_sum numeric, t_rows bigint, t_sum numeric)
  WHERE c.source_table = ''bots.messages'' AND c.target_table = f.target;
 PERFORM pg_catalog.set_config(''search_path'', schema_kit_path, true); END';
COMMIT;

-- wait for transactions whose snapshot is older than the copy of bots.messages
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
UPDATE "schema_kit"."copy_run" SET settled_at = pg_catalog.clock_timestamp() WHERE source_table = 'bots.messages';
COMMIT;

-- build the partitioned parent of bots.messages next to it
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
CREATE TABLE "bots"."messages__new" (LIKE "bots"."messages" INCLUDING ALL EXCLUDING INDEXES EXCLUDING IDENTITY EXCLUDING STATISTICS) PARTITION BY RANGE ("created_at");
REVOKE ALL ON "bots"."messages__new" FROM PUBLIC;
REVOKE ALL ON "bots"."messages__new" FROM reader;
ALTER TABLE "bots"."messages__new" OWNER TO "bots";
ALTER TABLE "bots"."messages__new" ALTER COLUMN "id" ADD GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME "bots"."messages_id_seq__new" START WITH 1 INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 CACHE 1);
REVOKE ALL ON SEQUENCE "bots"."messages_id_seq__new" FROM reader;
GRANT SELECT, USAGE ON SEQUENCE "bots"."messages_id_seq__new" TO app;
COMMENT ON SEQUENCE "bots"."messages_id_seq__new" IS 'numbers of messages';
CREATE INDEX "ix_messages_text__new" ON "bots"."messages__new" USING gin (text public.gin_trgm_ops) WHERE (text IS NOT NULL);
ALTER TABLE "bots"."messages__new" ADD CONSTRAINT "messages_chat_id_created_at_key__new" UNIQUE (chat_id, created_at);
ALTER TABLE "bots"."messages__new" ADD CONSTRAINT "messages_pkey__new" PRIMARY KEY ("id", "created_at");
GRANT INSERT, SELECT ON "bots"."messages__new" TO app;
GRANT SELECT (id, text) ON "bots"."messages__new" TO reader WITH GRANT OPTION;
CREATE POLICY "own" ON "bots"."messages__new" AS PERMISSIVE FOR ALL TO app USING ((chat_id = bots.me()));
ALTER TABLE "bots"."messages__new" ENABLE ROW LEVEL SECURITY;
COMMENT ON TABLE "bots"."messages__new" IS 'schema_kit:16fcd638fbb14d51';
COMMIT;

-- swap: bots.messages becomes partitioned, with 5 partitions; the old one is bots.messages__old
-- locks: ACCESS EXCLUSIVE on bots.recent
-- locks: ACCESS EXCLUSIVE on bots.messages
-- locks: ACCESS EXCLUSIVE on bots.messages__new
-- locks: ACCESS EXCLUSIVE on bots.messages__staging
-- locks: ACCESS EXCLUSIVE on bots.messages__log
-- locks: ACCESS EXCLUSIVE on bots.messages_p20261001
-- locks: ACCESS EXCLUSIVE on bots.messages_p20261101
-- locks: ACCESS EXCLUSIVE on bots.messages_p20261201
-- locks: ACCESS EXCLUSIVE on bots.messages_p20270101
-- locks: ACCESS EXCLUSIVE on bots.messages_default
-- locks: ACCESS EXCLUSIVE on bots.reactions
-- locks: ACCESS EXCLUSIVE on bots.chats
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
DO 'BEGIN ALTER VIEW "bots"."recent" OWNER TO "reader"; LOCK TABLE ONLY "bots"."messages" IN ACCESS EXCLUSIVE MODE; LOCK TABLE ONLY "bots"."messages__new" IN ACCESS EXCLUSIVE MODE; LOCK TABLE ONLY "bots"."messages__staging" IN ACCESS EXCLUSIVE MODE; LOCK TABLE ONLY "bots"."messages__log" IN ACCESS EXCLUSIVE MODE; LOCK TABLE ONLY "bots"."messages_p20261001" IN ACCESS EXCLUSIVE MODE; LOCK TABLE ONLY "bots"."messages_p20261101" IN ACCESS EXCLUSIVE MODE; LOCK TABLE ONLY "bots"."messages_p20261201" IN ACCESS EXCLUSIVE MODE; LOCK TABLE ONLY "bots"."messages_p20270101" IN ACCESS EXCLUSIVE MODE; LOCK TABLE ONLY "bots"."messages_default" IN ACCESS EXCLUSIVE MODE; LOCK TABLE ONLY "bots"."reactions" IN ACCESS EXCLUSIVE MODE; LOCK TABLE ONLY "bots"."chats" IN ACCESS EXCLUSIVE MODE; EXCEPTION WHEN query_canceled THEN RAISE lock_not_available USING MESSAGE = ''locks not taken in time''; END';
SET LOCAL statement_timeout = '30000ms';
SELECT pg_catalog.set_config('transaction_timeout', '30000ms', true) WHERE pg_catalog.current_setting('transaction_timeout', true) IS NOT NULL;
DO 'DECLARE schema_kit_path text := pg_catalog.current_setting(''search_path''); BEGIN PERFORM pg_catalog.set_config(''search_path'', ''pg_catalog, pg_temp'', true); IF ((SELECT concat_ws('':'', c.oid, pg_relation_filenode(c.oid), array_to_string(c.reloptions, '' ''), '''') || (SELECT hashtextextended(string_agg(concat_ws('' '', a.attnum, a.attname, a.atttypid, a.atttypmod, a.attnotnull, a.attgenerated, a.attstorage, a.attcompression), '','' ORDER BY a.attnum), 0) FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) || (SELECT coalesce(hashtextextended(string_agg(concat_ws('' '', k.conname, k.conbin::text), '','' ORDER BY k.conname), 0)::text, '''') FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = ''c'') FROM pg_class c WHERE c.oid = to_regclass(''"bots"."messages"'')) = ''16400:16400:1'' AND (SELECT EXISTS (SELECT 1 FROM pg_trigger t WHERE t.tgrelid = to_regclass(''"bots"."messages"'') AND t.tgname = ''schema_kit_copy_log'' AND t.tgenabled = ''A'') AND to_regclass(''"bots"."messages__log"'') IS NOT NULL) AND EXISTS (SELECT 1 FROM "schema_kit"."copy_run" WHERE source_table = ''bots.messages'' AND cut_at IS NOT NULL) AND NOT EXISTS (SELECT 1 FROM "schema_kit"."copy_chunk" WHERE source_table = ''bots.messages'' AND done_at IS NULL) AND EXISTS (SELECT 1 FROM "schema_kit"."copy_run" WHERE source_table = ''bots.messages'' AND settled_at IS NOT NULL AND swapped_at IS NULL) AND NOT EXISTS (SELECT 1 FROM "schema_kit"."copy_target" WHERE source_table = ''bots.messages'' AND NOT ((source_rows, source_sum) = (target_rows, target_sum)) IS TRUE)) IS NOT TRUE THEN RAISE serialization_failure USING MESSAGE = ''bots.messages is not any more what was copied''; END IF; PERFORM pg_catalog.set_config(''search_path'', schema_kit_path, true); END';
DO 'DECLARE
  schema_kit_taken bigint;
  schema_kit_keys "bots"."messages__log"[];
BEGIN
  WITH gone AS (DELETE FROM "bots"."messages__log" RETURNING "id", "created_at"), keys AS (SELECT DISTINCT "id", "created_at" FROM gone)
  SELECT (SELECT pg_catalog.count(*) FROM gone), pg_catalog.array_agg(ROW("id", "created_at")::"bots"."messages__log")
  INTO schema_kit_taken, schema_kit_keys FROM keys;
  IF schema_kit_taken > 0 THEN
    DELETE FROM "bots"."messages__staging" t USING pg_catalog.unnest(schema_kit_keys) AS k WHERE t."id" OPERATOR("pg_catalog".=) k."id" AND t."created_at" OPERATOR("pg_catalog".=) k."created_at";
    INSERT INTO "bots"."messages__staging" ("id", "number", "chat_id", "text", "created_at") OVERRIDING SYSTEM VALUE SELECT s."id", s."number", s."chat_id", s."text", s."created_at"
    FROM pg_catalog.unnest(schema_kit_keys) AS k JOIN "bots"."messages" s ON s."id" OPERATOR("pg_catalog".=) k."id" AND s."created_at" OPERATOR("pg_catalog".=) k."created_at";
  END IF;
  PERFORM pg_catalog.set_config(''schema_kit.replayed'', schema_kit_taken::text, true);
END';
DO 'DECLARE schema_kit_path text := pg_catalog.current_setting(''search_path''); BEGIN PERFORM pg_catalog.set_config(''search_path'', ''pg_catalog, pg_temp'', true); IF EXISTS (SELECT FROM pg_stat_activity a WHERE a.datname = current_database() AND a.pid <> pg_backend_pid()
  AND a.backend_type NOT IN (''autovacuum worker'', ''walsender'') AND a.backend_xmin IS NOT NULL AND a.xact_start < now()
  AND (a.state LIKE ''idle in transaction%''
       OR (a.xact_start < a.query_start AND a.query_start < clock_timestamp() - interval ''1 second'')) AND NOT pg_backend_pid() = ANY (pg_blocking_pids(a.pid))) THEN RAISE lock_not_available USING MESSAGE = ''a transaction has a snapshot from before''; END IF; PERFORM pg_catalog.set_config(''search_path'', schema_kit_path, true); END';
ALTER TABLE "bots"."reactions" DROP CONSTRAINT "reactions_message_id_fkey";
ALTER TABLE "bots"."messages" DROP CONSTRAINT "messages_chat_id_fkey";
DROP TRIGGER "schema_kit_copy_log" ON "bots"."messages";
DROP TRIGGER "tell" ON "bots"."messages";
DROP TRIGGER "trim" ON "bots"."messages";
ALTER INDEX "bots"."ix_messages_text" RENAME TO "ix_messages_text__old";
ALTER INDEX "bots"."messages_chat_id_created_at_key" RENAME TO "messages_chat_id_created_at_key__old";
ALTER INDEX "bots"."messages_pkey" RENAME TO "messages_pkey__old";
ALTER TABLE "bots"."messages" RENAME TO "messages__old";
ALTER TABLE "bots"."messages__new" RENAME TO "messages";
ALTER INDEX "bots"."ix_messages_text__new" RENAME TO "ix_messages_text";
ALTER INDEX "bots"."messages_chat_id_created_at_key__new" RENAME TO "messages_chat_id_created_at_key";
ALTER INDEX "bots"."messages_pkey__new" RENAME TO "messages_pkey";
SELECT pg_catalog.setval('"bots"."messages_id_seq__new"', last_value, is_called) FROM "bots"."messages_id_seq";
ALTER SEQUENCE "bots"."messages_id_seq" RENAME TO "messages_id_seq__old";
ALTER SEQUENCE "bots"."messages_id_seq__new" RENAME TO "messages_id_seq";
ALTER SEQUENCE "bots"."messages_number_seq" OWNED BY "bots"."messages"."number";
ALTER TABLE "bots"."messages__staging" DETACH PARTITION "bots"."messages_p20261001";
ALTER TABLE "bots"."messages" ATTACH PARTITION "bots"."messages_p20261001" FOR VALUES FROM ('2026-09-30 17:00:00+00') TO ('2026-10-31 17:00:00+00');
ALTER TABLE "bots"."messages_p20261001" DROP CONSTRAINT "schema_kit_bounds";
ALTER TABLE "bots"."messages__staging" DETACH PARTITION "bots"."messages_p20261101";
ALTER TABLE "bots"."messages" ATTACH PARTITION "bots"."messages_p20261101" FOR VALUES FROM ('2026-10-31 17:00:00+00') TO ('2026-11-30 17:00:00+00');
ALTER TABLE "bots"."messages_p20261101" DROP CONSTRAINT "schema_kit_bounds";
ALTER TABLE "bots"."messages__staging" DETACH PARTITION "bots"."messages_p20261201";
ALTER TABLE "bots"."messages" ATTACH PARTITION "bots"."messages_p20261201" FOR VALUES FROM ('2026-11-30 17:00:00+00') TO ('2026-12-31 17:00:00+00');
ALTER TABLE "bots"."messages_p20261201" DROP CONSTRAINT "schema_kit_bounds";
ALTER TABLE "bots"."messages__staging" DETACH PARTITION "bots"."messages_p20270101";
ALTER TABLE "bots"."messages" ATTACH PARTITION "bots"."messages_p20270101" FOR VALUES FROM ('2026-12-31 17:00:00+00') TO ('2027-01-31 17:00:00+00');
ALTER TABLE "bots"."messages_p20270101" DROP CONSTRAINT "schema_kit_bounds";
ALTER TABLE "bots"."messages__staging" DETACH PARTITION "bots"."messages_default";
ALTER TABLE "bots"."messages" ATTACH PARTITION "bots"."messages_default" DEFAULT;
ALTER TABLE "bots"."messages_p20261001" ADD CONSTRAINT "messages_chat_id_fkey" FOREIGN KEY (chat_id) REFERENCES bots.chats(id) ON DELETE CASCADE NOT VALID;
ALTER TABLE "bots"."messages_p20261101" ADD CONSTRAINT "messages_chat_id_fkey" FOREIGN KEY (chat_id) REFERENCES bots.chats(id) ON DELETE CASCADE NOT VALID;
ALTER TABLE "bots"."messages_p20261201" ADD CONSTRAINT "messages_chat_id_fkey" FOREIGN KEY (chat_id) REFERENCES bots.chats(id) ON DELETE CASCADE NOT VALID;
ALTER TABLE "bots"."messages_p20270101" ADD CONSTRAINT "messages_chat_id_fkey" FOREIGN KEY (chat_id) REFERENCES bots.chats(id) ON DELETE CASCADE NOT VALID;
ALTER TABLE "bots"."messages_default" ADD CONSTRAINT "messages_chat_id_fkey" FOREIGN KEY (chat_id) REFERENCES bots.chats(id) ON DELETE CASCADE NOT VALID;
DO 'DECLARE schema_kit_path text := pg_catalog.current_setting(''search_path''); schema_kit_commands text[]; command text; BEGIN PERFORM pg_catalog.set_config(''search_path'', ''pg_catalog, pg_temp'', true); schema_kit_commands := ARRAY(WITH pairs (own, model) AS (VALUES (''"bots"."messages_p20261001"''::regclass, ''"bots"."messages"''::regclass), (''"bots"."messages_p20261101"''::regclass, ''"bots"."messages"''::regclass), (''"bots"."messages_p20261201"''::regclass, ''"bots"."messages"''::regclass), (''"bots"."messages_p20270101"''::regclass, ''"bots"."messages"''::regclass), (''"bots"."messages_default"''::regclass, ''"bots"."messages"''::regclass)), columns AS (
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
CREATE TRIGGER tell AFTER INSERT ON bots.messages FOR EACH ROW EXECUTE FUNCTION bots.tell();
CREATE TRIGGER trim BEFORE INSERT ON bots.messages FOR EACH ROW EXECUTE FUNCTION bots.trim();
ALTER TABLE "bots"."messages" DISABLE TRIGGER "trim";
CREATE OR REPLACE VIEW "bots"."recent" WITH (security_invoker=true) AS SELECT messages.id, messages.text FROM bots.messages;
COMMENT ON TABLE "bots"."messages" IS 'what people and bots say';
COMMENT ON INDEX "bots"."ix_messages_text" IS 'what the bot''s search needs';
INSERT INTO "schema_kit"."part_config" (parent_table, control, partition_interval, premake, timezone, infinite_time_partitions, datetime_string, origin, epoch, encoding, inherit_privileges, retention, retention_keep_table, retention_schema, retention_grace, detach) VALUES ('bots.messages', 'created_at', '1 mon', 2, 'Asia/Bangkok', true, 'YYYYMMDD', NULL, 'none', NULL, false, NULL, true, NULL, '7 days', 'auto') ON CONFLICT (parent_table) DO UPDATE SET control = excluded.control, partition_interval = excluded.partition_interval, premake = excluded.premake, timezone = excluded.timezone, infinite_time_partitions = excluded.infinite_time_partitions, datetime_string = excluded.datetime_string, origin = excluded.origin, epoch = excluded.epoch, encoding = excluded.encoding, inherit_privileges = excluded.inherit_privileges, retention = excluded.retention, retention_keep_table = excluded.retention_keep_table, retention_schema = excluded.retention_schema, retention_grace = excluded.retention_grace, detach = excluded.detach;
DROP TABLE "bots"."messages__staging", "bots"."messages__log";
DROP FUNCTION "bots"."messages__log"();
UPDATE "schema_kit"."copy_run" SET swapped_at = pg_catalog.clock_timestamp() WHERE source_table = 'bots.messages';
CREATE TABLE "bots"."messages__back" WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 50000) AS SELECT "id" FROM "bots"."messages" WITH NO DATA;
DO 'BEGIN DROP TABLE "bots"."messages__back"; RAISE SQLSTATE ''SKIT0''; EXCEPTION WHEN SQLSTATE ''SKIT0'' THEN NULL; END';
REVOKE ALL ON "bots"."messages__back" FROM PUBLIC;
REVOKE ALL ON "bots"."messages__back" FROM reader;
ALTER TABLE "bots"."messages__back" OWNER TO "bots";
ALTER TABLE "bots"."messages__back" REPLICA IDENTITY FULL;
CREATE FUNCTION "bots"."messages__back"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'BEGIN
  IF TG_OP <> ''INSERT'' THEN
    INSERT INTO "bots"."messages__back" ("id") VALUES (OLD."id");
  END IF;
  IF TG_OP = ''INSERT'' OR (TG_OP = ''UPDATE'' AND (NEW."id" OPERATOR("pg_catalog".=) OLD."id") IS NOT TRUE) THEN
    INSERT INTO "bots"."messages__back" ("id") VALUES (NEW."id");
  END IF;
  RETURN NULL;
END';
REVOKE ALL ON FUNCTION "bots"."messages__back"() FROM PUBLIC;
DO 'DECLARE schema_kit_path text := pg_catalog.current_setting(''search_path''); BEGIN PERFORM pg_catalog.set_config(''search_path'', ''pg_catalog, pg_temp'', true); PERFORM (NEW."id" OPERATOR("pg_catalog".=) OLD."id") IS NOT TRUE FROM (SELECT "id" FROM "bots"."messages" LIMIT 1) AS old, (SELECT "id" FROM "bots"."messages" LIMIT 1) AS new; PERFORM pg_catalog.set_config(''search_path'', schema_kit_path, true); END';
ALTER FUNCTION "bots"."messages__back"() OWNER TO "bots";
CREATE TRIGGER "schema_kit_copy_back" AFTER INSERT OR UPDATE OR DELETE ON "bots"."messages" FOR EACH ROW EXECUTE FUNCTION "bots"."messages__back"();
ALTER TABLE "bots"."messages" ENABLE ALWAYS TRIGGER "schema_kit_copy_back";
UPDATE "schema_kit"."copy_run" SET fed = true WHERE source_table = 'bots.messages';
COMMIT;

-- validate reactions_message_id_fkey of bots.reactions
-- locks: SHARE UPDATE EXCLUSIVE on bots.reactions
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
ALTER TABLE "bots"."reactions" VALIDATE CONSTRAINT "reactions_message_id_fkey";
COMMIT;

-- validate messages_chat_id_fkey of bots.messages_p20261001
-- locks: SHARE UPDATE EXCLUSIVE on bots.messages_p20261001
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
ALTER TABLE "bots"."messages_p20261001" VALIDATE CONSTRAINT "messages_chat_id_fkey";
COMMIT;

-- validate messages_chat_id_fkey of bots.messages_p20261101
-- locks: SHARE UPDATE EXCLUSIVE on bots.messages_p20261101
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
ALTER TABLE "bots"."messages_p20261101" VALIDATE CONSTRAINT "messages_chat_id_fkey";
COMMIT;

-- validate messages_chat_id_fkey of bots.messages_p20261201
-- locks: SHARE UPDATE EXCLUSIVE on bots.messages_p20261201
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
ALTER TABLE "bots"."messages_p20261201" VALIDATE CONSTRAINT "messages_chat_id_fkey";
COMMIT;

-- validate messages_chat_id_fkey of bots.messages_p20270101
-- locks: SHARE UPDATE EXCLUSIVE on bots.messages_p20270101
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
ALTER TABLE "bots"."messages_p20270101" VALIDATE CONSTRAINT "messages_chat_id_fkey";
COMMIT;

-- validate messages_chat_id_fkey of bots.messages_default
-- locks: SHARE UPDATE EXCLUSIVE on bots.messages_default
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
ALTER TABLE "bots"."messages_default" VALIDATE CONSTRAINT "messages_chat_id_fkey";
COMMIT;

-- add foreign key messages_chat_id_fkey to bots.messages, taking over those of its partitions
-- locks: ACCESS EXCLUSIVE on bots.chats
-- locks: SHARE ROW EXCLUSIVE on bots.messages
-- locks: SHARE ROW EXCLUSIVE on bots.messages_p20261001
-- locks: SHARE ROW EXCLUSIVE on bots.messages_p20261101
-- locks: SHARE ROW EXCLUSIVE on bots.messages_p20261201
-- locks: SHARE ROW EXCLUSIVE on bots.messages_p20270101
-- locks: SHARE ROW EXCLUSIVE on bots.messages_default
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL idle_in_transaction_session_timeout = '5000ms';
SET LOCAL statement_timeout = '5000ms';
DO 'BEGIN LOCK TABLE ONLY "bots"."chats" IN ACCESS EXCLUSIVE MODE; LOCK TABLE ONLY "bots"."messages" IN SHARE ROW EXCLUSIVE MODE; LOCK TABLE ONLY "bots"."messages_p20261001" IN SHARE ROW EXCLUSIVE MODE; LOCK TABLE ONLY "bots"."messages_p20261101" IN SHARE ROW EXCLUSIVE MODE; LOCK TABLE ONLY "bots"."messages_p20261201" IN SHARE ROW EXCLUSIVE MODE; LOCK TABLE ONLY "bots"."messages_p20270101" IN SHARE ROW EXCLUSIVE MODE; LOCK TABLE ONLY "bots"."messages_default" IN SHARE ROW EXCLUSIVE MODE; EXCEPTION WHEN query_canceled THEN RAISE lock_not_available USING MESSAGE = ''locks not taken in time''; END';
SET LOCAL statement_timeout = '30000ms';
SELECT pg_catalog.set_config('transaction_timeout', '30000ms', true) WHERE pg_catalog.current_setting('transaction_timeout', true) IS NOT NULL;
ALTER TABLE "bots"."messages" ADD CONSTRAINT "messages_chat_id_fkey" FOREIGN KEY ("chat_id") REFERENCES "bots"."chats" ("id") ON DELETE CASCADE;
COMMIT;

-- analyze bots.messages
-- locks: SHARE UPDATE EXCLUSIVE on bots.messages
-- locks: SHARE UPDATE EXCLUSIVE on bots.messages_p20261001
-- locks: SHARE UPDATE EXCLUSIVE on bots.messages_p20261101
-- locks: SHARE UPDATE EXCLUSIVE on bots.messages_p20261201
-- locks: SHARE UPDATE EXCLUSIVE on bots.messages_p20270101
-- locks: SHARE UPDATE EXCLUSIVE on bots.messages_default
SET lock_timeout = 0;
SET statement_timeout = 0;
ANALYZE "bots"."messages";
RESET lock_timeout;
RESET statement_timeout;
