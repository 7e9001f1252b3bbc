-- The largest tables: rows, table, indexes and TOAST by themselves; a partitioned table with all that it holds.
SELECT n.nspname AS schema, c.relname AS "table", c.relkind = 'p' AS partitioned, total.rows,
       pg_catalog.pg_size_pretty(total.heap) AS heap, pg_catalog.pg_size_pretty(total.indexes) AS indexes,
       pg_catalog.pg_size_pretty(total.bytes - total.heap - total.indexes) AS toast,
       pg_catalog.pg_size_pretty(total.bytes) AS size, total.bytes
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL (
    SELECT sum(pg_catalog.pg_relation_size(p.oid))::bigint AS heap, sum(pg_catalog.pg_indexes_size(p.oid))::bigint AS indexes,
           sum(pg_catalog.pg_total_relation_size(p.oid))::bigint AS bytes,
           sum(CASE WHEN p.reltuples >= 0 AND p.relkind <> 'p' THEN p.reltuples::bigint END)::bigint AS rows
    FROM pg_catalog.pg_class p
    WHERE p.oid = c.oid OR p.oid IN (SELECT t.relid FROM pg_catalog.pg_partition_tree(c.oid) t)) total
WHERE c.relkind IN ('r', 'p', 'm') AND NOT c.relispartition AND n.nspname NOT IN ('pg_catalog', 'information_schema')
ORDER BY total.bytes DESC NULLS LAST
LIMIT 50;
