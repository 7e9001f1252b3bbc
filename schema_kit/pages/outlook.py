"""What a report works out of what was read: the growth of each table, the day on which the disk is full. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from schema_kit.errors import DeclarationError
from schema_kit.intervals import Months, Span, parse
from schema_kit.model import Partitioning
from schema_kit.names import QualifiedName
from schema_kit.pages.facts import Seen
from schema_kit.pages.growth import Growth, History, Piece, fed, full, growth, together
from schema_kit.plans.check import Severity
from schema_kit.plans.timeline import Segment, Timeline

SOON = 90
"""Days before which a disk that gets full is work that is due."""

AT_ONCE = 14
"""Days before which it is worse."""

_MONTH = timedelta(days=30.44)


@dataclass(frozen=True)
class Outlook:
    """How all of it goes on."""

    tables: Sequence[tuple[QualifiedName, Growth]]
    """The biggest first."""
    likely: Sequence[float]
    """Bytes more on the disk after each of growth.DAYS."""
    low: Sequence[float]
    high: Sequence[float]
    full: date | None = None
    """When the disk is full, where its size is known and that is within five years."""
    at_worst: date | None = None
    """When it is full where tables grow as much as is likely at most."""


@dataclass(frozen=True, slots=True)
class Told:
    """A finding, of partitions or of health."""

    severity: Severity
    code: str
    table: str
    said: str
    repair: str = ""


def outlook(seen: Seen) -> Outlook:
    """Work it out."""
    pieces, policies = defaultdict[QualifiedName, list[Piece]](list), dict[QualifiedName, Timeline]()
    for one in seen.sets:
        root = seen.roots.get(one.policy.parent, one.policy.parent)
        policies.setdefault(root, one)
        pieces[root] += _pieces(one)
    found, length = dict[QualifiedName, Growth](), seen.period.length
    for name, size in seen.sizes.items():
        leaves, archived = _leaves(policies[name]) if name in policies else (None, False)
        history = History(size, pieces.get(name, ()), seen.samples.get(str(name), ()), leaves, archived)
        found[name] = growth(history, seen.at, length)
    for archive in {policy.archive for policy in seen.archives if policy.way == "partition"} & found.keys():
        sources = [found[one.table] for one in seen.archives if one.archive == archive and one.table in found]
        found[archive] = fed(found[archive], *sources)
    likely, low, high = together(list(found.values()))
    room = seen.disk.room if seen.disk else None
    ranked = sorted(found.items(), key=lambda one: (-one[1].size.bytes, str(one[0])))
    return Outlook(
        ranked,
        likely,
        low,
        high,
        None if room is None else full(room, likely, seen.at),
        None if room is None else full(room, high, seen.at),
    )


def _pieces(one: Timeline) -> Iterator[Piece]:
    for segment in one.segments:
        lower, upper = segment.range.lower, segment.range.upper
        if segment.name and isinstance(lower, datetime) and isinstance(upper, datetime):
            yield Piece(lower, upper, segment.bytes)


def _leaves(one: Timeline) -> tuple[timedelta | None, bool]:
    """How long after its end a partition leaves its table, and whether for an archive, which keeps the room taken."""
    policy, archive = one.policy, one.archive
    dropped = policy.retention if _drops(policy) else None
    gone = _length(dropped) + _length(policy.retention_grace) if dropped else None
    moved = _length(archive.archive_after) if archive and archive.archive_after else None
    if moved is not None and (gone is None or moved <= gone):
        return moved, True
    return gone, False


def _drops(policy: Partitioning) -> bool:
    return not policy.retention_keep_table and policy.retention_schema is None


def _length(text: str) -> timedelta:
    """Return a length of time, months as long as they are on average; none where it is one of ids, or nothing."""
    try:
        found = parse(text)
    except DeclarationError:
        return timedelta()
    return (
        found.count * _MONTH if isinstance(found, Months) else found.length if isinstance(found, Span) else timedelta()
    )


@dataclass(frozen=True, slots=True)
class SetFacts:
    """A partitioned table in figures."""

    partitions: int
    bytes: int
    rows: int
    uncounted: int
    """Partitions that were never analyzed, whose rows are not in."""
    states: Counter[str]
    until: str
    """Up to where partitions are made, on its clock."""

    @property
    def due(self) -> list[str]:
        """What maintenance has to do, in words."""
        said = {
            "missing": "missing ahead",
            "gap": "without a partition in between",
            "to archive": "due to go to the archive",
            "due": "due to be retired",
            "detach pending": "detach pending",
        }
        return [f"{self.states[state]:,} {what}" for state, what in said.items() if self.states[state]]


def figures(one: Timeline) -> SetFacts:
    """Return a partitioned table in figures."""
    parts = [segment for segment in one.segments if segment.partitions]
    states = Counter[str]()
    for segment in one.segments:
        states[segment.state] += segment.windows or 1
    return SetFacts(
        sum(segment.partitions for segment in parts),
        sum(segment.bytes for segment in parts),
        sum(segment.rows or 0 for segment in parts),
        sum(segment.rows is None for segment in parts),
        states,
        _until(one, parts),
    )


def _until(one: Timeline, parts: Sequence[Segment]) -> str:
    ends = [segment.range.upper for segment in parts if segment.state != "default"]
    known: list[Any] = [end for end in ends if end is not None]
    if one.lines is None or not ends:
        return ""
    return f"up to {one.lines.shown(max(known))}" if len(known) == len(ends) else "without an end"


def told(seen: Seen) -> list[Told]:
    """Return all findings, the worst first."""
    found = [Told(one.severity, one.code, one.set, one.sentence) for one in seen.partitions]
    found += [
        Told(one.severity, one.code, str(one.table) if one.table else "the server", one.evidence, str(one.repair))
        for one in seen.health
    ]
    order = list(Severity)
    return sorted(found, key=lambda one: order.index(one.severity))


def about_indexes(one: Told) -> bool:
    """Return whether a finding is advice about an index that works."""
    return one.code in _ADVICE


_ADVICE = frozenset(
    {
        "index_duplicate",
        "index_redundant",
        "index_unused",
        "index_perhaps_unused",
        "index_on_partitions",
        "index_null_heavy",
        "index_boolean",
        "index_array",
        "foreign_key_unindexed",
    }
)
