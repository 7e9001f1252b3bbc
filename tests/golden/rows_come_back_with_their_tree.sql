-- restore rows of chat.sessions
-- Sessions first, then what hung on those that exist, from archives of their own.

-- keep rows of chat.sessions from its archive, where (id <> 7 -- told ) AND "expires_at" >= '2026-01-01 00:00:00+00' AND "expires_at" < '2026-02-01 00:00:00+00'
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
UPDATE "schema_kit"."archive_policy" SET restored = pg_catalog.array_append(pg_catalog.array_remove(restored, '(id <> 7 -- told
) AND "expires_at" >= ''2026-01-01 00:00:00+00'' AND "expires_at" < ''2026-02-01 00:00:00+00'''), '(id <> 7 -- told
) AND "expires_at" >= ''2026-01-01 00:00:00+00'' AND "expires_at" < ''2026-02-01 00:00:00+00''') WHERE table_name = 'chat.sessions';
COMMIT;

-- take rows of chat.sessions_archive back to chat.sessions in batches, where (id <> 7 -- told ) AND "expires_at" >= '2026-01-01 00:00:00+00' AND "expires_at" < '2026-02-01 00:00:00+00'
-- locks: ROW EXCLUSIVE on chat.sessions_archive
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
  FROM (SELECT nullif(pg_catalog.current_setting('schema_kit.run', true), '')::jsonb) AS runs (run) WHERE pg_catalog.jsonb_extract_path_text(run, 'step') = '35d4cf51ff99'
), schema_kit_rows AS MATERIALIZED (
  SELECT schema_kit_0.schema_kit_place AS place, schema_kit_0."expires_at" AS schema_kit_last_0
  FROM (SELECT *, ctid AS schema_kit_place FROM ONLY "chat"."sessions_archive" WHERE ((id <> 7 -- told
) AND "expires_at" >= '2026-01-01 00:00:00+00' AND "expires_at" < '2026-02-01 00:00:00+00'
) AND ("expires_at") OPERATOR("pg_catalog".>=) (coalesce((SELECT (pg_catalog.jsonb_extract_path(run, 'last') ->> 0)::timestamp with time zone FROM schema_kit_run), (SELECT "expires_at" FROM ONLY "chat"."sessions_archive" ORDER BY "expires_at" LIMIT 1)))) AS schema_kit_0
  ORDER BY schema_kit_0."expires_at"
  LIMIT (SELECT coalesce(pg_catalog.jsonb_extract_path_text(run, 'size')::int, 1000) FROM schema_kit_run)
  FOR UPDATE OF schema_kit_0 SKIP LOCKED
), schema_kit_found AS MATERIALIZED (
  SELECT found, (SELECT pg_catalog.jsonb_build_array(pg_catalog.to_jsonb(schema_kit_last_0))
                 FROM (SELECT * FROM schema_kit_rows OFFSET greatest(found - 1, 0)) AS schema_kit_end) AS last
  FROM (SELECT pg_catalog.count(*) AS found FROM schema_kit_rows) AS schema_kit_counted
), schema_kit_gone AS (
  DELETE FROM ONLY "chat"."sessions_archive" AS schema_kit_row
  WHERE schema_kit_row.ctid = ANY (ARRAY(SELECT place FROM schema_kit_rows))
  RETURNING schema_kit_row."id", schema_kit_row."expires_at"
), schema_kit_new AS MATERIALIZED (
  SELECT "id", "expires_at" FROM schema_kit_gone AS gone WHERE NOT EXISTS (
    SELECT 1 FROM "chat"."sessions" AS there
    WHERE there."id" OPERATOR("pg_catalog".=) gone."id" AND ROW(there."id", there."expires_at")::text = ROW(gone."id", gone."expires_at")::text)
), schema_kit_kept AS (
  INSERT INTO "chat"."sessions" ("id", "expires_at") OVERRIDING SYSTEM VALUE
  SELECT "id", "expires_at" FROM schema_kit_new RETURNING 1
), schema_kit_next AS MATERIALIZED (
SELECT pg_catalog.set_config('schema_kit.run', pg_catalog.jsonb_build_object(
  'step', '35d4cf51ff99', 'last', last, 'at', pg_catalog.clock_timestamp(),
  'began', coalesce(pg_catalog.jsonb_extract_path(run, 'began'),
                    pg_catalog.to_jsonb(pg_catalog.transaction_timestamp())),
  'rows', coalesce(pg_catalog.jsonb_extract_path_text(run, 'rows')::bigint, 0) + gone.rows,
  'size', least(100000, greatest(10, pg_catalog.round(coalesce(pg_catalog.jsonb_extract_path_text(run, 'size')::int, 1000)::numeric * CASE WHEN gone.rows = 0 AND last IS NOT DISTINCT FROM pg_catalog.jsonb_extract_path(run, 'last') THEN 2.0 ELSE least(2.0, greatest(0.5, 0.5 / greatest(extract(epoch FROM pg_catalog.clock_timestamp() - pg_catalog.transaction_timestamp()), 0.000001))) END)))
)::text, false)::jsonb AS next
FROM schema_kit_run, schema_kit_found, (
  SELECT CASE WHEN kept.rows = sent.rows THEN gone.rows
         ELSE (sent.rows::text || ' rows left chat.sessions_archive, but so many arrived in chat.sessions: ' || kept.rows::text)::bigint END
  FROM (SELECT pg_catalog.count(*) FROM schema_kit_gone) AS gone (rows), (SELECT pg_catalog.count(*) FROM schema_kit_new) AS sent (rows),
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

-- take rows of chat.threads_archive back to chat.threads in batches, that reference those of chat.sessions where (id <> 7 -- told ) AND "expires_at" >= '2026-01-01 00:00:00+00' AND "expires_at" < '2026-02-01 00:00:00+00'
-- locks: ROW EXCLUSIVE on chat.threads_archive
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
  FROM (SELECT nullif(pg_catalog.current_setting('schema_kit.run', true), '')::jsonb) AS runs (run) WHERE pg_catalog.jsonb_extract_path_text(run, 'step') = 'd20c9a9f3c15'
), schema_kit_rows AS MATERIALIZED (
  SELECT schema_kit_1.ctid AS place, schema_kit_0."expires_at" AS schema_kit_last_0
  FROM (SELECT *, ctid AS schema_kit_place FROM ONLY "chat"."sessions" WHERE ((id <> 7 -- told
) AND "expires_at" >= '2026-01-01 00:00:00+00' AND "expires_at" < '2026-02-01 00:00:00+00'
) AND ("expires_at") OPERATOR("pg_catalog".>=) (coalesce((SELECT (pg_catalog.jsonb_extract_path(run, 'last') ->> 0)::timestamp with time zone FROM schema_kit_run), (SELECT "expires_at" FROM ONLY "chat"."sessions" ORDER BY "expires_at" LIMIT 1)))) AS schema_kit_0
  JOIN ONLY "chat"."threads_archive" AS schema_kit_1 ON schema_kit_0."id" OPERATOR("pg_catalog".=) schema_kit_1."session_id"
  ORDER BY schema_kit_0."expires_at"
  LIMIT (SELECT coalesce(pg_catalog.jsonb_extract_path_text(run, 'size')::int, 1000) FROM schema_kit_run)
  FOR UPDATE OF schema_kit_1 SKIP LOCKED FOR SHARE OF schema_kit_0 SKIP LOCKED
), schema_kit_found AS MATERIALIZED (
  SELECT found, (SELECT pg_catalog.jsonb_build_array(pg_catalog.to_jsonb(schema_kit_last_0))
                 FROM (SELECT * FROM schema_kit_rows OFFSET greatest(found - 1, 0)) AS schema_kit_end) AS last
  FROM (SELECT pg_catalog.count(*) AS found FROM schema_kit_rows) AS schema_kit_counted
), schema_kit_gone AS (
  DELETE FROM ONLY "chat"."threads_archive" AS schema_kit_row
  WHERE schema_kit_row.ctid = ANY (ARRAY(SELECT place FROM schema_kit_rows))
  RETURNING schema_kit_row."id", schema_kit_row."session_id"
), schema_kit_new AS MATERIALIZED (
  SELECT "id", "session_id" FROM schema_kit_gone AS gone WHERE NOT EXISTS (
    SELECT 1 FROM "chat"."threads" AS there
    WHERE there."id" OPERATOR("pg_catalog".=) gone."id" AND ROW(there."id", there."session_id")::text = ROW(gone."id", gone."session_id")::text)
), schema_kit_kept AS (
  INSERT INTO "chat"."threads" ("id", "session_id") OVERRIDING SYSTEM VALUE
  SELECT "id", "session_id" FROM schema_kit_new RETURNING 1
), schema_kit_next AS MATERIALIZED (
SELECT pg_catalog.set_config('schema_kit.run', pg_catalog.jsonb_build_object(
  'step', 'd20c9a9f3c15', 'last', last, 'at', pg_catalog.clock_timestamp(),
  'began', coalesce(pg_catalog.jsonb_extract_path(run, 'began'),
                    pg_catalog.to_jsonb(pg_catalog.transaction_timestamp())),
  'rows', coalesce(pg_catalog.jsonb_extract_path_text(run, 'rows')::bigint, 0) + gone.rows,
  'size', least(100000, greatest(10, pg_catalog.round(coalesce(pg_catalog.jsonb_extract_path_text(run, 'size')::int, 1000)::numeric * CASE WHEN gone.rows = 0 AND last IS NOT DISTINCT FROM pg_catalog.jsonb_extract_path(run, 'last') THEN 2.0 ELSE least(2.0, greatest(0.5, 0.5 / greatest(extract(epoch FROM pg_catalog.clock_timestamp() - pg_catalog.transaction_timestamp()), 0.000001))) END)))
)::text, false)::jsonb AS next
FROM schema_kit_run, schema_kit_found, (
  SELECT CASE WHEN kept.rows = sent.rows THEN gone.rows
         ELSE (sent.rows::text || ' rows left chat.threads_archive, but so many arrived in chat.threads: ' || kept.rows::text)::bigint END
  FROM (SELECT pg_catalog.count(*) FROM schema_kit_gone) AS gone (rows), (SELECT pg_catalog.count(*) FROM schema_kit_new) AS sent (rows),
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

-- take rows of chat.Messages_archive back to chat.Messages in batches, that reference those of chat.sessions where (id <> 7 -- told ) AND "expires_at" >= '2026-01-01 00:00:00+00' AND "expires_at" < '2026-02-01 00:00:00+00'
-- locks: ROW EXCLUSIVE on chat.Messages_archive
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
  FROM (SELECT nullif(pg_catalog.current_setting('schema_kit.run', true), '')::jsonb) AS runs (run) WHERE pg_catalog.jsonb_extract_path_text(run, 'step') = '56364dc0eb6f'
), schema_kit_rows AS MATERIALIZED (
  SELECT pg_catalog.jsonb_build_array(schema_kit_2."id"::text, pg_catalog.to_jsonb(schema_kit_2."at")) AS place, schema_kit_0."expires_at" AS schema_kit_last_0
  FROM (SELECT *, ctid AS schema_kit_place FROM ONLY "chat"."sessions" WHERE ((id <> 7 -- told
) AND "expires_at" >= '2026-01-01 00:00:00+00' AND "expires_at" < '2026-02-01 00:00:00+00'
) AND ("expires_at") OPERATOR("pg_catalog".>=) (coalesce((SELECT (pg_catalog.jsonb_extract_path(run, 'last') ->> 0)::timestamp with time zone FROM schema_kit_run), (SELECT "expires_at" FROM ONLY "chat"."sessions" ORDER BY "expires_at" LIMIT 1)))) AS schema_kit_0
  JOIN "chat"."threads" AS schema_kit_1 ON schema_kit_0."id" OPERATOR("pg_catalog".=) schema_kit_1."session_id"
  JOIN "chat"."Messages_archive" AS schema_kit_2 ON schema_kit_1."id" OPERATOR("pg_catalog".=) schema_kit_2."thread_id"
  ORDER BY schema_kit_0."expires_at"
  LIMIT (SELECT coalesce(pg_catalog.jsonb_extract_path_text(run, 'size')::int, 1000) FROM schema_kit_run)
  FOR UPDATE OF schema_kit_2 SKIP LOCKED FOR SHARE OF schema_kit_0, schema_kit_1 SKIP LOCKED
), schema_kit_found AS MATERIALIZED (
  SELECT found, (SELECT pg_catalog.jsonb_build_array(pg_catalog.to_jsonb(schema_kit_last_0))
                 FROM (SELECT * FROM schema_kit_rows OFFSET greatest(found - 1, 0)) AS schema_kit_end) AS last
  FROM (SELECT pg_catalog.count(*) AS found FROM schema_kit_rows) AS schema_kit_counted
), schema_kit_gone AS (
  DELETE FROM "chat"."Messages_archive" AS schema_kit_row
  USING (SELECT place FROM schema_kit_rows) AS schema_kit_batch (own)
  WHERE schema_kit_row."id" OPERATOR("pg_catalog".=) (own ->> 0)::bigint AND schema_kit_row."at" OPERATOR("pg_catalog".=) (own ->> 1)::timestamp with time zone
  RETURNING schema_kit_row."id", schema_kit_row."at", schema_kit_row."thread_id"
), schema_kit_new AS MATERIALIZED (
  SELECT "id", "at", "thread_id" FROM schema_kit_gone AS gone WHERE NOT EXISTS (
    SELECT 1 FROM "chat"."Messages" AS there
    WHERE there."id" OPERATOR("pg_catalog".=) gone."id" AND there."at" OPERATOR("pg_catalog".=) gone."at" AND ROW(there."id", there."at", there."thread_id")::text = ROW(gone."id", gone."at", gone."thread_id")::text)
), schema_kit_kept AS (
  INSERT INTO "chat"."Messages" ("id", "at", "thread_id") OVERRIDING SYSTEM VALUE
  SELECT "id", "at", "thread_id" FROM schema_kit_new RETURNING 1
), schema_kit_next AS MATERIALIZED (
SELECT pg_catalog.set_config('schema_kit.run', pg_catalog.jsonb_build_object(
  'step', '56364dc0eb6f', 'last', last, 'at', pg_catalog.clock_timestamp(),
  'began', coalesce(pg_catalog.jsonb_extract_path(run, 'began'),
                    pg_catalog.to_jsonb(pg_catalog.transaction_timestamp())),
  'rows', coalesce(pg_catalog.jsonb_extract_path_text(run, 'rows')::bigint, 0) + gone.rows,
  'size', least(100000, greatest(10, pg_catalog.round(coalesce(pg_catalog.jsonb_extract_path_text(run, 'size')::int, 1000)::numeric * CASE WHEN gone.rows = 0 AND last IS NOT DISTINCT FROM pg_catalog.jsonb_extract_path(run, 'last') THEN 2.0 ELSE least(2.0, greatest(0.5, 0.5 / greatest(extract(epoch FROM pg_catalog.clock_timestamp() - pg_catalog.transaction_timestamp()), 0.000001))) END)))
)::text, false)::jsonb AS next
FROM schema_kit_run, schema_kit_found, (
  SELECT CASE WHEN kept.rows = sent.rows THEN gone.rows
         ELSE (sent.rows::text || ' rows left chat.Messages_archive, but so many arrived in chat.Messages: ' || kept.rows::text)::bigint END
  FROM (SELECT pg_catalog.count(*) FROM schema_kit_gone) AS gone (rows), (SELECT pg_catalog.count(*) FROM schema_kit_new) AS sent (rows),
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
