-- delete rows of chat.sessions
-- Sessions have expired: messages go first, by the key of their partitioned table.

-- delete rows of chat.Messages with the due ones of chat.sessions in batches
-- locks: ROW EXCLUSIVE on chat.Messages
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
  FROM (SELECT nullif(pg_catalog.current_setting('schema_kit.run', true), '')::jsonb) AS runs (run) WHERE pg_catalog.jsonb_extract_path_text(run, 'step') = '3cb6e1f1d9e8'
), schema_kit_rows AS MATERIALIZED (
  SELECT pg_catalog.jsonb_build_array(schema_kit_2."id"::text, pg_catalog.to_jsonb(schema_kit_2."at")) AS place, schema_kit_0."expires_at" AS schema_kit_last_0
  FROM (SELECT *, ctid AS schema_kit_place FROM ONLY "chat"."sessions" WHERE ("expires_at" <= '2026-11-22 10:30:00+00') AND ("expires_at") OPERATOR("pg_catalog".>=) (coalesce((SELECT (pg_catalog.jsonb_extract_path(run, 'last') ->> 0)::timestamp with time zone FROM schema_kit_run), (SELECT "expires_at" FROM ONLY "chat"."sessions" ORDER BY "expires_at" LIMIT 1)))) AS schema_kit_0
  JOIN "chat"."threads" AS schema_kit_1 ON schema_kit_0."id" OPERATOR("pg_catalog".=) schema_kit_1."session_id"
  JOIN "chat"."Messages" AS schema_kit_2 ON schema_kit_1."id" OPERATOR("pg_catalog".=) schema_kit_2."thread_id"
  ORDER BY schema_kit_0."expires_at"
  LIMIT (SELECT coalesce(pg_catalog.jsonb_extract_path_text(run, 'size')::int, 1000) FROM schema_kit_run)
  FOR UPDATE OF schema_kit_2 SKIP LOCKED FOR SHARE OF schema_kit_0, schema_kit_1 SKIP LOCKED
), schema_kit_found AS MATERIALIZED (
  SELECT found, (SELECT pg_catalog.jsonb_build_array(pg_catalog.to_jsonb(schema_kit_last_0))
                 FROM (SELECT * FROM schema_kit_rows OFFSET greatest(found - 1, 0)) AS schema_kit_end) AS last
  FROM (SELECT pg_catalog.count(*) AS found FROM schema_kit_rows) AS schema_kit_counted
), schema_kit_gone AS (
  DELETE FROM "chat"."Messages" AS schema_kit_row
  USING (SELECT place FROM schema_kit_rows) AS schema_kit_batch (own)
  WHERE schema_kit_row."id" OPERATOR("pg_catalog".=) (own ->> 0)::bigint AND schema_kit_row."at" OPERATOR("pg_catalog".=) (own ->> 1)::timestamp with time zone
  RETURNING 1
), schema_kit_next AS MATERIALIZED (
SELECT pg_catalog.set_config('schema_kit.run', pg_catalog.jsonb_build_object(
  'step', '3cb6e1f1d9e8', 'last', last, 'at', pg_catalog.clock_timestamp(),
  'began', coalesce(pg_catalog.jsonb_extract_path(run, 'began'),
                    pg_catalog.to_jsonb(pg_catalog.transaction_timestamp())),
  'rows', coalesce(pg_catalog.jsonb_extract_path_text(run, 'rows')::bigint, 0) + gone.rows,
  'size', least(100000, greatest(10, pg_catalog.round(coalesce(pg_catalog.jsonb_extract_path_text(run, 'size')::int, 1000)::numeric * CASE WHEN gone.rows = 0 AND last IS NOT DISTINCT FROM pg_catalog.jsonb_extract_path(run, 'last') THEN 2.0 ELSE least(2.0, greatest(0.5, 0.5 / greatest(extract(epoch FROM pg_catalog.clock_timestamp() - pg_catalog.transaction_timestamp()), 0.000001))) END)))
)::text, false)::jsonb AS next
FROM schema_kit_run, schema_kit_found, (SELECT pg_catalog.count(*) AS rows FROM schema_kit_gone) AS gone
WHERE found > 0 AND NOT (gone.rows = 0 AND last IS NOT DISTINCT FROM pg_catalog.jsonb_extract_path(run, 'last') AND (found < coalesce(pg_catalog.jsonb_extract_path_text(run, 'size')::int, 1000) OR coalesce(pg_catalog.jsonb_extract_path_text(run, 'size')::int, 1000) = 100000))
)
SELECT pg_catalog.to_char(rows, 'FM999,999,999,999,999') || ' rows, ' || pg_catalog.to_char(rows::numeric / spent, 'FM999,999,999,990') || ' rows/s', NULL::float8
FROM schema_kit_next, LATERAL (
  SELECT pg_catalog.jsonb_extract_path_text(next, 'rows')::bigint,
         greatest(extract(epoch FROM pg_catalog.clock_timestamp() - pg_catalog.jsonb_extract_path_text(next, 'began')::timestamptz), 0.001)
) AS far (rows, spent);
COMMIT;

-- delete rows of chat.threads with the due ones of chat.sessions in batches
-- locks: ROW EXCLUSIVE on chat.threads
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
  FROM (SELECT nullif(pg_catalog.current_setting('schema_kit.run', true), '')::jsonb) AS runs (run) WHERE pg_catalog.jsonb_extract_path_text(run, 'step') = 'bd006b00b400'
), schema_kit_rows AS MATERIALIZED (
  SELECT schema_kit_1.ctid AS place, schema_kit_0."expires_at" AS schema_kit_last_0
  FROM (SELECT *, ctid AS schema_kit_place FROM ONLY "chat"."sessions" WHERE ("expires_at" <= '2026-11-22 10:30:00+00') AND ("expires_at") OPERATOR("pg_catalog".>=) (coalesce((SELECT (pg_catalog.jsonb_extract_path(run, 'last') ->> 0)::timestamp with time zone FROM schema_kit_run), (SELECT "expires_at" FROM ONLY "chat"."sessions" ORDER BY "expires_at" LIMIT 1)))) AS schema_kit_0
  JOIN ONLY "chat"."threads" AS schema_kit_1 ON schema_kit_0."id" OPERATOR("pg_catalog".=) schema_kit_1."session_id"
  ORDER BY schema_kit_0."expires_at"
  LIMIT (SELECT coalesce(pg_catalog.jsonb_extract_path_text(run, 'size')::int, 1000) FROM schema_kit_run)
  FOR UPDATE OF schema_kit_1 SKIP LOCKED FOR SHARE OF schema_kit_0 SKIP LOCKED
), schema_kit_found AS MATERIALIZED (
  SELECT found, (SELECT pg_catalog.jsonb_build_array(pg_catalog.to_jsonb(schema_kit_last_0))
                 FROM (SELECT * FROM schema_kit_rows OFFSET greatest(found - 1, 0)) AS schema_kit_end) AS last
  FROM (SELECT pg_catalog.count(*) AS found FROM schema_kit_rows) AS schema_kit_counted
)
SELECT pg_catalog.set_config('schema_kit.rows', (SELECT coalesce(pg_catalog.array_agg(place), '{}')::text
                                                 FROM schema_kit_rows), true),
       pg_catalog.set_config('schema_kit.found', found::text, true),
       pg_catalog.set_config('schema_kit.last', coalesce(last, '[]')::text, true)
FROM schema_kit_found;
WITH schema_kit_run AS MATERIALIZED (
  SELECT coalesce(pg_catalog.max(run::text)::jsonb, '{}') AS run
  FROM (SELECT nullif(pg_catalog.current_setting('schema_kit.run', true), '')::jsonb) AS runs (run) WHERE pg_catalog.jsonb_extract_path_text(run, 'step') = 'bd006b00b400'
), schema_kit_found AS MATERIALIZED (
  SELECT pg_catalog.current_setting('schema_kit.found')::int AS found,
         pg_catalog.current_setting('schema_kit.last')::jsonb AS last
), schema_kit_gone AS (
  DELETE FROM ONLY "chat"."threads" AS schema_kit_row
  WHERE schema_kit_row.ctid = ANY (pg_catalog.current_setting('schema_kit.rows')::tid[])
    AND NOT EXISTS (SELECT 1 FROM "chat"."Messages" AS held WHERE schema_kit_row."id" OPERATOR("pg_catalog".=) held."thread_id")
  RETURNING 1
), schema_kit_next AS MATERIALIZED (
SELECT pg_catalog.set_config('schema_kit.run', pg_catalog.jsonb_build_object(
  'step', 'bd006b00b400', 'last', last, 'at', pg_catalog.clock_timestamp(),
  'began', coalesce(pg_catalog.jsonb_extract_path(run, 'began'),
                    pg_catalog.to_jsonb(pg_catalog.transaction_timestamp())),
  'rows', coalesce(pg_catalog.jsonb_extract_path_text(run, 'rows')::bigint, 0) + gone.rows,
  'size', least(100000, greatest(10, pg_catalog.round(coalesce(pg_catalog.jsonb_extract_path_text(run, 'size')::int, 1000)::numeric * CASE WHEN gone.rows = 0 AND last IS NOT DISTINCT FROM pg_catalog.jsonb_extract_path(run, 'last') THEN 2.0 ELSE least(2.0, greatest(0.5, 0.5 / greatest(extract(epoch FROM pg_catalog.clock_timestamp() - pg_catalog.transaction_timestamp()), 0.000001))) END)))
)::text, false)::jsonb AS next
FROM schema_kit_run, schema_kit_found, (SELECT pg_catalog.count(*) AS rows FROM schema_kit_gone) AS gone
WHERE found > 0 AND NOT (gone.rows = 0 AND last IS NOT DISTINCT FROM pg_catalog.jsonb_extract_path(run, 'last') AND (found < coalesce(pg_catalog.jsonb_extract_path_text(run, 'size')::int, 1000) OR coalesce(pg_catalog.jsonb_extract_path_text(run, 'size')::int, 1000) = 100000))
)
SELECT pg_catalog.to_char(rows, 'FM999,999,999,999,999') || ' rows, ' || pg_catalog.to_char(rows::numeric / spent, 'FM999,999,999,990') || ' rows/s', NULL::float8
FROM schema_kit_next, LATERAL (
  SELECT pg_catalog.jsonb_extract_path_text(next, 'rows')::bigint,
         greatest(extract(epoch FROM pg_catalog.clock_timestamp() - pg_catalog.jsonb_extract_path_text(next, 'began')::timestamptz), 0.001)
) AS far (rows, spent);
COMMIT;

-- delete due rows of chat.sessions in batches
-- locks: ROW EXCLUSIVE on chat.sessions
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
  FROM (SELECT nullif(pg_catalog.current_setting('schema_kit.run', true), '')::jsonb) AS runs (run) WHERE pg_catalog.jsonb_extract_path_text(run, 'step') = 'c5787b921edb'
), schema_kit_rows AS MATERIALIZED (
  SELECT schema_kit_0.schema_kit_place AS place, schema_kit_0."expires_at" AS schema_kit_last_0
  FROM (SELECT *, ctid AS schema_kit_place FROM ONLY "chat"."sessions" WHERE ("expires_at" <= '2026-11-22 10:30:00+00') AND ("expires_at") OPERATOR("pg_catalog".>=) (coalesce((SELECT (pg_catalog.jsonb_extract_path(run, 'last') ->> 0)::timestamp with time zone FROM schema_kit_run), (SELECT "expires_at" FROM ONLY "chat"."sessions" ORDER BY "expires_at" LIMIT 1)))) AS schema_kit_0
  ORDER BY schema_kit_0."expires_at"
  LIMIT (SELECT coalesce(pg_catalog.jsonb_extract_path_text(run, 'size')::int, 1000) FROM schema_kit_run)
  FOR UPDATE OF schema_kit_0 SKIP LOCKED
), schema_kit_found AS MATERIALIZED (
  SELECT found, (SELECT pg_catalog.jsonb_build_array(pg_catalog.to_jsonb(schema_kit_last_0))
                 FROM (SELECT * FROM schema_kit_rows OFFSET greatest(found - 1, 0)) AS schema_kit_end) AS last
  FROM (SELECT pg_catalog.count(*) AS found FROM schema_kit_rows) AS schema_kit_counted
)
SELECT pg_catalog.set_config('schema_kit.rows', (SELECT coalesce(pg_catalog.array_agg(place), '{}')::text
                                                 FROM schema_kit_rows), true),
       pg_catalog.set_config('schema_kit.found', found::text, true),
       pg_catalog.set_config('schema_kit.last', coalesce(last, '[]')::text, true)
FROM schema_kit_found;
WITH schema_kit_run AS MATERIALIZED (
  SELECT coalesce(pg_catalog.max(run::text)::jsonb, '{}') AS run
  FROM (SELECT nullif(pg_catalog.current_setting('schema_kit.run', true), '')::jsonb) AS runs (run) WHERE pg_catalog.jsonb_extract_path_text(run, 'step') = 'c5787b921edb'
), schema_kit_found AS MATERIALIZED (
  SELECT pg_catalog.current_setting('schema_kit.found')::int AS found,
         pg_catalog.current_setting('schema_kit.last')::jsonb AS last
), schema_kit_gone AS (
  DELETE FROM ONLY "chat"."sessions" AS schema_kit_row
  WHERE schema_kit_row.ctid = ANY (pg_catalog.current_setting('schema_kit.rows')::tid[])
    AND NOT EXISTS (SELECT 1 FROM "chat"."threads" AS held WHERE schema_kit_row."id" OPERATOR("pg_catalog".=) held."session_id")
  RETURNING 1
), schema_kit_next AS MATERIALIZED (
SELECT pg_catalog.set_config('schema_kit.run', pg_catalog.jsonb_build_object(
  'step', 'c5787b921edb', 'last', last, 'at', pg_catalog.clock_timestamp(),
  'began', coalesce(pg_catalog.jsonb_extract_path(run, 'began'),
                    pg_catalog.to_jsonb(pg_catalog.transaction_timestamp())),
  'rows', coalesce(pg_catalog.jsonb_extract_path_text(run, 'rows')::bigint, 0) + gone.rows,
  'size', least(100000, greatest(10, pg_catalog.round(coalesce(pg_catalog.jsonb_extract_path_text(run, 'size')::int, 1000)::numeric * CASE WHEN gone.rows = 0 AND last IS NOT DISTINCT FROM pg_catalog.jsonb_extract_path(run, 'last') THEN 2.0 ELSE least(2.0, greatest(0.5, 0.5 / greatest(extract(epoch FROM pg_catalog.clock_timestamp() - pg_catalog.transaction_timestamp()), 0.000001))) END)))
)::text, false)::jsonb AS next
FROM schema_kit_run, schema_kit_found, (SELECT pg_catalog.count(*) AS rows FROM schema_kit_gone) AS gone
WHERE found > 0 AND NOT (gone.rows = 0 AND last IS NOT DISTINCT FROM pg_catalog.jsonb_extract_path(run, 'last') AND (found < coalesce(pg_catalog.jsonb_extract_path_text(run, 'size')::int, 1000) OR coalesce(pg_catalog.jsonb_extract_path_text(run, 'size')::int, 1000) = 100000))
)
SELECT pg_catalog.to_char(rows, 'FM999,999,999,999,999') || ' rows, ' || pg_catalog.to_char(rows::numeric / spent, 'FM999,999,999,990') || ' rows/s', NULL::float8
FROM schema_kit_next, LATERAL (
  SELECT pg_catalog.jsonb_extract_path_text(next, 'rows')::bigint,
         greatest(extract(epoch FROM pg_catalog.clock_timestamp() - pg_catalog.jsonb_extract_path_text(next, 'began')::timestamptz), 0.001)
) AS far (rows, spent);
COMMIT;
