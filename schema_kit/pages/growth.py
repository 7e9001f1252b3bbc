"""How tables grow, by their partitions or by snapshots of their sizes, and when the disk is full. Pure."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from statistics import median_low

from schema_kit.model import Size
from schema_kit.pages.forecast import MOST, SHORTEST, Trend, fit

DAYS = (*range(1, 92), *range(112, 5 * 365 + 22, 21))
"""How many days ahead is looked: each of three months, then every three weeks up to five years."""

_DAY = timedelta(days=1)
_LONG = 28
"""Days of history that few partitions have to hold together."""

_LIKELY = 1.28
"""Standard errors to both sides that hold four of five outcomes."""

_SEASONS = ((1 / 24, 24), (1.0, 7), (7.0, 52), (30.44, 12), (91.3, 4))
"""Steps in days, and how many of them the season that they are likely to have takes."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What a partition holds: rows of a span of time."""

    lower: datetime
    upper: datetime
    bytes: int


@dataclass(frozen=True, slots=True)
class Sample:
    """The size of a table, or of the database, as a snapshot has it."""

    at: datetime
    bytes: int
    rows: int = 0
    partitions: int = 0


@dataclass(frozen=True, slots=True)
class History:
    """What is known of a table's past.

    Args:
        size: now.
        pieces: its partitions by time, where it has them.
        samples: snapshots, the oldest first.
        leaves_after: how long after its end a partition is dropped or goes to an archive; None: it stays.
        archived: it goes to an archive in this database, so that the room stays taken.
    """

    size: Size
    pieces: Sequence[Piece] = ()
    samples: Sequence[Sample] = ()
    leaves_after: timedelta | None = None
    archived: bool = False


@dataclass(frozen=True, slots=True)
class Growth:
    """How a table has grown, and how it goes on.

    Args:
        basis: what it is computed from: ``24 partitions``; empty where it is unknown.
        size: now.
        recent: bytes that came in the period; None: not known.
        before: those of the period before it.
        past: bytes a day, step by step, or sizes where snapshots tell.
        ahead: the same for as many steps, at most twelve.
        curve: bytes that it has after each of DAYS.
        low: the least that is likely.
        high: the most.
        moved: bytes that have gone to an archive in this database by each of DAYS.
    """

    basis: str
    size: Size
    recent: float | None = None
    before: float | None = None
    past: tuple[float, ...] = ()
    ahead: tuple[float, ...] = ()
    curve: tuple[float, ...] = ()
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    moved: tuple[float, ...] = ()

    def after(self, days: int) -> float | None:
        """Return its size after so many of DAYS."""
        return self.curve[DAYS.index(days)] if self.curve else None


def growth(history: History, now: datetime, period: timedelta) -> Growth:
    """Return what a table's past says of its future.

    Args:
        history: its past.
        now: the server's clock.
        period: what *recent* is counted over.
    """
    series = _rates(history.pieces, now)
    long = series and (len(series.values) >= SHORTEST or series.days * len(series.values) >= _LONG)
    if series and long and (len(series.values) >= SHORTEST or len(history.samples) < SHORTEST):
        return _by_partitions(history, series, now, period)
    return _by_snapshots(history, now, period)


def fed(archive: Growth, *sources: Growth) -> Growth:
    """Return an archive, that grows by what its tables let go of."""
    moved = [sum(one.moved[n] for one in sources if one.moved) for n in range(len(DAYS))]
    curve = tuple(archive.size.bytes + more for more in moved)
    return Growth("what goes to it", archive.size, curve=curve, low=curve, high=curve)


def together(tables: Sequence[Growth]) -> tuple[list[float], list[float], list[float]]:
    """Return what all of them add to the disk after each of DAYS: likely, at least and at most."""
    likely, low, high = ([0.0] * len(DAYS) for _ in range(3))
    spread_low, spread_high = ([0.0] * len(DAYS) for _ in range(2))
    for one in tables:
        for n, size in enumerate(one.curve):
            likely[n] += size - one.size.bytes
            spread_low[n] += (size - one.low[n]) ** 2  # tables do not all err to one side
            spread_high[n] += (one.high[n] - size) ** 2
    for n, size in enumerate(likely):
        low[n], high[n] = size - math.sqrt(spread_low[n]), size + math.sqrt(spread_high[n])
    return likely, low, high


def full(room: int, curve: Sequence[float], now: datetime) -> date | None:
    """Return the day on which *room* bytes more are taken; None: not within the days that are looked at."""
    before, last = 0.0, 0
    for days, more in zip(DAYS, curve, strict=True):
        if more >= room:
            share = (room - before) / (more - before) if more > before else 0.0
            return (now + timedelta(days=last + share * (days - last))).date()
        before, last = more, days
    return None


@dataclass(frozen=True, slots=True)
class _Series:
    """Bytes a day, at steps of equal length."""

    end: datetime
    step: timedelta
    values: tuple[float, ...]
    partitions: int

    @property
    def days(self) -> float:
        """The length of a step."""
        return self.step / _DAY

    @property
    def period(self) -> int:
        """How many steps its season would have; 0: none is known."""
        return next((count for days, count in _SEASONS if 0.9 < self.days / days < 1.1), 0)


def _rates(pieces: Sequence[Piece], now: datetime) -> _Series | None:
    """Return what came in a day, by the partitions that are over; None where none is."""
    held = defaultdict[tuple[datetime, datetime], int](int)
    for piece in pieces:
        if piece.lower < piece.upper <= now:
            held[piece.lower, piece.upper] += piece.bytes
    spans = sorted(held)
    if not spans:
        return None
    step, count = median_low(upper - lower for lower, upper in spans), len(spans)
    end, begin = max(upper for _, upper in spans), spans[0][0]
    if max(piece.upper for piece in pieces) <= now - step:  # no partition is current: nothing has come since
        held[end, now] = 0
        end = now
    if step < _DAY and end - begin > 14 * _DAY:
        step = _DAY
    spans = sorted(held)
    alike = all(abs((upper - lower) / step - 1) < 0.15 for lower, upper in spans)
    if alike and all(before[1] == after[0] for before, after in pairwise(spans)):
        values = [held[span] / ((span[1] - span[0]) / _DAY) for span in spans]
        return _Series(end, (end - begin) / len(spans), tuple(values[-MOST:]), count)
    steps = min(max(int((end - begin) / step + 0.01), 1), MOST)
    own = [Piece(*span, size) for span, size in held.items()]
    edges = [end - step * n for n in range(steps, -1, -1)]
    values = [_within(own, lower, upper, now) / (step / _DAY) for lower, upper in pairwise(edges)]
    return _Series(end, step, tuple(values), count)


def _within(pieces: Sequence[Piece], lower: datetime, upper: datetime, now: datetime) -> float:
    """Bytes that came between two moments, spread evenly over each partition, of the current one up to now."""
    found = 0.0
    for piece in pieces:
        end = min(piece.upper, now)
        shared = min(end, upper) - max(piece.lower, lower)
        if shared > timedelta():
            found += piece.bytes * (shared / (end - piece.lower))
    return found


def _by_partitions(history: History, series: _Series, now: datetime, period: timedelta) -> Growth:
    trend = fit(series.values, series.period)
    assert trend is not None  # there is a value
    behind = (now - series.end) / series.step
    first = min(piece.lower for piece in history.pieces)
    curves, moved = [], list[float]()
    for one in (trend.shifted(-_LIKELY), trend.shifted(_LIKELY), trend):
        came = list(_came(one, series, behind))
        moved = _gone(history, came, now)
        curves.append(tuple(max(history.size.bytes + more - less, 0.0) for more, less in zip(came, moved, strict=True)))
    low, high, curve = curves
    return Growth(
        f"{series.partitions:,} partition{'s' * (series.partitions != 1)}",
        history.size,
        _within(history.pieces, now - period, now, now) if first <= now - period else None,
        _within(history.pieces, now - 2 * period, now - period, now) if first <= now - 2 * period else None,
        series.values,
        tuple(trend.at(n) for n in range(min(len(series.values), 12))),
        curve,
        low,
        high,
        tuple(moved) if history.archived else (),
    )


def _came(trend: Trend, series: _Series, behind: float) -> Iterator[float]:
    """Bytes that come up to each of DAYS; days that are looked at by the week, or hours by the day, have no season."""
    length = series.days
    total, last = 0.0, 0
    for days in DAYS:
        at = behind + ((last + days) / 2) / length
        whole = length < 0.9 or (length < 6 and days - last > 1)
        total += (max(trend.level + trend.slope * at, 0.0) if whole else trend.at(math.floor(at))) * (days - last)
        last = days
        yield total


def _gone(history: History, came: Sequence[float], now: datetime) -> list[float]:
    """Bytes that have left the table by each of DAYS: known partitions, then what comes from now on."""
    if history.leaves_after is None:
        return [0.0] * len(DAYS)
    ends = sorted((piece.upper + history.leaves_after, piece.bytes) for piece in history.pieces)
    lag, found, place, gone = history.leaves_after / _DAY, list[float](), 0, 0.0
    for days in DAYS:
        while place < len(ends) and ends[place][0] <= now + days * _DAY:
            gone += ends[place][1]
            place += 1
        found.append(gone + _after(came, days - lag))
    return found


def _after(came: Sequence[float], days: float) -> float:
    """Return what has come after so many days, between two of DAYS a share of it; nothing before now."""
    later = bisect_right(DAYS, days)
    before: float = came[later - 1] if later else 0.0
    then = DAYS[later - 1] if later else 0
    if days <= 0 or later == len(DAYS):
        return max(before, 0.0)
    share: float = (days - then) / (DAYS[later] - then)
    return before + (came[later] - before) * share


def _by_snapshots(history: History, now: datetime, period: timedelta) -> Growth:
    """By the sizes that were remembered; a table without enough of them stays as it is, and says so."""
    samples = [one for one in history.samples if one.at < now]
    known = [(one.at, float(one.bytes)) for one in samples] + [(now, float(history.size.bytes))]
    recent, before = (_size_at(known, now - n * period) for n in (1, 2))
    count = f"{len(samples):,} snapshot{'s' * (len(samples) != 1)}" if samples else ""
    grown = Growth(
        count,
        history.size,
        None if recent is None else history.size.bytes - recent,
        None if recent is None or before is None else recent - before,
    )
    step = max(median_low([later[0] - one[0] for one, later in pairwise(known)]) if samples else _DAY, _DAY)
    steps = min(int((now - known[0][0]) / step + 0.01), MOST - 1)
    if len(samples) < SHORTEST or steps + 1 < SHORTEST:
        return replace(grown, basis="")
    values = [size for n in range(steps, -1, -1) if (size := _size_at(known, now - n * step)) is not None]
    series = _Series(now, step, tuple(values), len(values))
    trend = fit(values, series.period)
    assert trend is not None  # there is a value
    curves = []
    for one in (trend, trend.shifted(-_LIKELY), trend.shifted(_LIKELY)):
        plain = replace(one, season=()) if series.days < 6 else one  # the day of the week moves no size for long
        curves.append(tuple(max(history.size.bytes + plain.at(days / series.days) - plain.at(0), 0.0) for days in DAYS))
    curve, low, high = curves
    ahead = tuple(trend.at(n) for n in range(min(len(values), 12)))
    return replace(grown, past=tuple(values), ahead=ahead, curve=curve, low=low, high=high)


def _size_at(known: Sequence[tuple[datetime, float]], moment: datetime) -> float | None:
    """Return the size at a moment, between the two that are known around it; None before the first."""
    for (at, size), (later, larger) in pairwise(known):
        if at - (later - at) / 4 <= moment <= later:  # a run of cron is never on the second
            return size + (larger - size) * max((moment - at) / (later - at), 0.0)
    return None
