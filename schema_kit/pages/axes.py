"""Marks on axes: round sizes, dates on a clock, round numbers. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, tzinfo
from functools import partial

from schema_kit.sizes import pretty

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_ROUND = (1, 2, 5)
_HOURS, _DAYS, _CALENDAR = (1, 3, 6, 12), (1, 2, 7, 14), (1, 2, 3, 6, 12, 24, 60, 120, 600, 1200)


def sizes(most: float, marks: int = 3) -> list[tuple[int, str]]:
    """Sizes up to *most*, as psql prints them: 5000 kB and 10000 kB, at most *marks* of them."""
    if most <= 0:
        return []
    for unit in (1, 1 << 10, 1 << 20, 1 << 30, 1 << 40, 1 << 50, 1 << 60):
        for times in (10, 100, 1000):
            for digit in _ROUND:
                step = digit * times * unit
                if most / step < marks + 1:
                    return [(n * step, pretty(n * step)) for n in range(1, int(most / step) + 1)]
    return []


def numbers(least: int, most: int, marks: int = 5) -> list[tuple[int, str]]:
    """Round numbers from *least* to *most*."""
    step, times = 1, 1
    while (most - least) / step > marks:
        step = next((digit * times for digit in _ROUND if (most - least) / (digit * times) <= marks), step)
        times *= 10
    return [(n * step, f"{n * step:,}") for n in range(-(-least // step), most // step + 1)]


def dates(begin: datetime, end: datetime, zone: tzinfo, marks: int = 6) -> list[tuple[datetime, str]]:
    """Hours, days, months or years from *begin* to *end* on the clock of *zone*, at most *marks* of them.

    Args:
        begin: the first moment of the axis, aware.
        end: the last one.
        zone: whose clock.
        marks: how many at most.
    """
    for found in _steps(begin.astimezone(zone), end, zone):
        if len(found) <= marks:
            return found
    return []


def _steps(begin: datetime, end: datetime, zone: tzinfo) -> Iterator[list[tuple[datetime, str]]]:
    midnight = begin.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    span = end - begin
    for hours in _HOURS:
        if span < timedelta(days=5):
            yield _marks(midnight, partial(_sooner, hours), begin, end, zone, _hour)
    for days in _DAYS:
        if span < timedelta(days=100):
            first = midnight - timedelta(days=midnight.toordinal() % days if days < 7 else midnight.weekday())
            yield _marks(first, partial(_sooner, 24 * days), begin, end, zone, day)
    for months in _CALENDAR:
        if midnight.year > 1:
            number = (midnight.year * 12 + midnight.month - 1) // months * months
            first = midnight.replace(year=max(number // 12, 1), month=number % 12 + 1, day=1)
            yield _marks(first, partial(_later, months), begin, end, zone, _month if months < 12 else _year)


def _marks(
    first: datetime,
    following: Callable[[datetime], datetime],
    begin: datetime,
    end: datetime,
    zone: tzinfo,
    label: Callable[[datetime], str],
) -> list[tuple[datetime, str]]:
    found, at = list[tuple[datetime, str]](), first
    while (moment := at.replace(tzinfo=zone)) <= end and len(found) < 100:
        if moment >= begin:
            found.append((moment, label(at)))
        try:
            at = following(at)
        except (ValueError, OverflowError):  # the calendar ends
            break
    return found


def _sooner(hours: int, at: datetime) -> datetime:
    return at + timedelta(hours=hours)


def _later(months: int, at: datetime) -> datetime:
    number = at.year * 12 + at.month - 1 + months
    return at.replace(year=number // 12, month=number % 12 + 1)


def day(at: datetime) -> str:
    """``3 Nov``."""
    return f"{at.day} {MONTHS[at.month - 1]}"


def _hour(at: datetime) -> str:
    return f"{at:%H:%M}" if at.hour else day(at)


def _month(at: datetime) -> str:
    return f"{MONTHS[at.month - 1]} {at.year}" if at.month == 1 else MONTHS[at.month - 1]


def _year(at: datetime) -> str:
    return str(at.year)
