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
  SELECT coalesce(max(run::text)::jsonb, '{}') AS run
  FROM (SELECT nullif(current_setting('schema_kit.run', true), '')::jsonb) AS runs (run) WHERE run ->> 'step' = '7de4e5d437d1'
), schema_kit_rows AS MATERIALIZED (
  SELECT jsonb_build_array(schema_kit_0."id"::text, to_jsonb(schema_kit_0."at")) AS place, schema_kit_0."id" AS schema_kit_last_0, schema_kit_0."at" AS schema_kit_last_1
  FROM (SELECT *, ctid AS schema_kit_place FROM "chat"."Messages" WHERE (words > 0 -- told
) AND ("id", "at") OPERATOR("pg_catalog".>=) (coalesce((SELECT (run -> 'last' ->> 0)::bigint FROM schema_kit_run), (SELECT "id" FROM "chat"."Messages" ORDER BY "id", "at" LIMIT 1)), coalesce((SELECT (run -> 'last' ->> 1)::timestamp with time zone FROM schema_kit_run), (SELECT "at" FROM "chat"."Messages" ORDER BY "id", "at" LIMIT 1)))) AS schema_kit_0
  ORDER BY schema_kit_0."id", schema_kit_0."at"
  LIMIT (SELECT coalesce((run ->> 'size')::int, 1000) FROM schema_kit_run)
  FOR UPDATE OF schema_kit_0 SKIP LOCKED
), schema_kit_found AS MATERIALIZED (
  SELECT coalesce(jsonb_agg(place), '[]')::text AS places, count(*) AS rows FROM schema_kit_rows
)
SELECT set_config('schema_kit.rows', places, true), set_config('schema_kit.found', rows::text, true),
       set_config('schema_kit.last', coalesce(
         (SELECT jsonb_build_array(schema_kit_last_0::text, to_jsonb(schema_kit_last_1)) FROM schema_kit_rows OFFSET greatest(rows - 1, 0))::text, '[]'), true)
FROM schema_kit_found;
WITH schema_kit_run AS MATERIALIZED (
  SELECT coalesce(max(run::text)::jsonb, '{}') AS run
  FROM (SELECT nullif(current_setting('schema_kit.run', true), '')::jsonb) AS runs (run) WHERE run ->> 'step' = '7de4e5d437d1'
), schema_kit_gone AS (
  DELETE FROM "chat"."Messages" AS schema_kit_row
  USING jsonb_array_elements(current_setting('schema_kit.rows')::jsonb) AS schema_kit_batch (own)
  WHERE schema_kit_row."id" OPERATOR("pg_catalog".=) (own ->> 0)::bigint AND schema_kit_row."at" OPERATOR("pg_catalog".=) (own ->> 1)::timestamp with time zone
  RETURNING schema_kit_row."id", schema_kit_row."at", schema_kit_row."thread_id", schema_kit_row."words"
), schema_kit_kept AS (
  INSERT INTO "old"."messages" ("id", "at", "thread_id", "words", "archived_at") OVERRIDING SYSTEM VALUE
  SELECT "id", "at", "thread_id", "words", now() FROM schema_kit_gone RETURNING 1
)
SELECT set_config('schema_kit.run', jsonb_build_object(
  'step', '7de4e5d437d1', 'last', last, 'at', clock_timestamp(),
  'began', coalesce(run -> 'began', to_jsonb(transaction_timestamp())),
  'rows', coalesce((run ->> 'rows')::bigint, 0) + CASE WHEN kept.rows = gone.rows THEN gone.rows ELSE (gone.rows::text || ' rows left chat.Messages, but so many arrived in old.messages: ' || kept.rows)::bigint END,
  'size', least(100000, greatest(10, round(coalesce((run ->> 'size')::int, 1000) * CASE WHEN gone.rows = 0 AND last IS NOT DISTINCT FROM run -> 'last' THEN 2 ELSE least(2, greatest(0.5, 0.5 / greatest(extract(epoch FROM clock_timestamp() - transaction_timestamp()), 0.000001))) END)))
)::text, false)
FROM schema_kit_run, (SELECT current_setting('schema_kit.last')::jsonb AS last) AS found,
     (SELECT count(*) AS rows FROM schema_kit_gone) AS gone,
     (SELECT count(*) AS rows FROM schema_kit_kept) AS kept
WHERE last <> '[]' AND NOT (gone.rows = 0 AND last IS NOT DISTINCT FROM run -> 'last' AND (current_setting('schema_kit.found')::int < coalesce((run ->> 'size')::int, 1000) OR coalesce((run ->> 'size')::int, 1000) = 100000));
COMMIT;
