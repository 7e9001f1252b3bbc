"""Forecast a series that grows steadily, with the seasons or by steps. Pure: the standard library alone.

A series is a line, times a season where it has one. The season is what the same phases have in common, by medians, so
that odd values count little. A step or a bend begins a new line: only the last line is continued. Its slope is that of
the line before it, changed as far as its own points say so beyond their noise: a step that has just come keeps the
slope, and a single point of news changes nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from statistics import fmean, median

MOST = 400
"""Points that are looked at, the last ones: a season of 52 weeks is seen seven times in them."""

SEASONAL = 0.6
"""A season is kept where without it the series lies that much nearer to its lines."""

SHORTEST = 4
"""Points that make a line of their own."""

MOST_PAIRED = 40
"""Points of which all pairs are compared."""

_TO_SIGMA = 1.4826
"""From the median of absolute deviations to a standard deviation."""

_NOTHING = 0.005
"""Deviations below this share of the usual value are none."""


@dataclass(frozen=True, slots=True)
class Trend:
    """How a series goes on.

    Args:
        level: the next value, without its season.
        slope: what each step adds.
        season: factors, that of the next value first; empty where there is no season.
        level_error: the standard error of the level.
        slope_error: that of the slope.
    """

    level: float
    slope: float = 0.0
    season: tuple[float, ...] = ()
    level_error: float = 0.0
    slope_error: float = 0.0

    def at(self, step: float) -> float:
        """Return the value *step* steps behind the next one; never below zero.

        Args:
            step: 0 for the next value, 1.5 for between the second and the third.
        """
        factor = self.season[math.floor(step) % len(self.season)] if self.season else 1.0
        return max(self.level + self.slope * step, 0.0) * factor

    def shifted(self, errors: float) -> Trend:
        """Return the same, so many standard errors higher, or lower below zero."""
        return replace(self, level=self.level + errors * self.level_error, slope=self.slope + errors * self.slope_error)


def fit(values: Sequence[float], period: int = 0) -> Trend | None:
    """Return what a series does from its last value on; None where it has none.

    Args:
        values: at equal steps, none below zero.
        period: how many steps its season would have, 7 for days; looked for where there are two of them or more.
    """
    series = list(map(float, values[-MOST:]))
    if not series:
        return None
    season = _season(series, period) if period > 1 and len(series) >= 2 * period else ()
    lines, noise = _lines(_without(series, season))
    last, phase = lines[-1], len(series) % len(season) if season else 0
    return Trend(
        last.level + last.slope * last.count,
        last.slope,
        (*season[phase:], *season[:phase]),
        noise / math.sqrt(last.count),
        _slope_error(noise, last.count),
    )


@dataclass(frozen=True, slots=True)
class _Line:
    """A run of a series that one line fits."""

    level: float
    """At its first point."""
    slope: float
    count: int

    def drawn(self) -> list[float]:
        return [self.level + self.slope * n for n in range(self.count)]


def _season(series: Sequence[float], period: int) -> tuple[float, ...]:
    """Return the factor of each phase, that of the first value first; empty where they differ by nothing but noise."""
    plain = _apart(series, _drawn(series))
    about, found = _moving(series, period), tuple[float, ...]()
    for _ in range(3):  # season and lines, each without the other
        if min(about) <= 0:
            return ()
        found = _factors([value / line for value, line in zip(series, about, strict=True)], period)
        if not found:
            return ()
        about = _drawn(_without(series, found))
    left = _apart(_without(series, found), about)
    cycles = len(series) / period
    left *= math.sqrt(cycles / (cycles - 1))  # so much nearer come factors to noise that they were taken from
    enough = SEASONAL if cycles >= 3 else SEASONAL / 2  # what came twice may have come by chance
    return found if left < enough * min(plain, _apart(series, about)) else ()


def _apart(series: Sequence[float], lines: Sequence[float]) -> float:
    """Return how far values lie from lines, as a share of these."""
    return fmean([abs(value / line - 1) for value, line in zip(series, lines, strict=True) if line > 0] or [0.0])


def _factors(ratios: Sequence[float], period: int) -> tuple[float, ...]:
    found = [median(ratios[phase::period]) for phase in range(period)]
    mean = fmean(found)
    return tuple(factor / mean for factor in found) if mean > 0 and min(found) > 0 else ()


def _without(series: Sequence[float], season: Sequence[float]) -> list[float]:
    return [value / season[n % len(season)] for n, value in enumerate(series)] if season else list(series)


def _moving(series: Sequence[float], period: int) -> list[float]:
    """Centred averages of a period each, continued to both ends by their own slope."""
    half = period // 2
    ends = 0.5 if period % 2 == 0 else 1.0
    found = [
        (ends * (series[n - half] + series[n + half]) + sum(series[n - half + 1 : n + half])) / period
        for n in range(half, len(series) - half)
    ]
    slope = (found[-1] - found[0]) / (len(found) - 1) if len(found) > 1 else 0.0
    before = [found[0] - slope * n for n in range(half, 0, -1)]
    return [*before, *found, *(found[-1] + slope * n for n in range(1, half + 1))]


def _drawn(series: Sequence[float]) -> list[float]:
    """Return the lines' own values, point by point."""
    return [value for line in _lines(series)[0] for value in line.drawn()]


def _lines(series: Sequence[float]) -> tuple[list[_Line], float]:
    """Return the lines that a series consists of, and the noise around the last of them."""
    begins = _begins(_spared(series))
    runs = [series[begin:end] for begin, end in zip(begins, [*begins[1:], len(series)], strict=True)]
    own = [_slope(run) for run in runs]
    sizes = [abs(fmean(run)) or 1.0 for run in runs]  # noise grows with what it is the noise of
    free = [_centred(_left(run, slope), size) for run, slope, size in zip(runs, own, sizes, strict=True)]
    noise = max(map(_noise, ([one for run in free for one in run], *free)))
    found, before = list[_Line](), 0.0
    for run, slope, size in zip(runs, own, sizes, strict=True):
        chosen = 2 if found else 1  # where a line begins was chosen to fit: its slope has to be the more certain
        before += (slope - before) * _certain(slope - before, chosen * _slope_error(noise * size, len(run)))
        found.append(_Line(median(_left(run, before)), before, len(run)))
    return found, noise * sizes[-1]


def _begins(series: Sequence[float]) -> list[int]:
    """Return where each line begins: split as long as that gains, then each border again between its neighbours."""
    found, open_ = {0}, [(0, len(series))]
    while open_:
        begin, end = open_.pop()
        if (split := _split(series[begin:end])) is not None:
            found.add(begin + split)
            open_ += [(begin, begin + split), (begin + split, end)]
    begins = sorted(found)
    n = 1
    while n < len(begins):
        end = begins[n + 1] if n + 1 < len(begins) else len(series)
        split = _split(series[begins[n - 1] : end])
        if split is None:
            del begins[n]
        else:
            begins[n] = begins[n - 1] + split
            n += 1
    return begins


def _left(series: Sequence[float], slope: float) -> list[float]:
    """Return what a slope leaves of a series."""
    return [value - slope * n for n, value in enumerate(series)]


def _centred(series: Sequence[float], size: float) -> list[float]:
    middle = median(series)
    return [(value - middle) / size for value in series]


def _slope(series: Sequence[float]) -> float:
    """Return the median of the slopes between pairs of points; of many points, between some of both ends."""
    count = len(series)
    if count < SHORTEST:
        return 0.0
    if count <= MOST_PAIRED:
        pairs = [(i, j) for i in range(count) for j in range(i + 1, count)]
    else:
        third, stride = count // 3, max(count // 90, 1)
        pairs = [(i, j) for i in range(0, third, stride) for j in range(count - third, count, stride)]
    return median((series[j] - series[i]) / (j - i) for i, j in pairs)


def _certain(apart: float, error: float) -> float:
    """Return how much of a difference counts: nothing within two standard errors, all of it beyond three."""
    return 1.0 if error == 0 else min(max(abs(apart) / error - 2, 0.0), 1.0)


def _slope_error(noise: float, count: int) -> float:
    return noise * math.sqrt(12 / (count**3 - count)) if count > 1 else math.inf if noise else 0.0


def _noise(deviations: Sequence[float]) -> float:
    """Return the standard deviation, by the median; few points count for less than they show."""
    middle, count = median(deviations), len(deviations)
    return _TO_SIGMA * median(abs(one - middle) for one in deviations) * math.sqrt(count / max(count - 2, 1))


def _spared(series: Sequence[float]) -> list[float]:
    """Without single values that stand far off from those around them, at the ends from the next two."""
    last, around = len(series) - 1, list[float]()
    for n in range(len(series)):
        reach = max(min(3, n, last - n), 1)
        first = min(max(n - reach, 0), max(last - 2 * reach, 0))
        around.append(median(series[first : first + 2 * reach + 1]))
    noise = max(
        _noise([value - middle for value, middle in zip(series, around, strict=True)]),
        _NOTHING * median(map(abs, series)),
    )
    return [middle if abs(value - middle) > 4 * noise else value for value, middle in zip(series, around, strict=True)]


def _split(series: Sequence[float]) -> int | None:
    """Return where two lines fit better than one, by so much that noise does not explain it; None: nowhere."""
    count = len(series)
    if count < 2 * SHORTEST:
        return None
    squares = _Squares(series)
    least = count * (_NOTHING * median(map(abs, series))) ** 2
    whole = squares.left(0, count) + least
    at = min(
        range(SHORTEST, count - SHORTEST + 1), key=lambda split: squares.left(0, split) + squares.left(split, count)
    )
    both = squares.left(0, at) + squares.left(at, count) + least
    gain = (count - 5) * math.log(whole / both) if both > 0 else 0.0  # five: what two lines and their border take
    return at if gain > 8 + 3 * math.log(count) else None


class _Squares:
    """Sums of squares around the best line of any run of a series, each in constant time."""

    def __init__(self, series: Sequence[float]) -> None:
        middle = fmean(series)
        own = [value - middle for value in series]
        self._of = [0.0, *accumulate(own)]
        self._by_place = [0.0, *accumulate(n * value for n, value in enumerate(own))]
        self._squared = [0.0, *accumulate(value * value for value in own)]

    def left(self, begin: int, end: int) -> float:
        """Return what the best line leaves of the run from *begin* up to *end*."""
        count, of = end - begin, self._of[end] - self._of[begin]
        across = self._by_place[end] - self._by_place[begin] - of * (begin + end - 1) / 2
        spread = (count**3 - count) / 12
        return max(
            self._squared[end] - self._squared[begin] - of * of / count - (across * across / spread if spread else 0.0),
            0.0,
        )
