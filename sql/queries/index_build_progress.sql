-- How far each CREATE INDEX and REINDEX has come, and which sessions it waits for.
SELECT p.pid, p.relid::pg_catalog.regclass AS "table", p.index_relid::pg_catalog.regclass AS index, p.command, p.phase,
       round(100.0 * p.blocks_done / nullif(p.blocks_total, 0), 1) AS blocks_percent,
       round(100.0 * p.tuples_done / nullif(p.tuples_total, 0), 1) AS tuples_percent,
       p.lockers_done || ' of ' || p.lockers_total AS waited_for, nullif(p.current_locker_pid, 0) AS waits_for_pid,
       now() - a.query_start AS running
FROM pg_catalog.pg_stat_progress_create_index p
LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = p.pid
ORDER BY a.query_start;
