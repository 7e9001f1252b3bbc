-- load file:///a/items.parquet into shop.items__restored
-- COPY reads what the summary names: psql does not find it here
BEGIN;
SET LOCAL search_path = '';
SET LOCAL TimeZone = 'UTC';
SET LOCAL DateStyle = 'ISO, YMD';
SET LOCAL IntervalStyle = 'postgres';
SET LOCAL client_encoding = 'UTF8';
SET LOCAL extra_float_digits = '1';
SET LOCAL bytea_output = 'hex';
SET LOCAL lc_monetary = 'C';
SET LOCAL xmloption = 'content';
SET LOCAL row_security = 'off';
SET LOCAL citus.multi_shard_modify_mode = 'sequential';
SET LOCAL citus.propagate_set_commands = 'local';
SET LOCAL lock_timeout = '5000ms';
SET LOCAL citus.propagate_set_commands = 'none';
SET LOCAL statement_timeout = '0ms';
CREATE TABLE "shop"."items__restored" (tenant integer NOT NULL, at timestamp with time zone NOT NULL, word text);
COMMENT ON TABLE "shop"."items__restored" IS 'schema_kit: being restored from file:///a/items.parquet';
SELECT pg_catalog.create_distributed_table('"shop"."items__restored"', 'tenant', colocate_with => '"shop"."items"');
COPY "shop"."items__restored" ("tenant", "at", "word") FROM STDIN (FORMAT csv);
COMMIT;

