-- Indexes that PostgreSQL does not use for queries: builds that failed or still run, and parents that lack a part.
SELECT n.nspname AS schema, t.relname AS "table", i.relname AS index, x.indisready AS written_to,
       pg_catalog.pg_size_pretty(pg_catalog.pg_relation_size(i.oid)) AS size,
       EXISTS (SELECT 1 FROM pg_catalog.pg_stat_progress_create_index p WHERE p.index_relid = i.oid) AS being_built
FROM pg_catalog.pg_index x
JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
JOIN pg_catalog.pg_class t ON t.oid = x.indrelid
JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
WHERE NOT x.indisvalid
ORDER BY 1, 2, 3;
