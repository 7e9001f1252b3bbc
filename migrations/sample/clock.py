"""When things happened: growth over the months, a rhythm over the day and the week."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate
from math import ceil
from random import Random

DAY = 24
"""A day, in hours."""

GROWTH = 4.0
"""How many times busier the last day is than the first."""

FUTURE = 100 * DAY
"""How far after the end a time may be written, in hours: expiry."""

BUSY = (2, 1, 1, 1, 1, 2, 4, 7, 9, 10, 12, 16, 17, 12, 10, 10, 11, 13, 16, 17, 14, 10, 6, 4)
"""The hours of a day in Bangkok, from midnight."""


class Clock:
    """The months that end when the day *until* begins, UTC."""

    def __init__(self, until: date, months: int) -> None:
        end = datetime(until.year, until.month, until.day, tzinfo=UTC)
        start = _months_before(end, months)
        self.hours = int((end - start).total_seconds()) // 3600
        hours = [start + timedelta(hours=hour) for hour in range(self.hours + FUTURE)]
        self.activity = [
            0.0,
            *accumulate(self._busy(hour, at) for hour, at in enumerate(hours[: self.hours])),
        ]
        self._hour_texts = [f"{at:%Y-%m-%d %H:}" for at in hours]
        self._second_texts = [f"{minute:02d}:{second:02d}." for minute in range(60) for second in range(60)]

    def _busy(self, hour: int, at: datetime) -> float:
        local = at + timedelta(hours=7)
        weekend = 1.3 if local.weekday() >= 5 else 1.0
        return float(GROWTH ** (hour / self.hours)) * BUSY[local.hour] * weekend

    def text(self, second: int, micros: str) -> str:
        """A moment, counted in seconds from the start, as COPY reads it."""
        return f"{self._hour_texts[second // 3600]}{self._second_texts[second % 3600]}{micros}+00"


class Timeline:
    """How many rows of one table there are, hour by hour.

    They begin on *first_day*. Where others refer to these rows, a tenth of them is there by the end of it.
    """

    def __init__(self, clock: Clock, rows: int, first_day: int = 0, referred_to: bool = True) -> None:
        first_hour = first_day * DAY
        past, final = clock.activity[first_hour + DAY], clock.activity[-1]
        early = 0.1 if referred_to else 0.0
        steady = (1 - early) / (final - past)
        self.counts = [
            *[0] * first_hour,
            *(ceil(rows * early * hour / DAY) for hour in range(DAY)),
            *(ceil(rows * (early + steady * (done - past))) for done in clock.activity[first_hour + DAY : -1]),
            rows,
        ]
        """The rows there are when an hour begins."""

    def moments(self, rng: Random) -> Iterator[tuple[int, str]]:
        """The rows' moments in order: seconds from the start, and microseconds as text."""
        random = rng.random
        for hour, (before, after) in enumerate(zip(self.counts, self.counts[1:], strict=False)):
            if after > before:
                step = 3600 / (after - before)
                for row in range(after - before):
                    yield hour * 3600 + int((row + random()) * step), f"{int(random() * 1_000_000):06d}"


def _months_before(end: datetime, months: int) -> datetime:
    month = end.year * 12 + end.month - 1 - months
    return end.replace(year=month // 12, month=month % 12 + 1, day=min(end.day, 28))
