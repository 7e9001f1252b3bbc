-- make bots.messages a plain table again
-- The first partition was out and came back: what validated its bounds goes, or no other row would fit.

-- create index messages__key on bots.messages_before_20270101 concurrently
-- locks: SHARE UPDATE EXCLUSIVE on bots.messages_before_20270101
SET lock_timeout = 0;
SET statement_timeout = 0;
CREATE UNIQUE INDEX CONCURRENTLY "messages__key" ON "bots"."messages_before_20270101" USING "btree" ("id");
RESET lock_timeout;
RESET statement_timeout;

-- swap back: bots.messages_before_20270101 becomes bots.messages and takes in the other partitions' rows (blocks the table while they move)
-- locks: ACCESS EXCLUSIVE on bots.recent
-- locks: ACCESS EXCLUSIVE on bots.messages
-- locks: ACCESS EXCLUSIVE on bots.messages_before_20270101
-- locks: ACCESS EXCLUSIVE on bots.messages_p20270101
-- locks: ACCESS EXCLUSIVE on bots.reactions
-- locks: ACCESS EXCLUSIVE on bots.chats
BEGIN;
SET LOCAL transaction_isolation = 'read committed';
SET LOCAL row_security = 'off';
SET LOCAL lock_timeout = '5000ms';
SET LOCAL idle_in_transaction_session_timeout = '5000ms';
SET LOCAL statement_timeout = '5000ms';
DO 'BEGIN ALTER VIEW "bots"."recent" OWNER TO "reader"; LOCK TABLE ONLY "bots"."messages" IN ACCESS EXCLUSIVE MODE; LOCK TABLE ONLY "bots"."messages_before_20270101" IN ACCESS EXCLUSIVE MODE; LOCK TABLE ONLY "bots"."messages_p20270101" IN ACCESS EXCLUSIVE MODE; LOCK TABLE ONLY "bots"."reactions" IN ACCESS EXCLUSIVE MODE; LOCK TABLE ONLY "bots"."chats" IN ACCESS EXCLUSIVE MODE; EXCEPTION WHEN query_canceled THEN RAISE lock_not_available USING MESSAGE = ''locks not taken in time''; END';
SET LOCAL statement_timeout = '0ms';
ALTER TABLE "bots"."reactions" DROP CONSTRAINT "reactions_message_id_fkey";
DROP TRIGGER "reactions_message_created_at_fill" ON "bots"."reactions";
DROP FUNCTION "bots"."reactions_message_created_at_fill"();
ALTER TABLE "bots"."reactions" DROP COLUMN "message_created_at";
DROP TRIGGER "tell" ON "bots"."messages";
DROP TRIGGER "trim" ON "bots"."messages";
ALTER TABLE "bots"."messages" DETACH PARTITION "bots"."messages_before_20270101";
ALTER TABLE "bots"."messages_before_20270101" DROP CONSTRAINT "messages_created_at_check";
ALTER TABLE "bots"."messages_before_20270101" DROP CONSTRAINT "messages__bounds";
DO 'BEGIN DROP TABLE "bots"."messages_p20270101"; RAISE SQLSTATE ''SKIT0''; EXCEPTION WHEN SQLSTATE ''SKIT0'' THEN NULL; END';
ALTER TABLE "bots"."messages_p20270101" DISABLE TRIGGER USER;
DO 'DECLARE
  schema_kit_there bigint;
  schema_kit_arrived bigint;
BEGIN
  SELECT pg_catalog.count(*) INTO schema_kit_there FROM "bots"."messages";
  WITH gone AS (DELETE FROM "bots"."messages" RETURNING "id", "number", "chat_id", "text", "created_at")
  INSERT INTO "bots"."messages_before_20270101" ("id", "number", "chat_id", "text", "created_at") SELECT "id", "number", "chat_id", "text", "created_at" FROM gone;
  GET DIAGNOSTICS schema_kit_arrived = ROW_COUNT;
  IF schema_kit_arrived <> schema_kit_there THEN
    RAISE assert_failure USING MESSAGE = schema_kit_there::text || '' rows of bots.messages were to move to bots.messages_before_20270101, but so many arrived: '' || schema_kit_arrived::text;
  END IF;
  IF EXISTS (SELECT 1 FROM "bots"."messages") THEN RAISE assert_failure USING MESSAGE = ''rows of bots.messages stay where they are: a rule or a trigger keeps them''; END IF;
END';
ALTER TABLE "bots"."messages_before_20270101" ALTER COLUMN "id" ADD GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME "bots"."messages_id_seq__new" START WITH 1 INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 CACHE 1);
REVOKE ALL ON SEQUENCE "bots"."messages_id_seq__new" FROM reader;
GRANT SELECT, USAGE ON SEQUENCE "bots"."messages_id_seq__new" TO app;
COMMENT ON SEQUENCE "bots"."messages_id_seq__new" IS 'numbers of messages';
SELECT pg_catalog.setval('"bots"."messages_id_seq__new"', last_value, is_called) FROM "bots"."messages_id_seq";
ALTER TABLE "bots"."messages" RENAME TO "messages__old";
ALTER TABLE "bots"."messages_before_20270101" RENAME TO "messages";
CREATE OR REPLACE VIEW "bots"."recent" WITH (security_invoker=true) AS SELECT messages.id, messages.text FROM bots.messages;
ALTER SEQUENCE "bots"."messages_number_seq" OWNED BY "bots"."messages"."number";
ALTER TABLE "bots"."messages__old" DROP CONSTRAINT "messages_chat_id_fkey";
ALTER TABLE "bots"."messages__old" DETACH PARTITION "bots"."messages_p20270101";
DROP TABLE "bots"."messages__old";
REVOKE ALL ON "bots"."messages" FROM app CASCADE;
REVOKE ALL ON "bots"."messages" FROM reader CASCADE;
GRANT INSERT, SELECT ON "bots"."messages" TO app;
GRANT SELECT (id, text) ON "bots"."messages" TO reader WITH GRANT OPTION;
CREATE POLICY "own" ON "bots"."messages" AS PERMISSIVE FOR ALL TO app USING ((chat_id = bots.me()));
ALTER TABLE "bots"."messages" ENABLE ROW LEVEL SECURITY;
COMMENT ON TABLE "bots"."messages" IS 'what people and bots say';
ALTER SEQUENCE "bots"."messages_id_seq__new" RENAME TO "messages_id_seq";
ALTER TABLE "bots"."messages" DROP CONSTRAINT "messages_pkey_before_20270101";
ALTER TABLE "bots"."messages" ADD CONSTRAINT "messages_pkey" PRIMARY KEY USING INDEX "messages__key";
ALTER INDEX "bots"."ix_messages_text_before_20270101" RENAME TO "ix_messages_text";
ALTER INDEX "bots"."messages_chat_id_created_at_key_before_20270101" RENAME TO "messages_chat_id_created_at_key";
ALTER TABLE "bots"."reactions" ADD CONSTRAINT "reactions_message_id_fkey" FOREIGN KEY ("message_id") REFERENCES "bots"."messages" ("id") ON DELETE CASCADE NOT VALID;
CREATE TRIGGER tell AFTER INSERT ON bots.messages FOR EACH ROW EXECUTE FUNCTION bots.tell();
CREATE TRIGGER trim BEFORE INSERT ON bots.messages FOR EACH ROW EXECUTE FUNCTION bots.trim();
ALTER TABLE "bots"."messages" DISABLE TRIGGER "trim";
DELETE FROM "schema_kit"."part_config" WHERE parent_table = 'bots.messages';
ALTER TABLE "bots"."messages_p20270101" NO FORCE ROW LEVEL SECURITY;
ALTER TABLE "bots"."messages_p20270101" INHERIT "bots"."messages";
DO 'DECLARE schema_kit_path text := pg_catalog.current_setting(''search_path''); schema_kit_commands text[]; command text; BEGIN PERFORM pg_catalog.set_config(''search_path'', ''pg_catalog, pg_temp'', true); schema_kit_commands := ARRAY(SELECT format(''COMMENT ON TABLE "bots"."messages_p20270101" IS %L'', ''schema_kit: its rows moved to bots.messages in '' || pg_current_xact_id()::xid || '' at '' || to_char(clock_timestamp() AT TIME ZONE ''UTC'', ''YYYY-MM-DD"T"HH24:MI:SS"Z"''))); PERFORM pg_catalog.set_config(''search_path'', schema_kit_path, true); FOREACH command IN ARRAY schema_kit_commands LOOP EXECUTE command; END LOOP; END';
COMMIT;

-- validate reactions_message_id_fkey of bots.reactions
-- locks: SHARE UPDATE EXCLUSIVE on bots.reactions
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
ALTER TABLE "bots"."reactions" VALIDATE CONSTRAINT "reactions_message_id_fkey";
COMMIT;

-- drop the table that held rows of bots.messages until they moved
-- locks: ACCESS EXCLUSIVE on bots.messages_p20270101
BEGIN;
SET LOCAL row_security = 'off';
SET LOCAL lock_timeout = '5000ms';
SET LOCAL idle_in_transaction_session_timeout = '5000ms';
SET LOCAL statement_timeout = '30000ms';
SELECT pg_catalog.set_config('transaction_timeout', '30000ms', true) WHERE pg_catalog.current_setting('transaction_timeout', true) IS NOT NULL;
DO 'DECLARE schema_kit_path text := pg_catalog.current_setting(''search_path''); older boolean; BEGIN PERFORM pg_catalog.set_config(''search_path'', ''pg_catalog, pg_temp'', true); IF EXISTS (SELECT 1 FROM ONLY "bots"."messages_p20270101") THEN RAISE object_in_use USING MESSAGE = ''rows were written into what was emptied for bots.messages: bots.messages_p20270101''; END IF; older := EXISTS (SELECT format(''pid %s%s has a snapshot from before, its transaction is open for %s'', a.pid, '' ('' || nullif(a.application_name, '''') || '')'', date_trunc(''second'', clock_timestamp() - a.xact_start)) FROM pg_stat_activity a WHERE a.datname = current_database() AND a.pid <> pg_backend_pid() AND a.backend_type NOT IN (''autovacuum worker'', ''walsender'') AND age(a.backend_xmin) >= (coalesce(age(substring(obj_description(to_regclass(''"bots"."messages_p20270101"''), ''pg_class'') FROM '' in ([0-9]+) at '')::xid), 0)) AND (coalesce(age(substring(obj_description(to_regclass(''"bots"."messages_p20270101"''), ''pg_class'') FROM '' in ([0-9]+) at '')::xid), 0)) >= 0); PERFORM pg_catalog.set_config(''search_path'', schema_kit_path, true); IF NOT older THEN DROP TABLE "bots"."messages_p20270101"; END IF; END';
COMMIT;
