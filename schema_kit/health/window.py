"""Scans over a window instead of a lifetime, on every server: from snapshots that were remembered. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from schema_kit.health.facts import Index, Observed


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the counters of a server said once."""

    taken_at: datetime
    indexes: frozenset[str]
    """Indexes that are not part of another one."""
    scans: Mapping[str, int]
    """Of indexes that were scanned."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What the counters of a server say now, and what they said when the window began."""

    server: str
    """Empty: the one that was looked at; else host:port/database of a replica."""
    since: datetime | None
    scans: Mapping[str, int]
    before: Snapshot | None = None


def own(seen: Observed) -> Counted:
    """Return the counters of the server that was looked at."""
    return Counted("", seen.server.since, {str(index.name): index.scans for index in seen.indexes if index.scans})


def tops(seen: Observed) -> frozenset[str]:
    """Return the indexes that are not part of another one."""
    return frozenset(str(index.name) for index in seen.indexes if index.parent is None)


def within(seen: Observed, servers: Sequence[Counted]) -> Observed:
    """Return the same database with the scans of all servers since the window began.

    Args:
        seen: what was observed.
        servers: the server that was looked at, and its replicas.
    """
    begins = [one.before.taken_at if one.before else one.since for one in servers]
    known = [moment for moment in begins if moment is not None]
    since = max(known) if len(known) == len(begins) else None
    there = frozenset.intersection(*(one.before.indexes if one.before else frozenset() for one in servers))

    def scans(index: Index) -> int:
        name = str(index.name)
        return sum(max(one.scans.get(name, 0) - _before(one, name), 0) for one in servers)

    indexes = [replace(index, scans=scans(index), remembered=str(index.name) in there) for index in seen.indexes]
    return replace(seen, indexes=indexes, server=replace(seen.server, since=since), replicas=len(servers) - 1)


def _before(one: Counted, name: str) -> int:
    return one.before.scans.get(name, 0) if one.before else 0
