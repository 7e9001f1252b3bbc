-- Indexes that no query has used since statistics began, and that enforce nothing: the largest first.
SELECT s.schemaname AS schema, s.relname AS "table", s.indexrelname AS index, s.idx_scan AS scans,
       pg_catalog.pg_size_pretty(pg_catalog.pg_relation_size(s.indexrelid)) AS size, d.stats_reset AS counted_since
FROM pg_catalog.pg_stat_user_indexes s
JOIN pg_catalog.pg_index x ON x.indexrelid = s.indexrelid
CROSS JOIN (SELECT stats_reset FROM pg_catalog.pg_stat_database WHERE datname = current_database()) d
WHERE s.idx_scan = 0 AND NOT x.indisunique AND NOT x.indisexclusion AND x.indisvalid
  AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_inherits h WHERE h.inhrelid = s.indexrelid)
ORDER BY pg_catalog.pg_relation_size(s.indexrelid) DESC;
