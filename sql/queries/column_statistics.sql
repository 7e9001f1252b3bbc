-- What the planner knows of each column: NULLs, distinct values, order on disk; tables never analyzed have no line here.
SELECT s.schemaname AS schema, s.tablename AS "table", s.attname AS "column", s.inherited AS with_partitions,
       round(100 * s.null_frac::numeric, 1) AS null_percent, s.n_distinct AS distinct_values, s.avg_width AS bytes,
       round(s.correlation::numeric, 2) AS correlation,
       left(s.most_common_vals::text, 60) AS most_common
FROM pg_catalog.pg_stats s
WHERE s.schemaname NOT IN ('pg_catalog', 'information_schema')
ORDER BY 1, 2, 4, 3;
