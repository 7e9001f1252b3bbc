"""Who sees the database as it was before a commit."""

PATIENCE_SECONDS = 10
"""How long a run waits for older transactions before it leaves such tables to the next run."""


def older_sql(age: str) -> str:
    """Return a SELECT of the sessions whose snapshot is as old as that, or older, as reasons to wait.

    Those of other users are seen with the rights of pg_read_all_stats. A transaction in the future is one of the server
    where the database was dumped, or so long ago that no snapshot can be older: its age is negative.

    Args:
        age: SQL for the age of a transaction that such a snapshot does not see.
    """
    return (
        "SELECT format('pid %s%s has a snapshot from before, its transaction is open for %s', a.pid, "
        "' (' || nullif(a.application_name, '') || ')', date_trunc('second', clock_timestamp() - a.xact_start)) "
        "FROM pg_stat_activity a WHERE a.datname = current_database() AND a.pid <> pg_backend_pid() "
        f"AND a.backend_type NOT IN ('autovacuum worker', 'walsender') AND age(a.backend_xmin) >= ({age}) "
        f"AND ({age}) >= 0"
    )
