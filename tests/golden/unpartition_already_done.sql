-- make bots.messages a plain table again
-- What an earlier try has left to do.

-- forget the policy of bots.messages
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
DELETE FROM "schema_kit"."part_config" WHERE parent_table = 'bots.messages';
COMMIT;

-- validate reactions_message_id_fkey of bots.reactions
-- locks: SHARE UPDATE EXCLUSIVE on bots.reactions
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
ALTER TABLE "bots"."reactions" VALIDATE CONSTRAINT "reactions_message_id_fkey";
COMMIT;
