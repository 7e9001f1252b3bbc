-- How each partitioned table has grown: rows and bytes of its last twelve partitions, each beside the one before it.
WITH parts AS (
    SELECT n.nspname || '.' || p.relname AS parent, c.relname AS partition,
           pg_catalog.pg_get_expr(c.relpartbound, c.oid) AS bounds,
           CASE WHEN c.reltuples >= 0 THEN c.reltuples::bigint END AS rows,
           (SELECT sum(pg_catalog.pg_total_relation_size(t.relid)) FROM pg_catalog.pg_partition_tree(c.oid) t)::bigint AS bytes
    FROM pg_catalog.pg_inherits h
    JOIN pg_catalog.pg_class p ON p.oid = h.inhparent AND p.relkind = 'p'
    JOIN pg_catalog.pg_namespace n ON n.oid = p.relnamespace
    JOIN pg_catalog.pg_class c ON c.oid = h.inhrelid
    WHERE pg_catalog.pg_get_expr(c.relpartbound, c.oid) <> 'DEFAULT'
), ordered AS (
    SELECT parts.*, row_number() OVER (PARTITION BY parent ORDER BY length(bounds) DESC, bounds DESC) AS place,
           lag(bytes) OVER (PARTITION BY parent ORDER BY length(bounds), bounds) AS bytes_before
    FROM parts
)
SELECT parent, partition, rows, pg_catalog.pg_size_pretty(bytes) AS size,
       pg_catalog.pg_size_pretty(bytes - bytes_before) AS more_than_before,
       round(100.0 * bytes / nullif(bytes_before, 0)) AS percent_of_before
FROM ordered
WHERE place <= 12
ORDER BY parent, place;
