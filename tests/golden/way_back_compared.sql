-- give bots.messages back its plain table
-- What is left when both were compared, with keys in the log.

-- replay what changed in bots.messages meanwhile
-- locks: SHARE ROW EXCLUSIVE on bots.messages__old
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
LOCK TABLE ONLY "bots"."messages__old" IN SHARE ROW EXCLUSIVE MODE;
DO 'DECLARE schema_kit_path text := pg_catalog.current_setting(''search_path''); BEGIN PERFORM pg_catalog.set_config(''search_path'', ''pg_catalog, pg_temp'', true); IF (EXISTS (SELECT 1 FROM "schema_kit"."copy_run" WHERE source_table = ''bots.messages'' AND cut_at IS NOT NULL) AND NOT EXISTS (SELECT 1 FROM "schema_kit"."copy_chunk" WHERE source_table = ''bots.messages'' AND done_at IS NULL)) IS NOT TRUE THEN RAISE serialization_failure USING MESSAGE = ''another run has gone on with the copy of bots.messages''; END IF; PERFORM pg_catalog.set_config(''search_path'', schema_kit_path, true); END';
DO 'DECLARE
  schema_kit_taken bigint;
  schema_kit_keys "bots"."messages__back"[];
BEGIN
  WITH gone AS (DELETE FROM "bots"."messages__back" RETURNING "id"), keys AS (SELECT DISTINCT "id" FROM gone)
  SELECT (SELECT pg_catalog.count(*) FROM gone), pg_catalog.array_agg(ROW("id")::"bots"."messages__back")
  INTO schema_kit_taken, schema_kit_keys FROM keys;
  IF schema_kit_taken > 0 THEN
    DELETE FROM "bots"."messages__old" t USING pg_catalog.unnest(schema_kit_keys) AS k WHERE t."id" OPERATOR("pg_catalog".=) k."id";
    INSERT INTO "bots"."messages__old" ("id", "number", "chat_id", "text", "created_at") OVERRIDING SYSTEM VALUE SELECT s."id", s."number", s."chat_id", s."text", s."created_at"
    FROM pg_catalog.unnest(schema_kit_keys) AS k JOIN "bots"."messages" s ON s."id" OPERATOR("pg_catalog".=) k."id";
  END IF;
  PERFORM pg_catalog.set_config(''schema_kit.replayed'', schema_kit_taken::text, true);
END';
UPDATE "schema_kit"."copy_run" SET replayed = replayed + pg_catalog.current_setting('schema_kit.replayed')::bigint WHERE source_table = 'bots.messages';
SELECT 1 FROM "schema_kit"."copy_run" WHERE source_table = 'bots.messages' AND pg_catalog.current_setting('schema_kit.replayed')::bigint >= 4611686018427387904;
COMMIT;

-- swap back: bots.messages__old becomes bots.messages again, and the partitioned table is dropped
-- locks: ACCESS EXCLUSIVE on bots.recent
-- locks: ACCESS EXCLUSIVE on bots.messages
-- locks: ACCESS EXCLUSIVE on bots.messages__old
-- locks: ACCESS EXCLUSIVE on bots.messages__back
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
DO 'BEGIN ALTER VIEW "bots"."recent" OWNER TO "reader"; LOCK TABLE ONLY "bots"."messages" IN ACCESS EXCLUSIVE MODE; LOCK TABLE ONLY "bots"."messages__old" IN ACCESS EXCLUSIVE MODE; LOCK TABLE ONLY "bots"."messages__back" IN ACCESS EXCLUSIVE MODE; LOCK TABLE ONLY "bots"."messages_p20261001" IN ACCESS EXCLUSIVE MODE; LOCK TABLE ONLY "bots"."messages_p20261101" IN ACCESS EXCLUSIVE MODE; LOCK TABLE ONLY "bots"."messages_p20261201" IN ACCESS EXCLUSIVE MODE; LOCK TABLE ONLY "bots"."messages_p20270101" IN ACCESS EXCLUSIVE MODE; LOCK TABLE ONLY "bots"."messages_default" IN ACCESS EXCLUSIVE MODE; LOCK TABLE ONLY "bots"."reactions" IN ACCESS EXCLUSIVE MODE; LOCK TABLE ONLY "bots"."chats" IN ACCESS EXCLUSIVE MODE; EXCEPTION WHEN query_canceled THEN RAISE lock_not_available USING MESSAGE = ''locks not taken in time''; END';
SET LOCAL statement_timeout = '30000ms';
SELECT pg_catalog.set_config('transaction_timeout', '30000ms', true) WHERE pg_catalog.current_setting('transaction_timeout', true) IS NOT NULL;
DO 'DECLARE schema_kit_path text := pg_catalog.current_setting(''search_path''); BEGIN PERFORM pg_catalog.set_config(''search_path'', ''pg_catalog, pg_temp'', true); IF ((SELECT hashtextextended(string_agg(concat_ws('':'', c.oid, pg_relation_filenode(c.oid), (SELECT string_agg(concat_ws('' '', a.attname, a.atttypid, a.atttypmod, a.attnotnull), '','' ORDER BY a.attname) FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)), '';'' ORDER BY c.oid), 0)::text FROM pg_class c WHERE c.oid = to_regclass(''"bots"."messages__old"'') OR c.oid IN (SELECT relid FROM pg_partition_tree(to_regclass(''"bots"."messages"'')))) = ''1:2'' AND (SELECT to_regclass(''"bots"."messages__back"'') IS NOT NULL AND to_regclass(''"bots"."messages"'') IS NOT NULL AND NOT EXISTS (SELECT 1 FROM pg_partition_tree(to_regclass(''"bots"."messages"'')) p WHERE NOT EXISTS (SELECT 1 FROM pg_trigger t WHERE t.tgrelid = p.relid AND t.tgname = ''schema_kit_copy_back'' AND t.tgenabled = ''A''))) AND EXISTS (SELECT 1 FROM "schema_kit"."copy_run" WHERE source_table = ''bots.messages'' AND settled_at IS NOT NULL AND returned_at IS NULL AND back_identity = ''1:2'') AND NOT EXISTS (SELECT 1 FROM "schema_kit"."copy_target" WHERE source_table = ''bots.messages'' AND NOT ((source_rows, source_sum) = (target_rows, target_sum)) IS TRUE)) IS NOT TRUE THEN RAISE serialization_failure USING MESSAGE = ''bots.messages is not any more what was compared with bots.messages__old''; END IF; PERFORM pg_catalog.set_config(''search_path'', schema_kit_path, true); END';
DO 'DECLARE
  schema_kit_taken bigint;
  schema_kit_keys "bots"."messages__back"[];
BEGIN
  WITH gone AS (DELETE FROM "bots"."messages__back" RETURNING "id"), keys AS (SELECT DISTINCT "id" FROM gone)
  SELECT (SELECT pg_catalog.count(*) FROM gone), pg_catalog.array_agg(ROW("id")::"bots"."messages__back")
  INTO schema_kit_taken, schema_kit_keys FROM keys;
  IF schema_kit_taken > 0 THEN
    DELETE FROM "bots"."messages__old" t USING pg_catalog.unnest(schema_kit_keys) AS k WHERE t."id" OPERATOR("pg_catalog".=) k."id";
    INSERT INTO "bots"."messages__old" ("id", "number", "chat_id", "text", "created_at") OVERRIDING SYSTEM VALUE SELECT s."id", s."number", s."chat_id", s."text", s."created_at"
    FROM pg_catalog.unnest(schema_kit_keys) AS k JOIN "bots"."messages" s ON s."id" OPERATOR("pg_catalog".=) k."id";
  END IF;
  PERFORM pg_catalog.set_config(''schema_kit.replayed'', schema_kit_taken::text, true);
END';
DO 'DECLARE schema_kit_path text := pg_catalog.current_setting(''search_path''); BEGIN PERFORM pg_catalog.set_config(''search_path'', ''pg_catalog, pg_temp'', true); IF EXISTS (SELECT FROM pg_stat_activity a WHERE a.datname = current_database() AND a.pid <> pg_backend_pid()
  AND a.backend_type NOT IN (''autovacuum worker'', ''walsender'') AND a.backend_xmin IS NOT NULL AND a.xact_start < now()
  AND (a.state LIKE ''idle in transaction%''
       OR (a.xact_start < a.query_start AND a.query_start < clock_timestamp() - interval ''1 second'')) AND NOT pg_backend_pid() = ANY (pg_blocking_pids(a.pid))) THEN RAISE lock_not_available USING MESSAGE = ''a transaction has a snapshot from before''; END IF; PERFORM pg_catalog.set_config(''search_path'', schema_kit_path, true); END';
ALTER TABLE "bots"."reactions" DROP CONSTRAINT "reactions_message_id_fkey";
DROP TRIGGER "reactions_message_created_at_fill" ON "bots"."reactions";
DROP FUNCTION "bots"."reactions_message_created_at_fill"();
ALTER TABLE "bots"."reactions" DROP COLUMN "message_created_at";
SELECT pg_catalog.setval('"bots"."messages_id_seq__old"', last_value, is_called) FROM "bots"."messages_id_seq";
ALTER TABLE "bots"."messages" RENAME TO "messages__new";
ALTER TABLE "bots"."messages__old" RENAME TO "messages";
CREATE OR REPLACE VIEW "bots"."recent" WITH (security_invoker=true) AS SELECT messages.id, messages.text FROM bots.messages;
ALTER SEQUENCE "bots"."messages_number_seq" OWNED BY "bots"."messages"."number";
DROP TABLE "bots"."messages__new";
ALTER INDEX "bots"."ix_messages_text__old" RENAME TO "ix_messages_text";
ALTER INDEX "bots"."messages_chat_id_created_at_key__old" RENAME TO "messages_chat_id_created_at_key";
ALTER INDEX "bots"."messages_pkey__old" RENAME TO "messages_pkey";
ALTER SEQUENCE "bots"."messages_id_seq__old" RENAME TO "messages_id_seq";
REVOKE ALL ON "bots"."messages" FROM app CASCADE;
REVOKE ALL ON "bots"."messages" FROM reader CASCADE;
DROP POLICY "own" ON "bots"."messages";
GRANT INSERT, SELECT ON "bots"."messages" TO app;
GRANT SELECT (id, text) ON "bots"."messages" TO reader WITH GRANT OPTION;
CREATE POLICY "own" ON "bots"."messages" AS PERMISSIVE FOR ALL TO app USING ((chat_id = bots.me()));
ALTER TABLE "bots"."messages" ENABLE ROW LEVEL SECURITY;
COMMENT ON TABLE "bots"."messages" IS 'what people and bots say';
ALTER TABLE "bots"."messages" ADD CONSTRAINT "messages_chat_id_fkey" FOREIGN KEY (chat_id) REFERENCES bots.chats(id) ON DELETE CASCADE NOT VALID;
ALTER TABLE "bots"."reactions" ADD CONSTRAINT "reactions_message_id_fkey" FOREIGN KEY ("message_id") REFERENCES "bots"."messages" ("id") ON DELETE CASCADE NOT VALID;
CREATE TRIGGER tell AFTER INSERT ON bots.messages FOR EACH ROW EXECUTE FUNCTION bots.tell();
CREATE TRIGGER trim BEFORE INSERT ON bots.messages FOR EACH ROW EXECUTE FUNCTION bots.trim();
ALTER TABLE "bots"."messages" DISABLE TRIGGER "trim";
DROP FUNCTION "bots"."messages__back"();
DROP TABLE "bots"."messages__back";
DELETE FROM "schema_kit"."part_config" WHERE parent_table = 'bots.messages';
UPDATE "schema_kit"."copy_run" SET returned_at = pg_catalog.clock_timestamp() WHERE source_table = 'bots.messages';
COMMIT;

-- validate reactions_message_id_fkey of bots.reactions
-- locks: SHARE UPDATE EXCLUSIVE on bots.reactions
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
ALTER TABLE "bots"."reactions" VALIDATE CONSTRAINT "reactions_message_id_fkey";
COMMIT;

-- validate messages_chat_id_fkey of bots.messages
-- locks: SHARE UPDATE EXCLUSIVE on bots.messages
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
ALTER TABLE "bots"."messages" VALIDATE CONSTRAINT "messages_chat_id_fkey";
COMMIT;

-- analyze bots.messages
-- locks: SHARE UPDATE EXCLUSIVE on bots.messages
SET lock_timeout = 0;
SET statement_timeout = 0;
ANALYZE "bots"."messages";
RESET lock_timeout;
RESET statement_timeout;

-- remember that bots.messages is plain again
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
UPDATE "schema_kit"."copy_run" SET finished_at = pg_catalog.clock_timestamp() WHERE source_table = 'bots.messages' AND returned_at IS NOT NULL;
COMMIT;
