"""Ranges of time and of ids: where they begin and end. No clock and no I/O; the law tests run over every class here.

An interval divides a line into half-open ranges. Two laws hold for any *key*, *start* and *count*, as long as the
ranges lie within the years 1 to 9999:

    floor(key) <= key < shift(floor(key), 1)
    floor(shift(start, count)) == shift(start, count)          where start is a range's beginning

Ranges of time follow the wall clock of the policy's time zone, whatever the session's time zone is: a range
begins when that clock first shows its label, or a later one where the label is skipped. So days begin at midnight and
half days at noon on every day of the year, and the range in which a clock goes back is longer by what is repeated.

Multiples are anchored to a fixed origin (January of year 0 for months, Monday 2000-01-03 for days and hours, 0 for ids)
or to the one that the policy names, never to the day on which a table was made: else ranges planned on different days
would overlap.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any, Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from schema_kit.errors import DeclarationError, PlanError

Point = Any
"""Where something lies on the line that an interval divides: an aware datetime, or an int in a line of ids."""

_MONDAY = datetime(2000, 1, 3)


@contextmanager
def _within_the_calendar() -> Iterator[None]:
    """Python's dates end with the year 9999, and its messages do not say what to do.

    Raises:
        PlanError: a date beyond the years 1 to 9999 is needed.
    """
    try:
        yield
    except (ValueError, OverflowError) as error:
        raise PlanError(
            "a partition would begin or end beyond the years 1 to 9999. Look at the clock (or the moment that was "
            "given for it), the interval and premake."
        ) from error


class Interval(Protocol):
    """Divides a line into ranges; see the laws in this module's docstring."""

    @property
    def text(self) -> str:
        """As PostgreSQL prints it under IntervalStyle postgres: pg_partman's spelling in part_config."""

    def floor(self, key: Point) -> Point:
        """Return the beginning of the window that holds *key*."""

    def shift(self, start: Point, count: int) -> Point:
        """Return the beginning of the window *count* labels after the one that begins at *start*.

        Where a clock skips a whole label, that window is empty: it begins where the next one does.
        """

    def back(self, point: Point, length: Interval) -> Point:
        """Return the point that lies *length* before *point*: where retention ends."""

    def suffix(self, start: Point) -> str:
        """pg_partman's name suffix for the window that begins at *start*."""


@dataclass(frozen=True, slots=True)
class Months:
    """Calendar months by a wall clock, or any multiple of them: 3 is the calendar quarter, 12 the year."""

    count: int
    zone: ZoneInfo
    first: int = 0
    """Which month begins a window, counted from January of year 0 and less than `count`."""
    day: int = 1
    """Which day of it."""

    @property
    def text(self) -> str:
        """``1 mon``, ``3 mons``, ``1 year``, ``1 year 3 mons``."""
        years, months = divmod(self.count, 12)
        return " ".join(_plural(count, unit) for count, unit in ((years, "year"), (months, "mon")) if count)

    @_within_the_calendar()
    def floor(self, key: datetime) -> datetime:
        """Return the midnight that begins the month, quarter or year of *key*."""
        return _around(key, self, self._begin(self._number(key.astimezone(self.zone))))

    @_within_the_calendar()
    def shift(self, start: datetime, count: int) -> datetime:
        """*count* months, quarters or years later."""
        return self._begin(self._number(start.astimezone(self.zone)) + count)

    @_within_the_calendar()
    def back(self, point: datetime, length: Interval) -> datetime:
        """By the calendar: a month before 31 March is the last day of February."""
        return _back(point, self.zone, length)

    def suffix(self, start: datetime) -> str:
        """``p20261101``."""
        return start.astimezone(self.zone).strftime("p%Y%m%d")

    def _number(self, local: datetime) -> int:
        return (local.year * 12 + local.month - 1 - (local.day < self.day) - self.first) // self.count

    def _begin(self, number: int) -> datetime:
        month = self.first + number * self.count
        return first_shown(datetime(month // 12, month % 12 + 1, self.day), self.zone)


@dataclass(frozen=True, slots=True)
class Span:
    """Days, hours or minutes by a wall clock, or any multiple of them: 7 days are the week that begins on Monday."""

    length: timedelta
    zone: ZoneInfo
    origin: datetime = _MONDAY

    @property
    def text(self) -> str:
        """``1 day``, ``7 days``, ``01:00:00``, ``36:00:00``."""
        if self.length % timedelta(days=1) == timedelta():
            return _plural(self.length.days, "day")
        minutes, seconds = divmod(self.length // timedelta(seconds=1), 60)
        return f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}"

    @property
    def clocked(self) -> bool:
        """Whether some ranges begin at another hour than midnight."""
        return self.length % timedelta(days=1) != timedelta() or self.origin.time() != time()

    @_within_the_calendar()
    def floor(self, key: datetime) -> datetime:
        """When the clock first showed the label of the day, the hour or the block of them in which *key* lies."""
        wall = key.astimezone(self.zone).replace(tzinfo=None)
        label = wall - (wall - self.origin) % self.length
        return _around(key, self, first_shown(label, self.zone))

    @_within_the_calendar()
    def shift(self, start: datetime, count: int) -> datetime:
        """*count* labels later."""
        wall = start.astimezone(self.zone).replace(tzinfo=None)
        ahead = count * self.length - (wall - self.origin) % self.length  # the label itself may lie before the year 1
        return first_shown(wall + ahead, self.zone)

    @_within_the_calendar()
    def back(self, point: datetime, length: Interval) -> datetime:
        """By the wall clock."""
        return _back(point, self.zone, length)

    def suffix(self, start: datetime) -> str:
        """``p20261121``, or ``p20261121_130000`` where ranges do not begin at midnight."""
        return start.astimezone(self.zone).strftime("p%Y%m%d_%H%M%S" if self.clocked else "p%Y%m%d")


@dataclass(frozen=True, slots=True)
class Ids:
    """Ranges of whole numbers."""

    count: int
    origin: int = 0

    @property
    def text(self) -> str:
        """``10000``."""
        return str(self.count)

    def floor(self, key: int) -> int:
        """Return the first id of the range that holds *key*."""
        return key - (key - self.origin) % self.count

    def shift(self, start: int, count: int) -> int:
        """*count* ranges after the one that holds *start*."""
        return self.floor(start) + count * self.count

    def back(self, point: int, length: Interval) -> int:
        """So many ids before."""
        assert isinstance(length, Ids)  # the policy has seen to it
        return point - length.count

    def suffix(self, start: int) -> str:
        """``p920000``."""
        return f"p{start}"


_UNITS = {
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
}
_WORDS = {"min": "minute", "mon": "month"}


def parse(text: str, timezone: str = "UTC", origin: str | None = None) -> Interval:
    """Read ``1 month``, ``3 mons``, ``quarter``, ``1 year``, ``week``, ``7 days``, ``15 minutes``, ``10000``.

    Args:
        text: a number and a unit (the number may be left out where it is 1), or a number of ids.
        timezone: an IANA name; ranges of time follow its wall clock.
        origin: where some window begins, as that wall clock shows it: ``2026-02-01`` and ``3 months`` begin in
            February, May, August and November, ``2000-01-02`` and ``1 week`` on Sundays. An id, where ids are divided.

    Raises:
        DeclarationError: no such interval, time zone or origin.
    """
    try:
        zone = ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise DeclarationError(
            f"there is no time zone {timezone!r}. Give an IANA name such as 'Asia/Bangkok' or 'UTC'."
        ) from error
    found = _ids(text, origin) or _months(text, zone, origin) or _span(text, zone, origin)
    if found is None:
        raise DeclarationError(
            f"{text!r} is not an interval. Write a number and minute, hour, day, week, month, quarter or year: "
            "'1 month', '7 days', '15 minutes'; or for a key of plain numbers how many: '10000'."
        )
    return found


def _ids(text: str, origin: str | None) -> Interval | None:
    if not re.fullmatch(r"[0-9]{1,18}", text.strip()) or int(text) < 1:
        return None
    if origin is not None and not re.fullmatch(r"-?[0-9]{1,18}", origin.strip()):
        raise DeclarationError(f"{origin!r} is not an id, and ranges of ids need one as their origin: '1'.")
    return Ids(int(text), int(origin or 0) % int(text))


def _months(text: str, zone: ZoneInfo, origin: str | None) -> Interval | None:
    one = re.fullmatch(r"\s*(?:(\d{1,9})\s*)?(mon|month|quarter|year)s?\s*", text, re.IGNORECASE)
    both = re.fullmatch(r"\s*(\d{1,9}) years? (\d{1,9}) mons?\s*", text)  # as PostgreSQL prints 15 months
    if both:
        count = int(both[1]) * 12 + int(both[2])
    elif one:
        count = int(one[1] or 1) * {"quarter": 3, "year": 12}.get(one[2].lower(), 1)
    if not (both or one) or not 1 <= count <= 1200 * 12:
        return None
    if origin is None:
        return Months(count, zone)
    begin = _moment(origin)
    if begin.time() != time() or begin.day > 28:
        raise DeclarationError(
            f"{origin!r} cannot be where months begin: write a day that each month has, 1 to 28, without a time."
        )
    return Months(count, zone, (begin.year * 12 + begin.month - 1) % count, begin.day)


def _span(text: str, zone: ZoneInfo, origin: str | None) -> Interval | None:
    one = re.fullmatch(r"\s*(?:(\d{1,9})\s*)?(min|minute|hour|day|week)s?\s*", text, re.IGNORECASE)
    clock = re.fullmatch(r"\s*(?:(\d{1,9}) days? )?(\d{1,9}):([0-5]\d):([0-5]\d)\s*", text)
    if clock:
        days, hours, minutes, seconds = (int(part or 0) for part in clock.groups())
        length = timedelta(days, hours=hours, minutes=minutes, seconds=seconds)
    elif one:
        unit = one[2].lower()
        length = int(one[1] or 1) * _UNITS[_WORDS.get(unit, unit)]
    else:
        return None
    if not timedelta(minutes=1) <= length <= timedelta(days=366 * 1200):
        return None
    return Span(length, zone, _MONDAY + (_moment(origin or _MONDAY.isoformat()) - _MONDAY) % length)


def _moment(origin: str) -> datetime:
    try:
        moment = datetime.fromisoformat(origin)
    except ValueError as error:
        raise DeclarationError(f"{origin!r} is not a date or time. Write the origin as '2026-02-01'.") from error
    if moment.tzinfo:
        raise DeclarationError(f"{origin!r}: the origin is what the wall clock shows; leave its offset out.")
    return moment


def first_shown(label: datetime, zone: ZoneInfo) -> datetime:
    """When the wall clock of *zone* first shows *label*, or a later time where it skips it."""
    moment = label.replace(tzinfo=zone)
    if moment.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == label:
        return moment.astimezone(UTC)  # two moments of one zone would be compared by their wall clocks
    # In a gap: the clock jumps somewhere between what it shows with the offset after and with that before.
    low, high = moment.replace(fold=1).astimezone(UTC), moment.astimezone(UTC)
    before = low.astimezone(zone).utcoffset()
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) / 2
        low, high = (middle, high) if middle.astimezone(zone).utcoffset() == before else (low, middle)
    return high.replace(microsecond=0)


def _plural(count: int, unit: str) -> str:
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"


def _around(key: datetime, cut: Interval, start: datetime) -> datetime:
    """Return the window that holds *key*, *start* being its beginning by the label that the clock shows.

    Where a clock goes back, it shows labels again whose ranges have passed: the key lies in a later one.
    """
    moment, back = key.astimezone(UTC), 0
    while start > moment:
        back += 1
        start = cut.shift(start, -back)
    while True:
        try:
            following = cut.shift(start, 1)
        except PlanError:
            return start  # the calendar ends in it
        if following > moment:
            return start
        start = following


def _back(point: datetime, zone: ZoneInfo, length: Interval) -> datetime:
    wall = point.astimezone(zone).replace(tzinfo=None)
    if isinstance(length, Months):
        month = wall.year * 12 + wall.month - 1 - length.count
        first = wall.replace(year=month // 12, month=month % 12 + 1, day=1)
        last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
        return first_shown(first.replace(day=min(wall.day, last.day)), zone)
    assert isinstance(length, Span)  # the policy has seen to it
    return first_shown(wall - length.length, zone)
