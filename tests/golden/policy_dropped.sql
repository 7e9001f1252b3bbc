-- drop the policy of shop.logins
-- The row goes.

-- forget the policy of shop.logins
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
DELETE FROM "schema_kit"."part_config" WHERE parent_table = 'shop.logins';
COMMIT;
