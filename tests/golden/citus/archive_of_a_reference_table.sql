-- create shop.items_archive, of the shape of shop.items
BEGIN;
SET LOCAL citus.multi_shard_modify_mode = 'sequential';
SET LOCAL citus.propagate_set_commands = 'local';
SET LOCAL lock_timeout = '5000ms';
SET LOCAL citus.propagate_set_commands = 'none';
SET LOCAL statement_timeout = '0ms';
CREATE TABLE "shop"."items_archive" (LIKE "shop"."items" INCLUDING ALL EXCLUDING IDENTITY);
COMMENT ON TABLE "shop"."items_archive" IS 'Rows that left shop.items';
SELECT pg_catalog.create_reference_table('"shop"."items_archive"');
COMMIT;

