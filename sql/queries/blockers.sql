-- Who waits for whom: each session that waits for a lock, and the sessions that hold it, for how long.
SELECT waiting.pid AS waiting_pid, waiting.usename AS waiting_role, now() - waiting.query_start AS waits_since,
       left(waiting.query, 80) AS waiting_query, holding.pid AS holding_pid, holding.usename AS holding_role,
       holding.state AS holding_state, now() - holding.xact_start AS transaction_age, left(holding.query, 80) AS last_query
FROM pg_catalog.pg_stat_activity waiting
CROSS JOIN LATERAL unnest(pg_catalog.pg_blocking_pids(waiting.pid)) blocker (pid)
JOIN pg_catalog.pg_stat_activity holding ON holding.pid = blocker.pid
ORDER BY waiting.query_start;
