"""Who holds what a step waits for."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from schema_kit.catalog import citus
from schema_kit.catalog.session import ON_CITUS, has_citus, observing, rows
from schema_kit.errors import PlanError
from schema_kit.model.locks import Lock, LockMode


@dataclass(frozen=True, slots=True)
class Blocker:
    """A session that holds a lock that a step waits for."""

    text: str
    autovacuum: bool


_QUERY = """coalesce(', query: ' || left(regexp_replace(regexp_replace(a.query, '''([^'']|'''')*''', '?', 'g'),
                     '\\m[0-9.]+\\M', '?', 'g'), 120), '')"""

_BLOCKERS = f"""
SELECT DISTINCT coalesce('pid ' || l.pid, 'prepared transaction ' || quote_literal(p.gid), 'an unknown session')
         || coalesce(' (' || nullif(a.application_name, '') || ')', '')
         || ': ' || l.mode || ' on ' || l.relation::regclass || coalesce(', ' || a.state, '')
         || coalesce(', transaction open for ' || date_trunc('second', clock_timestamp() - coalesce(a.xact_start,
                     p.prepared)), '')
         || {_QUERY},
       coalesce(a.backend_type = 'autovacuum worker', false)
FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
LEFT JOIN pg_locks x ON l.pid IS NULL AND x.pid IS NULL AND x.locktype = 'transactionid' AND x.granted
  AND x.virtualtransaction = l.virtualtransaction
LEFT JOIN pg_prepared_xacts p ON p.transaction = x.transactionid
WHERE l.locktype = 'relation' AND l.granted AND l.pid IS DISTINCT FROM pg_backend_pid()
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND l.relation = to_regclass(%(table)s) AND l.mode = ANY (%(modes)s)
"""


def blockers(connection: Connection, locks: Iterable[Lock], of_rows: bool = False) -> tuple[Blocker, ...]:
    """Who holds what a step waits for, right now: sessions, and prepared transactions, which have none.

    Args:
        connection: where to look.
        locks: those that it requires.
        of_rows: who may hold rows that it writes, since PostgreSQL lists no locks of rows: all who lock or write some.
    """
    found = []
    try:
        with observing(connection):
            for lock in locks:
                if of_rows and lock.mode is not LockMode.ROW_EXCLUSIVE:
                    continue
                modes = ["RowShareLock", "RowExclusiveLock"] if of_rows else list(lock.mode.conflicts)
                values = {"table": lock.table.sql, "modes": modes}
                found += [Blocker(*row) for row in rows(connection, _BLOCKERS, values)]
                if has_citus(connection):
                    elsewhere = citus.blockers(connection, lock.table, modes, _QUERY)
                    found += [Blocker(text, autovacuum=False) for text in elsewhere]
    except (DBAPIError, PlanError):
        logging.getLogger("schema_kit").debug("who blocks could not be seen", exc_info=True)
    return tuple(found)


_OLDER_SNAPSHOTS = """
SELECT 'pid ' || pid || coalesce(' (' || nullif(application_name, '') || ')', '') || ': an older snapshot'
         || coalesce(', ' || state, '') || ', transaction open for '
         || date_trunc('second', clock_timestamp() - xact_start),
       backend_type = 'autovacuum worker'
FROM pg_stat_activity WHERE backend_xmin IS NOT NULL AND pid <> pg_backend_pid() AND datname = current_database()
  AND xact_start < clock_timestamp() - interval '100 ms' ORDER BY xact_start
"""


def waited_for(
    connection: Connection, locks: Iterable[Lock], waits: Iterable[Lock] = (), older_snapshots: bool = False
) -> tuple[Blocker, ...]:
    """Return who holds what a step requires, or is waited for by it without a lock."""
    found = blockers(connection, locks)
    with suppress(DBAPIError, PlanError), observing(connection):
        for lock in waits:
            values = {"table": lock.table.sql, "modes": list(lock.mode.conflicts)}
            found += tuple(Blocker(*row) for row in rows(connection, _BLOCKERS, values))
        if older_snapshots:
            found += tuple(Blocker(*row) for row in rows(connection, _OLDER_SNAPSHOTS))
    return tuple(dict.fromkeys(found))


_WAITED_FOR = f"""
SELECT 'pid ' || b.pid || coalesce(' (' || nullif(a.application_name, '') || ')', '')
         || coalesce(': ' || a.state, '')
         || coalesce(', transaction open for ' || date_trunc('second', clock_timestamp() - a.xact_start), '')
         || {_QUERY}
FROM unnest(pg_blocking_pids(%(pid)s)) AS b (pid) LEFT JOIN pg_stat_activity a ON a.pid = b.pid WHERE b.pid <> 0
UNION
SELECT 'prepared transaction ' || quote_literal(p.gid) || ': open for '
         || date_trunc('second', clock_timestamp() - p.prepared)
FROM pg_prepared_xacts p WHERE p.database = current_database() AND 0 = ANY (pg_blocking_pids(%(pid)s))
UNION SELECT NULL WHERE {ON_CITUS}
"""


def waits_for(connection: Connection, pid: int) -> tuple[str, ...]:
    """Return whom a session waits for now: who holds a lock or row that it needs, or a snapshot older than it can use.

    Args:
        connection: another session than that one.
        pid: the process that serves it.
    """
    found = [row[0] for row in rows(connection, _WAITED_FOR, {"pid": pid})]
    if None in found:  # Citus exists: what is waited for may be on another node
        found += [row[0] for row in rows(connection, citus.WAITED_FOR, {"pid": pid})]
    return tuple(text for text in found if text is not None)


_EXCLUSIVE = f"""
SELECT DISTINCT coalesce('pid ' || l.pid, 'a prepared transaction')
         || coalesce(' (' || nullif(a.application_name, '') || ')', '') || ': ' || l.mode || ' on ' || n.nspname || '.'
         || c.relname || coalesce(', ' || a.state, '')
         || coalesce(', transaction open for ' || date_trunc('second', clock_timestamp() - a.xact_start), '')
         || {_QUERY}
FROM pg_locks l JOIN pg_class c ON c.oid = l.relation JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.mode = 'AccessExclusiveLock' AND l.granted AND c.relkind NOT IN ('i', 'I', 't')
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


_ADVISORY = """
SELECT 'pid ' || l.pid || coalesce(' (' || nullif(a.application_name, '') || ')', '') || ': ' || %(what)s
       || coalesce(', ' || a.state, '') FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
  AND (l.classid::bigint << 32) + l.objid::bigint = {number}::bigint
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


def advisory_holders(connection: Connection, key: str, number: str, what: str) -> tuple[str, ...]:
    """Who holds an advisory lock.

    Args:
        connection: where to look.
        key: what is locked.
        number: SQL that makes the lock's number of it.
        what: how the lock is called.
    """
    return tuple(row[0] for row in rows(connection, _ADVISORY.format(number=number), {"key": key, "what": what}))


def holders(connection: Connection) -> tuple[str, ...]:
    """Who holds a lock that not even a look gets past, on any table."""
    with suppress(DBAPIError, PlanError), observing(connection):
        return tuple(row[0] for row in rows(connection, _EXCLUSIVE))
    return ()
