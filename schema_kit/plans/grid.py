"""Where the partitions of a set belong: its interval, laid on the line of its key column."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from schema_kit.errors import DeclarationError, PlanError
from schema_kit.intervals import Ids, Interval, Point, Span, parse
from schema_kit.keys import Key, Numbers, WallClock, key_for
from schema_kit.model import Partition, Partitioning, Range, Table
from schema_kit.names import QualifiedName, fit, literal

MOST_AHEAD = 1000
"""Partitions kept ahead, at most: planning a query takes longer with each, and so does making them."""


@dataclass(frozen=True, slots=True)
class Grid:
    """The windows of a set. Its points are those of `key`: see keys.py."""

    policy: Partitioning
    interval: Interval
    key: Key

    @property
    def of_ids(self) -> bool:
        """Whether plain numbers are cut, which know no clock."""
        return isinstance(self.interval, Ids)

    def here(self, now: datetime, latest: Point | None = None) -> Point:
        """Where the present lies: at the clock; among plain numbers at the greatest one, or where they begin."""
        if isinstance(self.interval, Ids):
            return self.interval.origin if latest is None else latest
        return self.key.point(now)

    def windows(self, lower: Point, upper: Point) -> Iterator[Range]:
        """The windows that hold what lies from *lower* up to *upper*."""
        start = self.interval.floor(lower)
        while start < upper:
            following = self.interval.shift(start, 1)
            yield Range(start, following)
            start = following

    def ahead(self, here: Point, until: str | None = None) -> Iterator[Range]:
        """The window of the present and `premake` ones after it, or all up to *until*.

        Raises:
            DeclarationError: *until* is neither a date or time nor, among plain numbers, an id.
            PlanError: it are more than MOST_AHEAD, or they reach beyond the year 9999.
        """
        premake, parent = self.policy.premake, self.policy.parent
        if premake > MOST_AHEAD:
            raise PlanError(
                f"premake of {parent} is {premake}, and at most {MOST_AHEAD} partitions are kept ahead. "
                "Nothing was changed; lower it, or choose a longer interval. The premake of a set that is partitioned "
                f"already stands in schema_kit.part_config: UPDATE schema_kit.part_config SET premake = 4 WHERE "
                f"parent_table = {literal(str(parent))};"
            )
        end = None if until is None else self.read(until)
        try:
            start, number = self.interval.floor(here), 0
            while start < end if end is not None else number <= premake:
                following = self.interval.shift(start, 1)
                yield Range(start, following)
                start, number = following, number + 1
                if number > MOST_AHEAD + 1:
                    raise PlanError(
                        f"until {until} they would be more than {MOST_AHEAD}. Nothing was changed; name an earlier end"
                    )
        except PlanError as error:
            raise PlanError(f"{parent}, premake {premake}, at {self.shown(here)}: {error}") from error

    def read(self, text: str) -> Point:
        """A date or time on the policy's wall clock, or an id, as a person writes it.

        Raises:
            DeclarationError: it is none.
        """
        if self.of_ids:
            if not re.fullmatch(r"-?[0-9]{1,18}", text):
                raise DeclarationError(f"{text!r} is no id, and {self.policy.parent} is cut by ids")
            return int(text)
        try:
            moment = datetime.fromisoformat(text)
        except ValueError as error:
            raise DeclarationError(f"{text!r} is no date or time. Write 2027-12-31.") from error
        return self.key.point(moment if moment.tzinfo else moment.replace(tzinfo=self.policy.zone))

    def range_of(self, partition: Partition) -> Range:
        """A partition's range in points."""
        return Range(
            None if partition.lower is None else self.key.decode(partition.lower),
            None if partition.upper is None else self.key.decode(partition.upper),
        )

    def bounds(self, window: Range) -> tuple[str, str]:
        """A window's ends as texts of bounds."""
        assert window.lower is not None  # windows have two ends
        assert window.upper is not None
        return self.key.encode(window.lower), self.key.encode(window.upper)

    def partition_name(self, window: Range) -> QualifiedName:
        """pg_partman's name for a window: the parent's, then `_p` and the window's beginning."""
        assert window.lower is not None  # windows have two ends
        return self.policy.parent.sibling(fit(self.policy.parent.name, "_" + self.interval.suffix(window.lower)))

    def covered(self, window: Range, table: Table) -> bool:
        """Whether a partition of *table*, or several together, hold the whole window.

        Raises:
            PlanError: they hold a part of it.
        """
        return not self.missing([window], table)

    def missing(self, windows: Iterable[Range], table: Table) -> list[Range]:
        """Those of *windows* that no partition of *table* holds, and no several of them together.

        Raises:
            PlanError: partitions hold a part of one.
        """
        taken = [(self.range_of(partition), partition) for partition in table.partitions if not partition.default]
        first = [pair for pair in taken if pair[0].lower is None]
        # Partitions do not overlap, so only those from a window's beginning to its end can meet it.
        begins: list[Point] = [pair[0].lower for pair in taken if pair[0].lower is not None]
        ordered = {pair[0].lower: pair for pair in taken}
        begins.sort()
        found = []
        for window in windows:
            place = max(bisect_right(begins, window.lower) - 1, 0)
            around = [*first, *(ordered[begin] for begin in begins[place : bisect_left(begins, window.upper)])]
            held = [pair for pair in around if pair[0].overlaps(window)]
            if not held:
                found.append(window)
            elif not _together([pair[0] for pair in held], window):
                partition = held[0][1]
                raise PlanError(
                    f"{partition.name} holds {partition.lower} to {partition.upper}, which crosses the partition "
                    f"from {' to '.join(self.bounds(window))} that the policy of {table.name} asks for. Nothing "
                    "was changed; change the policy's interval, time zone or origin to match the partitions that "
                    "are there, or make those that are missing in the window as the others are."
                )
        return found

    def begins_at(self, point: Point | None) -> bool:
        """Whether a window begins there: an end of nothing is one of every grid."""
        return point is None or bool(self.interval.floor(point) == point)

    def shown(self, point: Point) -> str:
        """For people: as the policy's wall clock shows it, midnights without their hour."""
        if self.of_ids:
            return f"{point}"
        return str(point.astimezone(self.key.calendar).strftime("%Y-%m-%d %H:%M:%S")).removesuffix(" 00:00:00")


def _together(held: Iterable[Range], window: Range) -> bool:
    """Whether ranges, in their order, hold the whole window between them."""
    reach: Point = window.lower
    for one in held:
        if one.lower is not None and one.lower > reach:
            return False
        if one.upper is None or one.upper >= window.upper:
            return True
        reach = one.upper
    return False


def grid(policy: Partitioning, table: Table) -> Grid:
    """The windows of a set.

    Raises:
        DeclarationError: no such interval, time zone, origin or encoding.
        PlanError: there is no such column, or its type holds nothing that the interval cuts.
    """
    column = table.column(policy.control)
    if column is None:
        raise PlanError(f"{table.name} has no column {policy.control!r}. Nothing was changed.")
    key = key_for(column.type, policy.zone, policy.control, policy.encoding)
    interval = parse(policy.interval, key.calendar.key if key.calendar else "UTC", policy.origin)
    if isinstance(key, Numbers) is not isinstance(interval, Ids):
        raise PlanError(
            f"column {policy.control!r} of {table.name} is {column.type}"
            + (f" ({policy.encoding})" if policy.encoding else "")
            + f", and {policy.interval!r} "
            + (
                "is a number of ids. Write an interval of time: '1 month'. Nothing was changed."
                if isinstance(interval, Ids)
                else "is an interval of time. Write how many ids a partition takes ('100000'), or say with the "
                "policy's encoding how the column holds a moment ('milliseconds'). Nothing was changed."
            )
        )
    if isinstance(key, WallClock) and key.days and isinstance(interval, Span) and interval.clocked:
        raise PlanError(
            f"column {policy.control!r} of {table.name} is a date, and {policy.interval!r} is no number of whole days. "
            "Nothing was changed."
        )
    return Grid(policy, interval, key)
