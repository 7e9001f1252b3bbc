-- replace index ix_messages_chat on bots.messages
-- The index exists with one column; its comment goes over.

-- create index ix_messages_chat__replacement on bots.messages concurrently
-- locks: SHARE UPDATE EXCLUSIVE on bots.messages
SET lock_timeout = 0;
SET statement_timeout = 0;
CREATE INDEX CONCURRENTLY "ix_messages_chat__replacement" ON "bots"."messages" USING "btree" ("chat_id", "created_at" DESC);
RESET lock_timeout;
RESET statement_timeout;

-- give the name bots.ix_messages_chat to the new index of bots.messages
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
ALTER INDEX "bots"."ix_messages_chat" RENAME TO "ix_messages_chat__replaced";
ALTER INDEX "bots"."ix_messages_chat__replacement" RENAME TO "ix_messages_chat";
DO 'DECLARE schema_kit_path text := pg_catalog.current_setting(''search_path''); BEGIN PERFORM pg_catalog.set_config(''search_path'', ''pg_catalog, pg_temp'', true); IF (SELECT bool_and((SELECT concat_ws(''|'', x.indisclustered,
  (SELECT string_agg(concat_ws(''='', a.attnum, a.attstattarget), '','' ORDER BY a.attnum) FROM pg_attribute a
   WHERE a.attrelid = x.indexrelid AND a.attstattarget >= 0), obj_description(x.indexrelid, ''pg_class''))
FROM pg_index x WHERE x.indexrelid = to_regclass(s.name) AND NOT x.indisreplident
  AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = x.indexrelid)) IS NOT DISTINCT FROM s.marks) FROM (VALUES (''"bots"."ix_messages_chat__replaced"'', ''f|the inbox'')) s (name, marks)) IS NOT TRUE THEN RAISE serialization_failure USING MESSAGE = ''what rests on bots.ix_messages_chat, or was set for it, has changed''; END IF; PERFORM pg_catalog.set_config(''search_path'', schema_kit_path, true); END';
COMMENT ON INDEX "bots"."ix_messages_chat__replaced" IS 'schema_kit: replaced, about to be dropped';
COMMENT ON INDEX "bots"."ix_messages_chat" IS 'the inbox';
COMMIT;

-- drop index bots.ix_messages_chat__replaced concurrently
-- locks: SHARE UPDATE EXCLUSIVE on bots.messages
SET lock_timeout = 0;
SET statement_timeout = 0;
DROP INDEX CONCURRENTLY IF EXISTS "bots"."ix_messages_chat__replaced";
RESET lock_timeout;
RESET statement_timeout;
