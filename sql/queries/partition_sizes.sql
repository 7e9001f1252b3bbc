-- Each partition of each partitioned table: its bounds, its rows as the planner has them, its size with indexes and TOAST.
SELECT n.nspname || '.' || p.relname AS parent, c.relname AS partition, pg_catalog.pg_get_expr(c.relpartbound, c.oid) AS bounds,
       CASE WHEN c.reltuples >= 0 THEN c.reltuples::bigint END AS rows,
       pg_catalog.pg_size_pretty(size.bytes) AS size, size.bytes
FROM pg_catalog.pg_inherits h
JOIN pg_catalog.pg_class p ON p.oid = h.inhparent AND p.relkind = 'p'
JOIN pg_catalog.pg_namespace n ON n.oid = p.relnamespace
JOIN pg_catalog.pg_class c ON c.oid = h.inhrelid
CROSS JOIN LATERAL (
    SELECT sum(pg_catalog.pg_total_relation_size(t.relid))::bigint AS bytes FROM pg_catalog.pg_partition_tree(c.oid) t) size
ORDER BY 1, c.relname;
