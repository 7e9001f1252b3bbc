-- Sessions whose query or transaction is older than a minute: the oldest transaction first, as it holds back vacuum.
SELECT a.pid, a.usename AS role, a.application_name AS application, a.state, now() - a.xact_start AS transaction_age,
       CASE WHEN a.state = 'active' THEN now() - a.query_start END AS query_age,
       a.wait_event_type || ': ' || a.wait_event AS waits_for, pg_catalog.age(a.backend_xmin) AS holds_back_transactions,
       left(a.query, 120) AS query
FROM pg_catalog.pg_stat_activity a
WHERE a.backend_type = 'client backend' AND a.pid <> pg_catalog.pg_backend_pid()
  AND coalesce(a.xact_start, a.query_start) < now() - interval '1 minute' AND a.state <> 'idle'
ORDER BY a.xact_start NULLS LAST;
