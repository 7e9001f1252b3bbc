"""Where ranges of time begin and end. No clock and no I/O: the law tests run over every class here.

An interval cuts all of time into half-open windows. Two laws hold for any *key*, *start* and *count*,
as long as the windows lie within the years 1 to 9999:

    floor(key) <= key < shift(floor(key), 1)
    floor(shift(start, count)) == shift(start, count)          where start is a window's beginning

Windows begin at midnight of the policy's time zone, whatever the session's time zone is. Multiples are anchored to a
fixed origin (January of year 0 for months, Monday 2000-01-03 for days), never to the day on which a set was made:
else two sets planned on different days would overlap.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from schema_kit.errors import DeclarationError, PlanError

_ORIGIN = date(2000, 1, 3)


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
            "a partition would begin or end beyond the years 1 to 9999. Nothing was changed; look at the clock (or "
            "the moment that was given for it), the interval and premake."
        ) from error


class Interval(Protocol):
    """Cuts time into windows; see the laws in this module's docstring."""

    @property
    def zone(self) -> ZoneInfo:
        """Whose midnights begin the windows."""

    @property
    def text(self) -> str:
        """As PostgreSQL prints it under IntervalStyle postgres: pg_partman's spelling in part_config."""

    def floor(self, key: datetime) -> datetime:
        """The beginning of the window that holds *key*."""

    def shift(self, start: datetime, count: int) -> datetime:
        """The beginning of the window *count* windows after the one that begins at *start*."""

    def suffix(self, start: datetime) -> str:
        """pg_partman's name suffix for the window that begins at *start*."""


@dataclass(frozen=True, slots=True)
class Months:
    """Calendar months in a time zone, or any multiple of them: 3 is the calendar quarter, 12 the year."""

    count: int
    zone: ZoneInfo

    @property
    def text(self) -> str:
        """``1 mon``, ``3 mons``, ``1 year``, ``1 year 3 mons``."""
        years, months = divmod(self.count, 12)
        return " ".join(_plural(count, unit) for count, unit in ((years, "year"), (months, "mon")) if count)

    @_within_the_calendar()
    def floor(self, key: datetime) -> datetime:
        """The midnight that begins the month, quarter or year of *key*."""
        local = key.astimezone(self.zone)
        return _around(key, self, self._at((local.year * 12 + local.month - 1) // self.count * self.count))

    @_within_the_calendar()
    def shift(self, start: datetime, count: int) -> datetime:
        """*count* months, quarters or years later."""
        local = start.astimezone(self.zone)
        return self._at(local.year * 12 + local.month - 1 + count * self.count)

    def suffix(self, start: datetime) -> str:
        """``p20261101``."""
        return start.astimezone(self.zone).strftime("p%Y%m%d")

    def _at(self, month: int) -> datetime:
        return _midnight(date(month // 12, month % 12 + 1, 1), self.zone)


@dataclass(frozen=True, slots=True)
class Days:
    """Days in a time zone, or any multiple of them: 7 is the week that begins on Monday."""

    count: int
    zone: ZoneInfo

    @property
    def text(self) -> str:
        """``1 day``, ``7 days``."""
        return _plural(self.count, "day")

    @_within_the_calendar()
    def floor(self, key: datetime) -> datetime:
        """The midnight that begins the day or the block of days of *key*."""
        day = key.astimezone(self.zone).date()
        return _around(key, self, _midnight(day - timedelta((day - _ORIGIN).days % self.count), self.zone))

    @_within_the_calendar()
    def shift(self, start: datetime, count: int) -> datetime:
        """*count* days or blocks of days later."""
        return _midnight(_wall_date(start, self.zone) + timedelta(count * self.count), self.zone)

    def suffix(self, start: datetime) -> str:
        """``p20261121``."""
        return _wall_date(start, self.zone).strftime("p%Y%m%d")


def parse(text: str, timezone: str = "UTC") -> Interval:
    """Read ``1 month``, ``3 mons``, ``quarter``, ``1 year``, ``week``, ``7 days``.

    Args:
        text: a number and a unit; the number may be left out where it is 1.
        timezone: an IANA name; windows begin at its midnight.

    Raises:
        DeclarationError: no such interval or no such time zone.
    """
    try:
        zone = ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise DeclarationError(
            f"there is no time zone {timezone!r}. Give an IANA name such as 'Asia/Bangkok' or 'UTC'."
        ) from error
    match = re.fullmatch(r"\s*(?:(\d+)\s*)?(day|week|mon(?:th)?|quarter|year)s?\s*", text, re.IGNORECASE)
    both = re.fullmatch(r"\s*(\d+) years? (\d+) mons?\s*", text)  # as PostgreSQL prints 15 months
    if both:
        match = re.fullmatch(r"(\d+) (mon)", f"{int(both[1]) * 12 + int(both[2])} mon")
    count = int(match[1] or 1) if match else 0
    if match is None or not 1 <= count <= 1200:
        raise DeclarationError(
            f"{text!r} is no interval. Write a number and day, week, month, quarter or year: '1 month', '7 days'."
        )
    unit = match[2].lower()
    if unit in ("day", "week"):
        return Days(count * (7 if unit == "week" else 1), zone)
    return Months(count * {"quarter": 3, "year": 12}.get(unit, 1), zone)


def _plural(count: int, unit: str) -> str:
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    # Where daylight saving skips midnight, fold=0 names the instant at which the clock jumps: the day's true beginning.
    return datetime.combine(day, time(), zone)


def _around(key: datetime, cut: Interval, start: datetime) -> datetime:
    """The window that holds *key*, *start* being its beginning by the calendar.

    Where a clock went back over midnight, the calendar names the day twice, and the window may be the next one.
    """
    # Compared in UTC: two moments of one zone are compared by their wall clocks.
    moment, following = key.astimezone(UTC), cut.shift(start, 1)
    if following.astimezone(UTC) <= moment:
        return following
    return cut.shift(start, -1) if start.astimezone(UTC) > moment else start


def _wall_date(start: datetime, zone: ZoneInfo) -> date:
    return start.astimezone(zone).date()
