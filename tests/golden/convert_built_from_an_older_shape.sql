-- partition bots.messages by created_at, 1 month
-- The table got a column after its parent was built: the parent is dropped and built again.

-- drop bots.messages__new, built for a swap that cannot come
-- locks: ACCESS EXCLUSIVE on bots.messages__new
-- locks: ACCESS EXCLUSIVE on bots.messages_p20270101
-- locks: ACCESS EXCLUSIVE on bots.chats
BEGIN;
SET LOCAL row_security = 'off';
SET LOCAL lock_timeout = '5000ms';
SET LOCAL idle_in_transaction_session_timeout = '5000ms';
SET LOCAL statement_timeout = '5000ms';
DO 'BEGIN LOCK TABLE ONLY "bots"."messages__new", ONLY "bots"."messages_p20270101", ONLY "bots"."chats" IN ACCESS EXCLUSIVE MODE; EXCEPTION WHEN query_canceled THEN RAISE lock_not_available USING MESSAGE = ''locks not taken in time''; END';
SET LOCAL statement_timeout = '30000ms';
SELECT pg_catalog.set_config('transaction_timeout', '30000ms', true) WHERE pg_catalog.current_setting('transaction_timeout', true) IS NOT NULL;
DO 'DECLARE schema_kit_path text := pg_catalog.current_setting(''search_path''); BEGIN PERFORM pg_catalog.set_config(''search_path'', ''pg_catalog, pg_temp'', true); IF EXISTS (SELECT 1 FROM "bots"."messages__new") THEN RAISE object_in_use USING MESSAGE = ''bots.messages__new holds rows, which no parent that is being built does''; END IF; PERFORM pg_catalog.set_config(''search_path'', schema_kit_path, true); END';
DROP TABLE "bots"."messages__new";
COMMIT;

-- build the partitioned parent of bots.messages next to it
-- locks: SHARE ROW EXCLUSIVE on bots.chats
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL idle_in_transaction_session_timeout = '5000ms';
SET LOCAL statement_timeout = '30000ms';
SELECT pg_catalog.set_config('transaction_timeout', '30000ms', true) WHERE pg_catalog.current_setting('transaction_timeout', true) IS NOT NULL;
CREATE TABLE "bots"."messages__new" (LIKE "bots"."messages" INCLUDING ALL EXCLUDING INDEXES EXCLUDING IDENTITY EXCLUDING STATISTICS) PARTITION BY RANGE ("created_at");
ALTER TABLE "bots"."messages__new" DROP CONSTRAINT "schema_kit_bound";
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
ALTER TABLE "bots"."messages__new" ADD CONSTRAINT "messages_chat_id_fkey" FOREIGN KEY (chat_id) REFERENCES bots.chats(id) ON DELETE CASCADE;
GRANT INSERT, SELECT ON "bots"."messages__new" TO app;
GRANT SELECT (id, text) ON "bots"."messages__new" TO reader WITH GRANT OPTION;
CREATE POLICY "own" ON "bots"."messages__new" AS PERMISSIVE FOR ALL TO app USING ((chat_id = bots.me()));
ALTER TABLE "bots"."messages__new" ENABLE ROW LEVEL SECURITY;
COMMENT ON TABLE "bots"."messages__new" IS 'schema_kit:d685c99874c338e7';
COMMIT;

-- create partition bots.messages_p20270101 from 2027-01-01 to 2027-02-01
-- locks: SHARE UPDATE EXCLUSIVE on bots.messages__new
-- locks: SHARE ROW EXCLUSIVE on bots.chats
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL idle_in_transaction_session_timeout = '5000ms';
SET LOCAL statement_timeout = '30000ms';
SELECT pg_catalog.set_config('transaction_timeout', '30000ms', true) WHERE pg_catalog.current_setting('transaction_timeout', true) IS NOT NULL;
CREATE TABLE "bots"."messages_p20270101" (LIKE "bots"."messages__new" INCLUDING ALL EXCLUDING IDENTITY) WITH (fillfactor=90, autovacuum_vacuum_scale_factor=0.05);
REVOKE ALL ON "bots"."messages_p20270101" FROM PUBLIC;
REVOKE ALL ON "bots"."messages_p20270101" FROM reader;
ALTER TABLE "bots"."messages_p20270101" OWNER TO "bots";
COMMENT ON TABLE "bots"."messages_p20270101" IS 'what people and bots say';
ALTER TABLE "bots"."messages__new" ATTACH PARTITION "bots"."messages_p20270101" FOR VALUES FROM ('2026-12-31 17:00:00+00') TO ('2027-01-31 17:00:00+00');
COMMIT;

-- swap: bots.messages becomes partitioned, its rows are partition bots.messages_before_20270101
-- locks: ACCESS EXCLUSIVE on bots.recent
-- locks: ACCESS EXCLUSIVE on bots.messages
-- locks: ACCESS EXCLUSIVE on bots.messages__new
-- locks: ACCESS EXCLUSIVE on bots.reactions
-- locks: ACCESS EXCLUSIVE on bots.chats
-- locks: SHARE ROW EXCLUSIVE on bots.messages_p20270101
BEGIN;
SET LOCAL transaction_isolation = 'read committed';
SET LOCAL lock_timeout = '5000ms';
SET LOCAL idle_in_transaction_session_timeout = '5000ms';
SET LOCAL statement_timeout = '5000ms';
DO 'BEGIN ALTER VIEW "bots"."recent" OWNER TO "reader"; LOCK TABLE ONLY "bots"."messages" IN ACCESS EXCLUSIVE MODE; LOCK TABLE ONLY "bots"."messages__new" IN ACCESS EXCLUSIVE MODE; LOCK TABLE ONLY "bots"."reactions" IN ACCESS EXCLUSIVE MODE; LOCK TABLE ONLY "bots"."chats" IN ACCESS EXCLUSIVE MODE; LOCK TABLE ONLY "bots"."messages_p20270101" IN SHARE ROW EXCLUSIVE MODE; EXCEPTION WHEN query_canceled THEN RAISE lock_not_available USING MESSAGE = ''locks not taken in time''; END';
SET LOCAL statement_timeout = '30000ms';
SELECT pg_catalog.set_config('transaction_timeout', '30000ms', true) WHERE pg_catalog.current_setting('transaction_timeout', true) IS NOT NULL;
SELECT pg_catalog.setval('"bots"."messages_id_seq__new"', last_value, is_called) FROM "bots"."messages_id_seq";
ALTER TABLE "bots"."messages" ALTER COLUMN "id" DROP IDENTITY;
ALTER TABLE "bots"."reactions" DROP CONSTRAINT "reactions_message_id_fkey";
ALTER TABLE "bots"."reactions" DROP CONSTRAINT "reactions_message_id_fkey__new";
DROP TRIGGER "tell" ON "bots"."messages";
DROP TRIGGER "trim" ON "bots"."messages";
ALTER TABLE "bots"."messages" DROP CONSTRAINT "messages_pkey";
ALTER TABLE "bots"."messages" ALTER COLUMN "created_at" SET NOT NULL;
ALTER TABLE "bots"."messages" ADD CONSTRAINT "messages_pkey_before_20270101" PRIMARY KEY USING INDEX "messages__key";
ALTER INDEX "bots"."ix_messages_text" RENAME TO "ix_messages_text_before_20270101";
ALTER INDEX "bots"."messages_chat_id_created_at_key" RENAME TO "messages_chat_id_created_at_key_before_20270101";
ALTER TABLE "bots"."messages" RENAME TO "messages_before_20270101";
ALTER TABLE "bots"."messages__new" RENAME TO "messages";
ALTER INDEX "bots"."ix_messages_text__new" RENAME TO "ix_messages_text";
ALTER INDEX "bots"."messages_chat_id_created_at_key__new" RENAME TO "messages_chat_id_created_at_key";
ALTER INDEX "bots"."messages_pkey__new" RENAME TO "messages_pkey";
ALTER SEQUENCE "bots"."messages_id_seq__new" RENAME TO "messages_id_seq";
ALTER SEQUENCE "bots"."messages_number_seq" OWNED BY "bots"."messages"."number";
ALTER TABLE "bots"."messages" ATTACH PARTITION "bots"."messages_before_20270101" FOR VALUES FROM (MINVALUE) TO ('2026-12-31 17:00:00+00');
ALTER TABLE "bots"."messages_before_20270101" DROP CONSTRAINT "schema_kit_bound";
ALTER TABLE "bots"."reactions" ADD CONSTRAINT "reactions_message_id_fkey" FOREIGN KEY ("message_id", "message_created_at") REFERENCES "bots"."messages" ("id", "created_at") MATCH FULL ON UPDATE CASCADE ON DELETE CASCADE NOT VALID;
CREATE TRIGGER tell AFTER INSERT ON bots.messages FOR EACH ROW EXECUTE FUNCTION bots.tell();
CREATE TRIGGER trim BEFORE INSERT ON bots.messages FOR EACH ROW EXECUTE FUNCTION bots.trim();
ALTER TABLE "bots"."messages" DISABLE TRIGGER "trim";
CREATE OR REPLACE VIEW "bots"."recent" WITH (security_invoker=true) AS SELECT messages.id, messages.text FROM bots.messages;
COMMENT ON TABLE "bots"."messages" IS 'what people and bots say';
COMMENT ON INDEX "bots"."ix_messages_text" IS 'what the bot''s search needs';
INSERT INTO "schema_kit"."part_config" (parent_table, control, partition_interval, premake, timezone, infinite_time_partitions, datetime_string, origin, epoch, encoding, inherit_privileges, retention, retention_keep_table, retention_schema, retention_grace, detach) VALUES ('bots.messages', 'created_at', '1 mon', 2, 'Asia/Bangkok', true, 'YYYYMMDD', NULL, 'none', NULL, false, NULL, true, NULL, '7 days', 'auto') ON CONFLICT (parent_table) DO UPDATE SET control = excluded.control, partition_interval = excluded.partition_interval, premake = excluded.premake, timezone = excluded.timezone, infinite_time_partitions = excluded.infinite_time_partitions, datetime_string = excluded.datetime_string, origin = excluded.origin, epoch = excluded.epoch, encoding = excluded.encoding, inherit_privileges = excluded.inherit_privileges, retention = excluded.retention, retention_keep_table = excluded.retention_keep_table, retention_schema = excluded.retention_schema, retention_grace = excluded.retention_grace, detach = excluded.detach;
COMMIT;

-- validate reactions_message_id_fkey of bots.reactions
-- locks: SHARE UPDATE EXCLUSIVE on bots.reactions
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
ALTER TABLE "bots"."reactions" VALIDATE CONSTRAINT "reactions_message_id_fkey";
COMMIT;

-- drop index bots.reactions_message_created_at__fill concurrently
-- locks: SHARE UPDATE EXCLUSIVE on bots.reactions
SET lock_timeout = 0;
SET statement_timeout = 0;
DROP INDEX CONCURRENTLY IF EXISTS "bots"."reactions_message_created_at__fill";
RESET lock_timeout;
RESET statement_timeout;

-- analyze bots.messages
-- locks: SHARE UPDATE EXCLUSIVE on bots.messages
SET lock_timeout = 0;
SET statement_timeout = 0;
ANALYZE ONLY "bots"."messages";
RESET lock_timeout;
RESET statement_timeout;
