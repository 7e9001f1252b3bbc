-- update word of shop.items in batches
-- locks: ROW EXCLUSIVE on shop.items
-- repeated, a commit each time, until no row is left
BEGIN;
SET LOCAL transaction_isolation = 'read committed';
SET LOCAL enable_seqscan = 'off';
SET LOCAL enable_bitmapscan = 'off';
SET LOCAL enable_sort = 'off';
SET LOCAL jit = 'off';
SET LOCAL row_security = 'off';
SET LOCAL citus.multi_shard_modify_mode = 'sequential';
SET LOCAL citus.propagate_set_commands = 'local';
SET LOCAL lock_timeout = '5000ms';
SET LOCAL citus.propagate_set_commands = 'none';
SET LOCAL statement_timeout = '0ms';
SELECT pg_catalog.set_config('schema_kit.batch', '', true);
DO 'DECLARE at record; seen bigint; due bigint; reached jsonb; changed bigint := 0; stays boolean := false;
BEGIN
  SELECT last_key, batch_size INTO at FROM "schema_kit"."batch_progress"
  WHERE name = ''upper words'' AND ended_at IS NULL AND finished_at IS NULL FOR UPDATE;
  IF NOT FOUND THEN RETURN; END IF;
  EXECUTE pg_catalog.format(CASE WHEN at.last_key IS NULL THEN ''SELECT pg_catalog.count(*), pg_catalog.count(*) FILTER (WHERE schema_kit_due), pg_catalog.jsonb_agg(schema_kit_key ORDER BY "tenant", "at") -> -1 FROM (SELECT "tenant", "at", pg_catalog.jsonb_build_array("tenant"::text, pg_catalog.to_jsonb("at")) AS schema_kit_key, (word LIKE ''''100%%'''') IS TRUE AS schema_kit_due FROM "shop"."items" WHERE true ORDER BY "tenant", "at" LIMIT %3$s) AS schema_kit_rows''
    ELSE ''SELECT pg_catalog.count(*), pg_catalog.count(*) FILTER (WHERE schema_kit_due), pg_catalog.jsonb_agg(schema_kit_key ORDER BY "tenant", "at") -> -1 FROM (SELECT "tenant", "at", pg_catalog.jsonb_build_array("tenant"::text, pg_catalog.to_jsonb("at")) AS schema_kit_key, (word LIKE ''''100%%'''') IS TRUE AS schema_kit_due FROM "shop"."items" WHERE ("tenant", "at") OPERATOR("pg_catalog".>) (%1$L::integer, %2$L::timestamp with time zone) ORDER BY "tenant", "at" LIMIT %3$s) AS schema_kit_rows'' END,
                 at.last_key ->> 0, at.last_key ->> 1, at.batch_size) INTO seen, due, reached;
  IF due > 0 THEN
    EXECUTE pg_catalog.format(CASE WHEN at.last_key IS NULL THEN ''WITH schema_kit_changed AS (UPDATE "shop"."items" SET "word" = upper(word) || ''''100%%'''' WHERE ("tenant", "at") OPERATOR("pg_catalog".<=) (%3$L::integer, %4$L::timestamp with time zone) AND (word LIKE ''''100%%'''') RETURNING (word LIKE ''''100%%'''') IS TRUE AS stays) SELECT pg_catalog.count(*), coalesce(pg_catalog.bool_or(stays), false) FROM schema_kit_changed''
      ELSE ''WITH schema_kit_changed AS (UPDATE "shop"."items" SET "word" = upper(word) || ''''100%%'''' WHERE ("tenant", "at") OPERATOR("pg_catalog".>) (%1$L::integer, %2$L::timestamp with time zone) AND ("tenant", "at") OPERATOR("pg_catalog".<=) (%3$L::integer, %4$L::timestamp with time zone) AND (word LIKE ''''100%%'''') RETURNING (word LIKE ''''100%%'''') IS TRUE AS stays) SELECT pg_catalog.count(*), coalesce(pg_catalog.bool_or(stays), false) FROM schema_kit_changed'' END,
                   at.last_key ->> 0, at.last_key ->> 1, reached ->> 0, reached ->> 1) INTO changed, stays;
  END IF;
  PERFORM pg_catalog.set_config(''schema_kit.batch'', pg_catalog.jsonb_build_object(
    ''seen'', seen, ''due'', due, ''reached'', reached, ''changed'', changed, ''stays'', stays)::text, true);
END';
UPDATE "schema_kit"."batch_progress" AS p SET
  last_key = coalesce(pg_catalog.jsonb_extract_path(b.batch, 'reached'), p.last_key),
  rows_seen = p.rows_seen + pg_catalog.jsonb_extract_path_text(b.batch, 'seen')::bigint,
  rows_changed = p.rows_changed + pg_catalog.jsonb_extract_path_text(b.batch, 'changed')::bigint,
  batch_size = least(100000, greatest(10, pg_catalog.round(p.batch_size::numeric * least(2, greatest(0.5, 0.5 / greatest(extract(epoch FROM pg_catalog.clock_timestamp() - pg_catalog.transaction_timestamp()), 0.000001)))))),
  batch_at = pg_catalog.clock_timestamp(),
  missed = p.missed + greatest(pg_catalog.jsonb_extract_path_text(b.batch, 'due')::bigint - pg_catalog.jsonb_extract_path_text(b.batch, 'changed')::bigint, 0),
  stays = p.stays OR pg_catalog.jsonb_extract_path_text(b.batch, 'stays')::boolean,
  ended_at = CASE WHEN pg_catalog.jsonb_extract_path_text(b.batch, 'seen')::bigint < p.batch_size THEN pg_catalog.clock_timestamp() END
FROM (SELECT nullif(pg_catalog.current_setting('schema_kit.batch'), '')::jsonb AS batch) AS b
WHERE p.name = 'upper words' AND b.batch IS NOT NULL;
COMMIT;

