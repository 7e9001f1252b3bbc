-- How often each table was read through an index and how often from end to end: large tables that are read whole first.
SELECT s.schemaname AS schema, s.relname AS "table", s.n_live_tup AS rows, s.seq_scan AS whole_scans, s.idx_scan AS index_scans,
       round(100.0 * s.idx_scan / nullif(s.seq_scan + s.idx_scan, 0), 1) AS index_percent, s.seq_tup_read AS rows_read_whole
FROM pg_catalog.pg_stat_user_tables s
ORDER BY s.seq_tup_read DESC;
