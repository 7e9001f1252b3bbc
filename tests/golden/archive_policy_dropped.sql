-- drop the archive policy of shop.logins
-- Its row goes.

-- forget the archive policy of shop.logins
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
DELETE FROM "schema_kit"."archive_policy" WHERE table_name = 'shop.logins';
COMMIT;
