"""The boundaries of a partitioned table: its interval, applied to its partition key."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from schema_kit.errors import DeclarationError, PlanError
from schema_kit.intervals import Ids, Interval, Point, Span, parse
from schema_kit.keys import BeyondCalendar, Key, Numbers, WallClock, key_for
from schema_kit.model import Partition, Partitioning, Range, Table
from schema_kit.model.tables import Strategy
from schema_kit.names import TABLE_BYTES, QualifiedName, fit, literal

MOST_AHEAD = 1000
"""Partitions kept ahead, at most: planning a query takes longer with each, and so does making them."""


FAR = 36
"""Ranges without a partition that count as a gap when a default partition exists: more come from one odd row."""

_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Grid:
    """The ranges of a partitioned table. Its points are those of `key`: see keys.py."""

    policy: Partitioning
    interval: Interval
    key: Key

    @property
    def of_ids(self) -> bool:
        """Whether the key holds plain numbers, which know no clock."""
        return isinstance(self.interval, Ids)

    def here(self, now: datetime, latest: Point | None = None) -> Point:
        """Return the current position: the clock's; among plain numbers the greatest one, or where they begin."""
        if isinstance(self.interval, Ids):
            return self.interval.origin if latest is None else latest
        return self.key.point(now)

    def floor(self, point: Point) -> Point:
        """Return the beginning of the window that holds *point*; the first one begins where the line does.

        Raises:
            PlanError: it lies at the end of the calendar.
        """
        least = self.key.least
        try:
            start = self.interval.floor(point)
        except PlanError:
            if least is None or self.after(least) <= point:
                raise
            return least
        start = start if least is None else max(start, least)
        return self.floor(self.key.greatest) if self.ends(start) else start

    def after(self, start: Point) -> Point:
        """Return where the window ends that begins at *start*: behind the end of the line, where that lies in it."""
        try:
            return self.interval.shift(start, 1)
        except PlanError:
            return _NEVER

    def window(self, point: Point) -> Range:
        """Return the window that holds *point*."""
        start = self.floor(point)
        return Range(start, self.after(start))

    def ends(self, point: Point) -> bool:
        """Return whether it lies behind all that a bound can say, so that a window that would end there has no end."""
        return self.key.greatest is not None and bool(point > self.key.greatest)

    def windows(self, lower: Point, upper: Point | None) -> Iterator[Range]:
        """Yield the ranges that hold what lies from *lower* up to *upper*, or to the end of the line."""
        start = self.floor(lower)
        while (upper is None or start < upper) and not self.ends(start):
            following = self.after(start)
            yield Range(start, following)
            start = following

    def ahead(self, here: Point, until: str | None = None) -> Iterator[Range]:
        """Yield the current range and the `premake` ones after it, or all up to *until*; no more than the type holds.

        Raises:
            DeclarationError: *until* is neither a date or time nor, among plain numbers, an id.
            PlanError: it are more than MOST_AHEAD.
        """
        premake, parent = self.policy.premake, self.policy.parent
        if premake > MOST_AHEAD:
            raise PlanError(
                f"premake of {parent} is {premake}, and at most {MOST_AHEAD} partitions are kept ahead. Lower it, or "
                "choose a longer interval. The premake of a table that is partitioned already is in "
                "schema_kit.part_config: UPDATE schema_kit.part_config SET premake = 4 WHERE parent_table = "
                f"{literal(str(parent))};"
            )
        end = None if until is None else self.read(until)
        try:
            for number, window in enumerate(self.windows(here, end)):
                if end is None and number > premake:
                    break
                if number > MOST_AHEAD:
                    raise PlanError(f"until {until} they would be more than {MOST_AHEAD}. Name an earlier end")
                yield window
        except PlanError as error:
            raise PlanError(f"{parent}, premake {premake}, at {self.shown(here)}: {error}") from error

    def read(self, text: str) -> Point:
        """Return a date or time on the policy's wall clock, or an id, as a person writes it.

        Raises:
            DeclarationError: it cannot be read.
        """
        if self.of_ids:
            if not re.fullmatch(r"-?[0-9]{1,1000}", text):
                raise DeclarationError(f"{text!r} is not an id, and {self.policy.parent} is partitioned by ids")
            return int(text)
        try:
            moment = datetime.fromisoformat(text)
        except ValueError as error:
            raise DeclarationError(f"{text!r} is not a date or time. Write 2027-12-31.") from error
        return self.key.point(moment if moment.tzinfo else moment.replace(tzinfo=self.policy.zone))

    def range_of(self, partition: Partition) -> Range:
        """Return a partition's range in points; what lies beyond the calendar is clipped.

        Raises:
            PlanError: a bound cannot be planned with.
        """
        return Range(
            None if partition.lower is None else self._end(partition.lower, None, _NEVER),
            None if partition.upper is None else self._end(partition.upper, self.key.least, None),
        )

    def _end(self, text: str, before: Point | None, after: Point | None) -> Point | None:
        try:
            return self.key.decode(text)
        except BeyondCalendar as error:
            return after if error.after else before

    def bounds(self, window: Range) -> tuple[str, str | None]:
        """Return a range's ends as texts of bounds; the second is None where the line ends in it: MAXVALUE."""
        assert window.lower is not None  # ranges have two ends
        return self.key.encode(window.lower), self.upper(window.upper)

    def upper(self, point: Point) -> str | None:
        """Return where a window ends, as the text of a bound; None behind the end of the line."""
        return None if self.ends(point) else self.key.encode(point)

    def partition_name(self, window: Range) -> QualifiedName:
        """pg_partman's name for a window: the parent's, then `_p` and the window's beginning."""
        assert window.lower is not None  # ranges have two ends
        suffix = "_" + self.interval.suffix(window.lower)
        return self.policy.parent.sibling(fit(self.policy.parent.name, suffix, TABLE_BYTES))

    def covered(self, window: Range, table: Table) -> bool:
        """Return whether a partition of *table*, or several together, hold the whole window.

        Raises:
            PlanError: they hold a part of it.
        """
        return not self.missing([window], table)

    def missing(self, windows: Iterable[Range], table: Table) -> list[Range]:
        """Return those of *windows* that no partition of *table* holds, and no several of them together.

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
            elif not together([pair[0] for pair in held], window):
                partition = held[0][1]
                raise PlanError(
                    f"{partition.name} holds {self.span(partition)}, which crosses the partition from "
                    f"{self.told(window)} that the policy of {table.name} asks for. Change the policy's interval, time "
                    "zone or origin to match the partitions that exist, or make those that are missing in the "
                    "window as the others are."
                )
        return found

    def begins_at(self, point: Point | None) -> bool:
        """Return whether a range begins there: an open end is on every boundary, and so is the end of the line."""
        if point is None or (self.key.least is not None and point <= self.key.least) or self.ends(point):
            return True
        return bool(self.floor(point) == point)

    def told(self, held: Range) -> str:
        """Return a range, for people."""
        lower = "MINVALUE" if held.lower is None else self.shown(held.lower)
        return f"{lower} to {'MAXVALUE' if held.upper is None else self.shown(held.upper)}"

    def span(self, partition: Partition) -> str:
        """Return a partition's range, for people; as PostgreSQL prints it where a bound cannot be planned with."""
        ends = partition.lower, partition.upper
        try:
            return self.told(Range(*(None if end is None else self.key.decode(end) for end in ends)))
        except PlanError:
            return f"{partition.lower or 'MINVALUE'} to {partition.upper or 'MAXVALUE'}"

    def shown(self, point: Point) -> str:
        """For people: as the policy's wall clock shows it, midnights without their hour; MAXVALUE behind the end."""
        if self.ends(point):
            return "MAXVALUE"
        if self.of_ids:
            return f"{point}"
        wall = point.astimezone(self.key.calendar).replace(tzinfo=None)
        return str(wall.isoformat(" ")).removesuffix(" 00:00:00")


def together(held: Iterable[Range], window: Range) -> bool:
    """Return whether ranges, in their order, hold the whole window between them."""
    reach: Point = window.lower
    for one in held:
        if one.lower is not None and one.lower > reach:
            return False
        if one.upper is None or one.upper >= window.upper:
            return True
        reach = one.upper
    return False


def grid(policy: Partitioning, table: Table) -> Grid:
    """Return the boundaries of a partitioned table.

    Raises:
        DeclarationError: no such interval, time zone, origin or encoding.
        PlanError: the column does not exist, or the interval cannot divide its type.
    """
    column = table.column(policy.control)
    if column is None:
        raise PlanError(f"{table.name} has no column {policy.control!r}.")
    key = key_for(column.type, policy.zone, policy.control, policy.encoding)
    interval = parse(policy.interval, key.calendar.key if key.calendar else "UTC", policy.origin)
    if isinstance(key, Numbers) is not isinstance(interval, Ids):
        raise PlanError(
            f"column {policy.control!r} of {table.name} is {column.type}"
            + (f" ({policy.encoding})" if policy.encoding else "")
            + f", and {policy.interval!r} "
            + (
                "is a number of ids. Write an interval of time: '1 month'."
                if isinstance(interval, Ids)
                else "is an interval of time. Write how many ids a partition takes ('100000'), or say with the "
                "policy's encoding how the column holds a moment ('milliseconds')."
            )
        )
    if isinstance(key, WallClock) and key.days and isinstance(interval, Span) and interval.clocked:
        raise PlanError(
            f"column {policy.control!r} of {table.name} is a date, and {policy.interval!r} is not whole days."
        )
    return Grid(policy, interval, key)


def partitioned_table(policy: Partitioning, table: Table | None) -> Table:
    """Return the table, if it is partitioned as the policy says.

    Raises:
        PlanError: it is not.
    """
    if table is None:
        raise PlanError(f"{policy.parent} is registered in part_config, but there is no such table.")
    if not table.partition_strategy:
        raise PlanError(f"{policy.parent} is a plain table. Convert it first (op.convert_to_partitioned).")
    if table.partition_strategy != Strategy.RANGE or table.partitioned_by != (policy.control,):
        raise PlanError(
            f"{policy.parent} is not partitioned by RANGE ({policy.control}): its key is "
            f"{ {'r': 'RANGE', 'l': 'LIST', 'h': 'HASH'}[table.partition_strategy] } "
            f"({', '.join(table.partitioned_by)})."
        )
    return table
