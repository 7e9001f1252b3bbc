"""Counters of servers, and the snapshots of them that `schema_kit health --remember` has kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple, replace
from datetime import datetime, timedelta

import sqlalchemy as sa

from schema_kit.catalog import sizes
from schema_kit.catalog.present import readable
from schema_kit.catalog.session import observing, rows, send
from schema_kit.health.facts import Grown, Observed
from schema_kit.health.indexes import UNUSED_DAYS
from schema_kit.health.observe import TIMEOUT
from schema_kit.health.window import Counted, Snapshot, own, tops, within
from schema_kit.model import Stored
from schema_kit.names import QualifiedName
from schema_kit.steps import Plan
from schema_kit.steps.health import KEPT, RememberCounters
from schema_kit.steps.storage import EnsureTable
from schema_kit.storage import HEALTH_SNAPSHOT, PART_CONFIG, TTL_POLICY

_SCANS = """
SELECT n.nspname, c.relname, pg_stat_get_numscans(c.oid) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'i' AND n.nspname !~ '^pg_' AND pg_stat_get_numscans(c.oid) > 0
"""

_SINCE = "SELECT d.stats_reset, current_database()::text FROM pg_stat_database d WHERE d.datname = current_database()"

# The newest one from before the window, else the oldest: of the same counters, which were not reset since.
_BEFORE = f"""
SELECT s.taken_at, s.indexes, s.scans, to_jsonb(s) -> 'activity', to_jsonb(s) -> 'statements' FROM (
  SELECT * FROM {HEALTH_SNAPSHOT.sql} s
  WHERE s.server = %(server)s AND s.since IS NOT DISTINCT FROM %(since)s AND s.taken_at < %(now)s
  ORDER BY s.taken_at <= %(edge)s DESC, abs(extract(epoch FROM s.taken_at - %(edge)s)) LIMIT 1) s
"""

# The newest sizes, and those that a window begins with.
_SIZES = f"""
(SELECT s.taken_at, to_jsonb(s) -> 'sizes' FROM {HEALTH_SNAPSHOT.sql} s
 WHERE s.server = '' AND s.taken_at <= %(now)s ORDER BY s.taken_at DESC LIMIT 1)
UNION ALL (SELECT s.taken_at, to_jsonb(s) -> 'sizes' FROM (
  SELECT * FROM {HEALTH_SNAPSHOT.sql} s WHERE s.server = '' AND s.taken_at <= %(now)s
  ORDER BY s.taken_at <= %(edge)s DESC, abs(extract(epoch FROM s.taken_at - %(edge)s)) LIMIT 1) s)
"""

_POLICIES = {
    TTL_POLICY: f"SELECT table_name FROM {TTL_POLICY.sql}",
    PART_CONFIG: f"SELECT parent_table FROM {PART_CONFIG.sql} WHERE retention IS NOT NULL",
}

_KEPT = f"SELECT age FROM {TTL_POLICY.sql} WHERE table_name = %(name)s"

_CURRENT = """
SELECT to_regclass(%(name)s) IS NOT NULL, 3 = (
  SELECT count(*) FROM pg_attribute WHERE attrelid = to_regclass(%(name)s) AND NOT attisdropped
    AND attname IN ('sizes', 'activity', 'statements'))
"""


def current(connection: sa.Connection) -> Stored:
    """Return whether health_snapshot exists, with all the columns that this version knows."""
    with observing(connection):
        return Stored.of(*rows(connection, _CURRENT, {"name": HEALTH_SNAPSHOT.sql})[0])


def measured(connection: sa.Connection) -> dict[str, tuple[int, int, int]]:
    """Bytes, rows and partitions of each table; under an empty name the bytes of the database."""
    found = {str(name): (one.bytes, one.rows, one.partitions) for name, one in sizes.read(connection, TIMEOUT).items()}
    with observing(connection):
        send(connection, f"SET LOCAL statement_timeout = '{TIMEOUT}'")
        whole = rows(connection, "SELECT pg_database_size(current_database())")[0][0]
    return {"": (whole, 0, 0), **found}


def of_replica(connection: sa.Connection) -> Counted:
    """Return the counters of another server that has the same tables.

    Args:
        connection: to it, in autocommit.
    """
    url = connection.engine.url
    host, port = (getattr(url, name) or url.query.get(name, "") for name in ("host", "port"))
    with observing(connection):
        send(connection, f"SET LOCAL statement_timeout = '{TIMEOUT}'")
        since, database = rows(connection, _SINCE)[0]
        scans = {str(QualifiedName(*row[:2])): row[2] for row in rows(connection, _SCANS)}
    return Counted(f"{host}:{port}/{database}", since, scans)


def plan(
    seen: Observed,
    servers: Sequence[Counted],
    tables: Mapping[str, Sequence[int]],
    *,
    there: Stored,
    keep: str = KEPT,
) -> Plan:
    """Return what keeps the counters of servers.

    Args:
        seen: what was observed, with its clock.
        servers: whose counters.
        tables: bytes, rows and partitions by table, of the server that was looked at.
        there: how health_snapshot was observed.
        keep: how long snapshots are kept.
    """
    assert seen.server.now is not None  # who looks at a server has asked for its clock
    indexes = tuple(sorted(tops(seen)))
    activity = {str(root): astuple(one) for root, one in seen.lifetime.items()}
    statements = {one.name: (one.calls, one.seconds) for one in seen.statements.top}
    steps = [
        RememberCounters(seen.server.now, one.server, one.since, indexes, one.scans, keep=keep)
        if one.server
        else RememberCounters(
            seen.server.now, "", one.since, indexes, one.scans, tables, activity, statements, keep=keep
        )
        for one in servers
    ]
    return Plan("remember counters", (*(() if there else (EnsureTable(HEALTH_SNAPSHOT, there),)), *steps))


def kept(connection: sa.Connection) -> str:
    """Return how long snapshots are kept: by the policy of time-to-live that their table has, else 400 days."""
    with observing(connection):
        if not readable(connection, TTL_POLICY):
            return KEPT
        found = rows(connection, _KEPT, {"name": str(HEALTH_SNAPSHOT)})
    return found[0][0] or KEPT if found else KEPT


def windowed(connection: sa.Connection, seen: Observed, now: datetime, replicas: Sequence[Counted] = ()) -> Observed:
    """Return the same database with counters of a window, on all servers, and with what snapshots know of its growth.

    Args:
        connection: of the server that was looked at, which keeps the snapshots.
        seen: what was observed.
        now: the server's clock.
        replicas: counters of other servers.
    """
    counted = [own(seen), *replicas]
    counted = [replace(one, before=before(connection, now, one.server, one.since)) for one in counted]
    grown = _grown(connection, seen, now)
    return replace(within(seen, counted), grown=grown, bounded=_bounded(connection) if grown else frozenset())


def before(connection: sa.Connection, now: datetime, server: str, since: datetime | None) -> Snapshot | None:
    """Return the snapshot with which the window of a server begins; None where there is none of its counters.

    Args:
        connection: of the server that keeps the snapshots.
        now: the server's clock.
        server: whose counters.
        since: when those were reset last.
    """
    with observing(connection):
        if not readable(connection, HEALTH_SNAPSHOT):
            return None
        edge = now - timedelta(days=UNUSED_DAYS)
        found = rows(connection, _BEFORE, {"server": server, "since": since, "now": now, "edge": edge})
    return _snapshot(*found[0]) if found else None


def _snapshot(
    taken_at: datetime,
    indexes: list[str],
    scans: Mapping[str, int],
    activity: Mapping[str, list[int]] | None,
    statements: Mapping[str, tuple[int, float]] | None,
) -> Snapshot:
    return Snapshot(taken_at, frozenset(indexes), scans, activity or {}, statements or {})


def _grown(connection: sa.Connection, seen: Observed, now: datetime) -> list[Grown]:
    """Return how big each root was when the window began, and in the newest snapshot."""
    with observing(connection):
        if not readable(connection, HEALTH_SNAPSHOT):
            return []
        found = rows(connection, _SIZES, {"now": now, "edge": now - timedelta(days=UNUSED_DAYS)})
    if len(found) < 2:
        return []
    (oldest, then), (newest, there) = sorted(found, key=lambda row: row[0])
    days = (newest - oldest) / timedelta(days=1)
    sizes = [(one.name, (there or {}).get(str(one.name)), (then or {}).get(str(one.name))) for one in seen.tables]
    return [Grown(name, days, old[0], new[0]) for name, new, old in sizes if new and old and days > 0]


def _bounded(connection: sa.Connection) -> frozenset[QualifiedName]:
    """Return the tables whose rows leave by a policy."""
    with observing(connection):
        there = readable(connection, *_POLICIES)
        found = [row[0] for table, sql in _POLICIES.items() if table in there for row in rows(connection, sql)]
    return frozenset(QualifiedName.parse(name) for name in found)
