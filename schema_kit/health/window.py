"""Scans over a window instead of a lifetime, on every server: from snapshots that were remembered. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, field, replace
from datetime import datetime, timedelta

from schema_kit.health.facts import Activity, Index, Observed
from schema_kit.health.indexes import UNUSED_DAYS
from schema_kit.names import QualifiedName


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the counters of a server said once."""

    taken_at: datetime
    indexes: frozenset[str]
    """Indexes that are not part of another one."""
    scans: Mapping[str, int]
    """Of indexes that were scanned."""
    activity: Mapping[str, Sequence[int]] = field(default_factory=dict)
    """What each root was asked for, as Activity has it."""
    statements: Mapping[str, tuple[int, float]] = field(default_factory=dict)
    """Calls and seconds of statements, by their names."""


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
        servers: the server that was looked at, and then its replicas.
    """
    begins = [one.before.taken_at if one.before else one.since for one in servers]
    known = [moment for moment in begins if moment is not None]
    since = max(known) if len(known) == len(begins) else None
    there = frozenset.intersection(*(one.before.indexes if one.before else frozenset() for one in servers))

    now = seen.server.now
    edge = now - timedelta(days=UNUSED_DAYS) if now else None

    def scans(index: Index) -> int:
        name = str(index.name)
        old = edge is not None and index.last_scan is not None and index.last_scan <= edge
        return sum(max(one.scans.get(name, 0) - _before(one, name), 0) for one in servers if one.server or not old)

    indexes = [replace(index, scans=scans(index), remembered=str(index.name) in there) for index in seen.indexes]
    begin = begins[0]
    counted = replace(
        seen.statements,
        top=tuple(
            replace(one, earlier=servers[0].before.statements.get(one.name) if servers[0].before else None)
            for one in seen.statements.top
        ),
    )
    return replace(
        seen,
        indexes=indexes,
        server=replace(seen.server, since=since),
        replicas=len(servers) - 1,
        activity=dict(_activity(seen, servers[0])),
        days=(now - begin) / timedelta(days=1) if now and begin else 0.0,
        statements=counted,
    )


def _before(one: Counted, name: str) -> int:
    return one.before.scans.get(name, 0) if one.before else 0


def _activity(seen: Observed, own: Counted) -> Iterator[tuple[QualifiedName, Activity]]:
    """Yield what each root was asked for in the window; not of those that lost a partition since."""
    for root, now in seen.lifetime.items():
        then = own.before.activity.get(str(root)) if own.before else [0] * len(astuple(now))
        if then is not None:
            since = [one - other for one, other in zip(astuple(now), then, strict=True)]
            if min(since) >= 0:
                yield root, Activity(*since)
