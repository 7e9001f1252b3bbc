-- create partitioned table shop.logins
-- The table alone; what comes next is decided once it exists.

-- create schema_kit.part_config
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
-- all of sql/partman/tables/part_config.sql
COMMIT;

-- create partitioned table shop.logins
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
CREATE TABLE shop.logins (...);
COMMIT;
