-- move due rows of shop.items to shop.items_archive in batches
-- locks: ROW EXCLUSIVE on shop.items
-- locks: ROW EXCLUSIVE on shop.items_archive
-- repeated, a commit each time, until no row is left
BEGIN;
SET LOCAL transaction_isolation = 'read committed';
SET LOCAL enable_seqscan = 'off';
SET LOCAL enable_bitmapscan = 'off';
SET LOCAL enable_hashjoin = 'off';
SET LOCAL enable_mergejoin = 'off';
SET LOCAL enable_sort = 'off';
SET LOCAL jit = 'off';
SET LOCAL row_security = 'off';
SET LOCAL citus.multi_shard_modify_mode = 'sequential';
SET LOCAL citus.propagate_set_commands = 'local';
SET LOCAL lock_timeout = '5000ms';
SET LOCAL citus.propagate_set_commands = 'none';
SET LOCAL statement_timeout = '0ms';
DO 'DECLARE run jsonb := nullif(pg_catalog.current_setting(''schema_kit.run'', true), '''')::jsonb; size int; gone bigint; took numeric;
BEGIN
  IF pg_catalog.jsonb_extract_path_text(run, ''step'') IS DISTINCT FROM ''b1ecfdfef104'' THEN run := ''{}''; END IF;
  size := coalesce(pg_catalog.jsonb_extract_path_text(run, ''size'')::int, 1000);
  EXECUTE pg_catalog.format(''WITH schema_kit_gone AS (DELETE FROM "shop"."items" WHERE ("tenant", "at") IN (SELECT "tenant", "at" FROM "shop"."items" WHERE (at <= ''''2026-01-05 00:00:00+00'''' AND word LIKE ''''100%%'''') ORDER BY "at" LIMIT %s) AND (at <= ''''2026-01-05 00:00:00+00'''' AND word LIKE ''''100%%'''') RETURNING "tenant", "at", "word") INSERT INTO "shop"."items_archive" ("tenant", "at", "word", "archived_at") OVERRIDING SYSTEM VALUE SELECT "tenant", "at", "word", pg_catalog.now() FROM schema_kit_gone'', size);
  GET DIAGNOSTICS gone = ROW_COUNT;
  took := greatest(extract(epoch FROM pg_catalog.clock_timestamp() - pg_catalog.transaction_timestamp()), 0.000001);
  PERFORM pg_catalog.set_config(''schema_kit.run'', pg_catalog.jsonb_build_object(
    ''step'', ''b1ecfdfef104'', ''at'', pg_catalog.clock_timestamp(), ''gone'', gone,
    ''began'', coalesce(pg_catalog.jsonb_extract_path(run, ''began''),
                      pg_catalog.to_jsonb(pg_catalog.transaction_timestamp())),
    ''rows'', coalesce(pg_catalog.jsonb_extract_path_text(run, ''rows'')::bigint, 0) + gone,
    ''size'', least(100000, greatest(10, pg_catalog.round(size::numeric * least(2, greatest(0.5,
              0.5 / took))))))::text, false);
END';
SELECT pg_catalog.to_char(rows, 'FM999,999,999,999,999') || ' rows, ' || pg_catalog.to_char(rows::numeric / spent, 'FM999,999,999,990') || ' rows/s', NULL::float8
FROM (SELECT nullif(pg_catalog.current_setting('schema_kit.run', true), '')::jsonb) AS kept (run), LATERAL (
  SELECT pg_catalog.jsonb_extract_path_text(run, 'rows')::bigint,
         greatest(extract(epoch FROM pg_catalog.clock_timestamp() - pg_catalog.jsonb_extract_path_text(run, 'began')::timestamptz), 0.001)
) AS far (rows, spent) WHERE pg_catalog.jsonb_extract_path_text(run, 'gone')::bigint > 0;
COMMIT;

