"""The layout of a partitioned table: its partitions in order, its gaps, what lies ahead and what has passed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from schema_kit.errors import PlanError
from schema_kit.intervals import Ids, Interval, Point, parse
from schema_kit.model import Partition, Range, Stray, Table
from schema_kit.model.grid import FAR, MOST_AHEAD, Grid, together
from schema_kit.names import QualifiedName

Placed = tuple[tuple[Range, Partition], ...]
"""Partitions in the order of their ranges."""


def placed(lines: Grid, table: Table, unreadable: list[Partition] | None = None) -> Placed:
    """Return the partitions in order, without the default one, each with its range in points.

    Args:
        lines: the table's boundaries.
        table: the partitioned table.
        unreadable: takes the partitions with bounds that cannot be planned with.

    Raises:
        PlanError: a bound cannot be planned with, and *unreadable* does not take it.
    """
    found = []
    for partition in table.partitions:
        try:
            found += [] if partition.default else [(lines.range_of(partition), partition)]
        except PlanError:
            if unreadable is None:
                raise
            unreadable.append(partition)
    return tuple(sorted(found, key=lambda each: (each[0].lower is not None, each[0].lower or 0)))


def stretches(lines: Grid, parts: Placed, here: Point | None, since: Point | None = None) -> Iterator[Range]:
    """Yield where no partition is: from the oldest one to the newest, but no further than is kept ahead.

    What the policy's retention has taken out is nothing that is missing.

    Args:
        lines: the table's boundaries.
        parts: its partitions.
        here: the current position, where that is known.
        since: where to begin instead of the oldest partition.
    """
    end = None if here is None else lines.floor(here)
    last = None if here is None else list(lines.ahead(here))[-1].upper
    reach = since if since is not None else parts[0][0].lower if parts else end
    kept = None if since is not None or here is None else horizon(lines, here)
    reach = reach if kept is None or reach is None else max(reach, lines.floor(kept))
    taken = [one for one, _ in parts if reach is None or one.upper is None or one.upper > reach]
    for one in (*taken, Range(end, None)):
        until = one.lower if last is None or one.lower is None else min(one.lower, last)
        if reach is not None and until is not None and until > reach:
            yield Range(reach, until)
        if one.upper is None or (last is not None and one.upper >= last):
            return
        reach = one.upper if reach is None else max(reach, one.upper)


def horizon(lines: Grid, here: Point, what: str = "retention") -> Point | None:
    """Return what ends at or before this has outlived its retention; None where everything is kept.

    Raises:
        DeclarationError: the retention cannot be read.
        PlanError: it is shorter than a partition.
    """
    text = lines.policy.retention
    return None if text is None else lines.interval.back(here, _retention(lines, text, here, what))


_LONGER = {
    "retention": "op.set_partition_policy",
    "archive_after": "op.set_archive_policy",
    "cold_after": "op.set_archive_policy",
}


def _retention(lines: Grid, text: str, here: Point, what: str) -> Interval:
    parent = lines.policy.parent
    length = parse(text, lines.key.calendar.key if lines.key.calendar else "UTC")
    if isinstance(length, Ids) is not lines.of_ids:
        write = "how many ids are kept: '1000000'" if lines.of_ids else "a length of time: '90 days'"
        raise PlanError(f"{what} of {parent} is {text!r}. Write {write}.")
    start = lines.floor(here)
    for back in range(13):  # months differ
        window = lines.interval.shift(start, -back)
        end = lines.after(window)
        if lines.interval.back(end, length) > window:
            raise PlanError(
                f"{what} of {parent} is {text}, shorter than a partition ({lines.interval.text}): it would retire what "
                f"is written to. {_LONGER[what]} gives it a longer one."
            )
    return length


def reach(lines: Grid, table: Table, here: Point) -> Point:
    """Return the point up to which rows get partitions: as far as is kept ahead, or as partitions exist already."""
    uppers = [lines.range_of(part).upper for part in table.partitions if not part.default]
    end: Point = list(lines.ahead(here))[-1].upper
    return max([end, *(upper for upper in uppers if upper is not None)])


def stay(strays: Sequence[Stray], source: QualifiedName, parent: QualifiedName) -> tuple[str, ...]:
    """Return which rows get no partition, for people."""
    return tuple(
        f"{stray.told} of {source} get no partition: they lie farther ahead than partitions are kept, or beyond what "
        f"can be planned with. If they are right, schema_kit partitions drain-default {parent} --until ... gives those "
        "up to there partitions; else correct or delete them"
        for stray in strays
    )


def around(lines: Grid, filled: Sequence[Range], whole: Range, most: int) -> Iterator[Range]:
    """Yield the ranges of *whole* that rows lie in, and those between; as one, where they are more than *most*.

    Args:
        lines: the table's boundaries.
        filled: the ranges that rows lie in, in order.
        whole: what they are to hold, end to end; without an end it is as far as the rows reach.
        most: ranges without a row that are yielded one by one.
    """
    reached: Point | None = whole.lower
    for window in (*(one for one in filled if one.overlaps(whole)), whole.upper):
        begin = window.lower if isinstance(window, Range) else window
        if reached is not None and begin is not None and begin > reached:
            between = list(islice(lines.windows(reached, begin), most + 1))
            yield from between if len(between) <= most else [Range(reached, begin)]
        if isinstance(window, Range):
            yield window
            reached = window.upper


def besides(found: Iterable[Range], ahead: Sequence[Range]) -> Iterator[Range]:
    """Yield the gaps without the ranges ahead, which are reported one by one."""
    for one in found:
        if not ahead:
            yield one
            continue
        first, last = ahead[0].lower, ahead[-1].upper
        assert first is not None  # ranges have two ends
        assert last is not None
        if one.lower is not None and one.lower < first:
            yield Range(one.lower, first if one.upper is None else min(one.upper, first))
        if one.lower is not None and one.upper is not None and one.upper > last:
            yield Range(max(one.lower, last), one.upper)


def wide(lines: Grid, stretch: Range, *, default: bool) -> bool:
    """Return whether a gap holds more ranges than are made without being asked for.

    With a default partition its rows have a place, and one that comes gets its partition by itself; so many ranges
    come from one odd row. Without one they would be refused, and as many are made as a run makes.
    """
    windows = windows_within(lines, stretch)
    return next(islice(windows, FAR if default else MOST_AHEAD, None), None) is not None


def windows_within(lines: Grid, stretch: Range) -> Iterator[Range]:
    """Yield the ranges that lie wholly in a gap: a partition crosses those that reach out of it."""
    assert stretch.upper is not None  # stretches have two ends
    return (window for window in lines.windows(stretch.lower, stretch.upper) if stretch.covers(window))


def missing(windows: Sequence[Range], parts: Placed) -> list[Range]:
    """Return those of the ranges that no partition holds, wholly or in part."""
    if not windows:
        return []
    late = [one for one, _ in parts if one.upper is None or one.upper > windows[0].lower]
    return [window for window in windows if not any(one.overlaps(window) for one in late)]


def held_in_part(window: Range, parts: Placed) -> bool:
    """Return whether partitions hold some of a window and not all of it: nothing can be made there."""
    held = [one for one, _ in parts if one.overlaps(window)]
    return bool(held) and not together(held, window)


def state(partition: Partition, taken: Range, here: Point | None) -> str:
    """Return default, detach pending, premade, current or past; unknown where the current position is unknown."""
    if partition.default or partition.detach_pending:
        return "default" if partition.default else "detach pending"
    if here is None:
        return "unknown"
    if taken.lower is not None and taken.lower > here:
        return "premade"
    return "past" if taken.upper is not None and taken.upper <= here else "current"
