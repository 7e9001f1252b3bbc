"""How big tables are, each partitioned one as a whole: sizes of files and the planner's counts, no row is read."""

from __future__ import annotations

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from schema_kit.catalog import citus
from schema_kit.catalog.drivers import sqlstate
from schema_kit.catalog.session import observing, rows, send
from schema_kit.model import Size
from schema_kit.names import QualifiedName

_TRIES = 5
"""How often it looks where a table is locked just between two queries."""

LOCKED = """
SELECT DISTINCT l.relation::bigint, l.pid FROM pg_locks l
WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock' AND l.pid <> pg_backend_pid()
  AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
"""
"""Tables that a session holds or awaits ACCESS EXCLUSIVE on: who asks for their size or indexes waits behind it."""

# Of one that is locked what the planner knows, without indexes and TOAST.
_SIZES = """
SELECT n.nspname, c.relname, count(*) FILTER (WHERE o.relispartition AND o.relkind <> 'p'),
       coalesce(sum(CASE WHEN o.oid = ANY (%(locked)s::oid[])
                         THEN o.relpages::bigint * current_setting('block_size')::bigint
                         ELSE pg_total_relation_size(o.oid) END), 0)::bigint,
       coalesce(sum(CASE WHEN o.relkind = 'p' THEN 0 WHEN o.reltuples >= 0 THEN o.reltuples
                         ELSE pg_stat_get_live_tuples(o.oid) END), 0)::bigint
FROM pg_class o
JOIN pg_class c ON c.oid = CASE WHEN o.relispartition THEN coalesce(pg_partition_root(o.oid), o.oid) ELSE o.oid END
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE o.relkind IN ('r', 'p', 'm') AND o.relpersistence <> 't' AND n.nspname !~ '^pg_'
  AND n.nspname <> 'information_schema'
GROUP BY c.oid, n.nspname, c.relname ORDER BY n.nspname, c.relname
"""


def read(connection: Connection, timeout: str) -> dict[QualifiedName, Size]:
    """Return tables and materialized views with their indexes and TOAST; partitions count as their root.

    Locks: ACCESS SHARE on each briefly; one that is locked is not waited for.

    Args:
        connection: in autocommit.
        timeout: how long it takes at most, as statement_timeout has it.
    """
    for tries_left in reversed(range(_TRIES)):
        try:
            with observing(connection):
                send(connection, f"SET LOCAL statement_timeout = '{timeout}'; SET LOCAL lock_timeout = '1s'")
                locked = [oid for oid, _ in rows(connection, LOCKED)]
                found = {
                    QualifiedName(*row[:2]): Size(*row[2:]) for row in rows(connection, _SIZES, {"locked": locked})
                }
                spread = citus.measures(connection, list(found))
            return found | {
                name: Size(found[name].partitions, size, max(count, 0))
                for name, (size, count) in spread.items()
                if size >= 0
            }
        except DBAPIError as error:
            if not tries_left or sqlstate(error) not in ("55P03", "42P01", "XX000"):
                raise
    raise AssertionError("the last try returns or raises")
