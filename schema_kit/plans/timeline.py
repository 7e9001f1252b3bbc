"""Plan the picture of a partitioned table: partitions from the oldest to the last one ahead, and gaps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import groupby, islice

from schema_kit.errors import SchemaKitError
from schema_kit.intervals import Point
from schema_kit.model import ArchivePolicy, Partition, Partitioning, Range, Watched
from schema_kit.model.grid import MOST_AHEAD, Grid, grid, partitioned_table
from schema_kit.model.ranges import Placed, besides, horizon, missing, placed, state, stretches, windows_within
from schema_kit.names import QualifiedName
from schema_kit.plans.retention import due

_FIRST, _LAST = 2, 8
"""How many of a long run of partitions of one state are shown, at both ends."""

_MOST = 60
"""Segments that are shown of one set, at most."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of the line: a partition, several that were folded together, or a gap.

    Args:
        state: past, current, premade, detach pending, default, due (to be retired), to archive (due there), gap,
            missing or unknown.
        range: from where to where; both ends None for the default partition.
        name: the partition; None where there is none, or several.
        partitions: how many it stands for.
        windows: where there is no partition, how many of the table's ranges have none.
        rows: the planner's estimate; None where a part of it was never analyzed.
        bytes: with indexes and TOAST.
    """

    state: str
    range: Range
    name: QualifiedName | None = None
    partitions: int = 0
    windows: int = 0
    rows: int | None = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class Timeline:
    """A partitioned table with its segments in order, the default partition last."""

    policy: Partitioning
    lines: Grid | None
    segments: tuple[Segment, ...] = ()
    trouble: tuple[str, ...] = ()
    """What could not be looked at, or why there is no picture."""
    next_to_go: tuple[QualifiedName, Point] | None = None
    """Which partition the retention takes next, and where the current position has to be then."""
    archive: ArchivePolicy | None = None
    next_to_archive: tuple[QualifiedName, Point] | None = None
    """The same of the archive."""


def timeline(seen: Watched) -> Timeline:
    """Return the picture of one set."""
    if seen.table is None:
        return Timeline(seen.policy, None, trouble=seen.unseen or (f"there is no table {seen.policy.parent}",))
    try:
        lines = grid(seen.policy, partitioned_table(seen.policy, seen.table))
        odd = list[Partition]()
        parts = placed(lines, seen.table, odd)
        gone = () if seen.here is None else due(seen.policy, seen.table, seen.here)[0]
        to_archive, next_there = tuple[Partition, ...](), None
        if seen.archive and seen.here is not None:
            sooner = replace(seen.policy, retention=seen.archive.archive_after)
            past, _ = due(sooner, seen.table, seen.here, "archive_after")
            next_there = _next_to_go(replace(lines, policy=sooner), parts, past, seen.here)
            # what was restored stays until it is asked for
            to_archive = tuple(part for part in past if part.name not in seen.restored)
        segments = sorted(_segments(seen, lines, parts, gone, to_archive), key=lambda one: _begin(one.range))
        going = None if seen.here is None else _next_to_go(lines, parts, gone, seen.here)
    except SchemaKitError as error:
        return Timeline(seen.policy, None, trouble=(*seen.unseen, error.reason))
    rest = [part for part in seen.table.partitions if part.default]
    for part in (*odd, *rest):
        segments.append(_segment("default" if part.default else "unknown", Range(None, None), part))
    return Timeline(seen.policy, lines, tuple(segments), seen.unseen, going, seen.archive, next_there)


def _begin(one: Range) -> tuple[bool, object]:
    return one.lower is not None, one.lower or 0


def _next_to_go(
    lines: Grid, parts: Placed, gone: Sequence[Partition], here: Point
) -> tuple[QualifiedName, Point] | None:
    """Found by halving: how far back a length of time reaches depends on where it begins."""
    left = [(taken, part) for taken, part in parts if part not in gone and taken.upper is not None]
    end = horizon(lines, here)
    if end is None or len(left) < 2:
        return None
    (taken, part), low = left[0], here
    high = here + (taken.upper - end) + (0 if lines.of_ids else timedelta(days=31))
    while high - low > (1 if lines.of_ids else timedelta(seconds=1)):
        middle = low + (high - low) // 2 if lines.of_ids else low + (high - low) / 2
        reach = horizon(lines, middle)
        low, high = (low, middle) if reach is not None and reach >= taken.upper else (middle, high)
    return part.name, high if lines.of_ids else high.replace(microsecond=0)


def _segments(
    seen: Watched, lines: Grid, parts: Placed, gone: Sequence[Partition], to_archive: Sequence[Partition]
) -> Iterator[Segment]:
    for taken, part in parts:
        what = state(part, taken, seen.here)
        if what == "past":  # what is due in both ways goes to the archive
            what = "to archive" if part in to_archive else "due" if part in gone else what
        yield _segment(what, taken, part)
    ahead = [] if seen.here is None else list(lines.ahead(seen.here))
    for stretch in besides(stretches(lines, parts, seen.here), ahead):
        yield Segment("gap", stretch, windows=sum(1 for _ in islice(windows_within(lines, stretch), MOST_AHEAD)))
    for window in missing(ahead, parts):
        yield Segment("missing", window, windows=1)


def _segment(what: str, taken: Range, part: Partition) -> Segment:
    rows = part.rows if part.rows >= 0 else None
    return Segment(what, taken, part.name, 1, 0, rows, part.bytes)


def folded(segments: Sequence[Segment]) -> list[Segment]:
    """Return what fits a screen: of long runs of one state the ends, and what is between as one; else the newest."""
    shown = list[Segment]()
    for _, found in groupby(segments, key=lambda one: one.state):
        run = list(found)
        between = run[_FIRST:-_LAST]
        shown += [*run[:_FIRST], together(between), *run[-_LAST:]] if len(between) > 1 else run
    if len(shown) <= _MOST:
        return shown
    return [together(shown[: 1 - _MOST]), *shown[1 - _MOST :]]


def together(segments: Sequence[Segment]) -> Segment:
    """Several as one: all that they hold, and nothing lost."""
    rows = [one.rows for one in segments]
    states = {one.state for one in segments}
    return replace(
        segments[0],
        state=states.pop() if len(states) == 1 else "several",
        range=Range(segments[0].range.lower, segments[-1].range.upper),
        name=None,
        partitions=sum(one.partitions for one in segments),
        windows=sum(one.windows for one in segments),
        rows=None if None in rows else sum(row for row in rows if row is not None),
        bytes=-1 if any(one.bytes < 0 for one in segments) else sum(one.bytes for one in segments),
    )
