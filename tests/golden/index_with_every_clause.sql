-- create index ix_messages_chat on bots.messages
-- All that an index can say.

-- create index ix_messages_chat on bots.messages concurrently
-- locks: SHARE UPDATE EXCLUSIVE on bots.messages
SET lock_timeout = 0;
SET statement_timeout = 0;
CREATE UNIQUE INDEX CONCURRENTLY "ix_messages_chat" ON "bots"."messages" USING "gin" (lower("text") COLLATE "C", "text" "public"."gin_trgm_ops") INCLUDE ("Chat", "id") NULLS NOT DISTINCT WITH ("fillfactor" = 90, "deduplicate_items" = off) TABLESPACE "fast disk" WHERE ("text" <> ';');
RESET lock_timeout;
RESET statement_timeout;
