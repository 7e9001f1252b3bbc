-- archive rows of chat.Messages
-- In the order of the primary key, and stamped.

-- move due rows of chat.Messages to old.messages in batches
-- locks: ROW EXCLUSIVE on chat.Messages
-- locks: ROW EXCLUSIVE on old.messages
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
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
WITH schema_kit_run AS MATERIALIZED (
  SELECT coalesce(pg_catalog.max(run::text)::jsonb, '{}') AS run
  FROM (SELECT nullif(pg_catalog.current_setting('schema_kit.run', true), '')::jsonb) AS runs (run) WHERE pg_catalog.jsonb_extract_path_text(run, 'step') = '7de4e5d437d1'
), schema_kit_rows AS MATERIALIZED (
  SELECT pg_catalog.jsonb_build_array(schema_kit_0."id"::text, pg_catalog.to_jsonb(schema_kit_0."at")) AS place, schema_kit_0."id" AS schema_kit_last_0, schema_kit_0."at" AS schema_kit_last_1
  FROM (SELECT *, ctid AS schema_kit_place FROM "chat"."Messages" WHERE (words > 0 -- told
) AND ("id", "at") OPERATOR("pg_catalog".>=) (coalesce((SELECT (pg_catalog.jsonb_extract_path(run, 'last') ->> 0)::bigint FROM schema_kit_run), (SELECT "id" FROM "chat"."Messages" ORDER BY "id", "at" LIMIT 1)), coalesce((SELECT (pg_catalog.jsonb_extract_path(run, 'last') ->> 1)::timestamp with time zone FROM schema_kit_run), (SELECT "at" FROM "chat"."Messages" ORDER BY "id", "at" LIMIT 1)))) AS schema_kit_0
  ORDER BY schema_kit_0."id", schema_kit_0."at"
  LIMIT (SELECT coalesce(pg_catalog.jsonb_extract_path_text(run, 'size')::int, 1000) FROM schema_kit_run)
  FOR UPDATE OF schema_kit_0 SKIP LOCKED
), schema_kit_found AS MATERIALIZED (
  SELECT found, (SELECT pg_catalog.jsonb_build_array(schema_kit_last_0::text, pg_catalog.to_jsonb(schema_kit_last_1))
                 FROM (SELECT * FROM schema_kit_rows OFFSET greatest(found - 1, 0)) AS schema_kit_end) AS last
  FROM (SELECT pg_catalog.count(*) AS found FROM schema_kit_rows) AS schema_kit_counted
), schema_kit_gone AS (
  DELETE FROM "chat"."Messages" AS schema_kit_row
  USING (SELECT place FROM schema_kit_rows) AS schema_kit_batch (own)
  WHERE schema_kit_row."id" OPERATOR("pg_catalog".=) (own ->> 0)::bigint AND schema_kit_row."at" OPERATOR("pg_catalog".=) (own ->> 1)::timestamp with time zone
  RETURNING schema_kit_row."id", schema_kit_row."at", schema_kit_row."thread_id", schema_kit_row."words"
), schema_kit_kept AS (
  INSERT INTO "old"."messages" ("id", "at", "thread_id", "words", "archived_at") OVERRIDING SYSTEM VALUE
  SELECT "id", "at", "thread_id", "words", pg_catalog.now() FROM schema_kit_gone RETURNING 1
), schema_kit_next AS MATERIALIZED (
SELECT pg_catalog.set_config('schema_kit.run', pg_catalog.jsonb_build_object(
  'step', '7de4e5d437d1', 'last', last, 'at', pg_catalog.clock_timestamp(),
  'began', coalesce(pg_catalog.jsonb_extract_path(run, 'began'),
                    pg_catalog.to_jsonb(pg_catalog.transaction_timestamp())),
  'rows', coalesce(pg_catalog.jsonb_extract_path_text(run, 'rows')::bigint, 0) + gone.rows,
  'size', least(100000, greatest(10, pg_catalog.round(coalesce(pg_catalog.jsonb_extract_path_text(run, 'size')::int, 1000)::numeric * CASE WHEN gone.rows = 0 AND last IS NOT DISTINCT FROM pg_catalog.jsonb_extract_path(run, 'last') THEN 2.0 ELSE least(2.0, greatest(0.5, 0.5 / greatest(extract(epoch FROM pg_catalog.clock_timestamp() - pg_catalog.transaction_timestamp()), 0.000001))) END)))
)::text, false)::jsonb AS next
FROM schema_kit_run, schema_kit_found, (
  SELECT CASE WHEN kept.rows = gone.rows THEN gone.rows
         ELSE (gone.rows::text || ' rows left chat.Messages, but so many arrived in old.messages: ' || kept.rows::text)::bigint END
  FROM (SELECT pg_catalog.count(*) FROM schema_kit_gone) AS gone (rows),
       (SELECT pg_catalog.count(*) FROM schema_kit_kept) AS kept (rows)
) AS gone (rows)
WHERE found > 0 AND NOT (gone.rows = 0 AND last IS NOT DISTINCT FROM pg_catalog.jsonb_extract_path(run, 'last') AND (found < coalesce(pg_catalog.jsonb_extract_path_text(run, 'size')::int, 1000) OR coalesce(pg_catalog.jsonb_extract_path_text(run, 'size')::int, 1000) = 100000))
)
SELECT pg_catalog.to_char(rows, 'FM999,999,999,999,999') || ' rows, ' || pg_catalog.to_char(rows::numeric / spent, 'FM999,999,999,990') || ' rows/s', NULL::float8
FROM schema_kit_next, LATERAL (
  SELECT pg_catalog.jsonb_extract_path_text(next, 'rows')::bigint,
         greatest(extract(epoch FROM pg_catalog.clock_timestamp() - pg_catalog.jsonb_extract_path_text(next, 'began')::timestamptz), 0.001)
) AS far (rows, spent);
COMMIT;
