-- How many of the blocks that each table and its indexes were asked for were in shared buffers.
SELECT s.schemaname AS schema, s.relname AS "table",
       round(100.0 * s.heap_blks_hit / nullif(s.heap_blks_hit + s.heap_blks_read, 0), 2) AS table_percent,
       round(100.0 * s.idx_blks_hit / nullif(s.idx_blks_hit + s.idx_blks_read, 0), 2) AS index_percent,
       s.heap_blks_read + coalesce(s.idx_blks_read, 0) AS blocks_read
FROM pg_catalog.pg_statio_user_tables s
WHERE s.heap_blks_hit + s.heap_blks_read > 0
ORDER BY blocks_read DESC;
