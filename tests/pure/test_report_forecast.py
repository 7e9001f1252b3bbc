"""The forecast of a report: series whose future is known, with noise of several seeds; and the day of the full disk."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

import pytest

from schema_kit.model import Size
from schema_kit.pages.forecast import fit
from schema_kit.pages.growth import DAYS, Growth, History, Piece, Sample, fed, full, growth, together
from tests.support.pages import MB, NOW

pytestmark = pytest.mark.health

WEEK = (0.5, 0.45, 1.2, 1.3, 1.3, 1.25, 1.0)
SEEDS = range(12)


@dataclass(frozen=True)
class Series:
    """A series whose values are known, before and after the last one that is shown."""

    value: Callable[[int], float]
    points: int
    ahead: int
    period: int = 0
    noise: float = 0.02


SERIES = {
    "flat": Series(lambda _: 1000, 90, 90, 7),
    "linear, two years of months": Series(lambda n: 1000 + 15 * n, 24, 12, 12),
    "linear, a quarter of days": Series(lambda n: 1000 + 15 * n, 90, 90, 7, 0.05),
    "linear, falling": Series(lambda n: 9000 - 30 * n, 90, 90, 7),
    "weekly": Series(lambda n: (1000 + 5 * n) * WEEK[n % 7], 60, 60, 7, 0.04),
    "weekly, three weeks": Series(lambda n: 1000 * WEEK[n % 7], 21, 14, 7),
    "yearly": Series(
        lambda n: (1000 + 10 * n) * (1 + 0.4 * math.sin(n * math.pi / 6) + 0.3 * (n % 12 == 11)), 36, 12, 12
    ),
    "yearly, two years": Series(lambda n: (1000 + 10 * n) * (1 + 0.4 * math.sin(n * math.pi / 6)), 24, 12, 12),
    "a step up": Series(lambda n: 3000 if n >= 60 else 1000, 90, 30, 7, 0.05),
    "a step down": Series(lambda n: 1000 if n >= 50 else 3000, 90, 30, 7, 0.05),
    "a step at the turn of two years": Series(lambda n: 3000 if n >= 12 else 1000, 24, 12, 12, 0.05),
    "a step lately": Series(lambda n: 3000 if n >= 20 else 1000, 24, 12, 12, 0.05),
    "two steps": Series(lambda n: 1000 + 2000 * (n >= 30) + 4000 * (n >= 60), 90, 30, 7, 0.04),
    "a jump of what grows": Series(lambda n: 50_000 + 100 * n + 30_000 * (n >= 45), 90, 90, 7),
    "a jump a week ago": Series(lambda n: 50_000 + 100 * n + 30_000 * (n >= 84), 90, 60, 7),
    "a bend": Series(lambda n: 50_000 + 100 * min(n, 50) + 400 * max(n - 50, 0), 90, 60, 7, 0.01),
    "days with odd values": Series(lambda n: 9000 if n in (17, 40, 71) else 1000 + 10 * n, 90, 60, 7),
}


@pytest.mark.parametrize("name", SERIES)
def test_what_comes_is_foretold_within_a_tenth(name: str) -> None:
    """Each value without noise, and with noise the sum of them, for each seed."""
    own = SERIES[name]
    want = [own.value(own.points + n) for n in range(own.ahead)]
    plain = fit([own.value(n) for n in range(own.points)], own.period)
    assert plain is not None
    assert all(abs(plain.at(n) / value - 1) < 0.1 for n, value in enumerate(want))
    for seed in SEEDS:
        chance = random.Random(seed)
        shown = [own.value(n) * (1 + chance.gauss(0, own.noise)) for n in range(own.points)]
        found = fit(shown, own.period)
        assert found is not None
        got = sum(found.at(n) for n in range(own.ahead))
        assert abs(got / sum(want) - 1) < 0.1, (seed, got / sum(want))


def test_a_season_is_not_made_of_noise() -> None:
    kept = 0
    for seed in range(40):
        chance = random.Random(seed)
        found = fit([1000 + chance.gauss(0, 50) for _ in range(60)], 7)
        assert found is not None
        kept += bool(found.season)
    assert kept <= 2


@pytest.mark.parametrize(
    "values", [[], [5.0], [5.0, 6.0], [0.0] * 30, [0.0] * 20 + [1.0], [1e15] * 5, list(range(3000))]
)
def test_any_series_has_a_forecast_that_is_not_below_zero(values: list[float]) -> None:
    found = fit(values, 7)
    assert (found is None) is not bool(values)
    if found is not None:
        ahead = [found.at(n) for n in range(1000)]
        assert all(math.isfinite(value) and value >= 0 for value in ahead)
        assert found.shifted(1).at(9) >= found.at(9) >= found.shifted(-1).at(9)


def months(size: Callable[[int], float], count: int = 24) -> list[Piece]:
    """Partitions by month, the last one up to now."""
    ends = [NOW - timedelta(days=30) * n for n in range(count, -1, -1)]
    return [Piece(lower, upper, int(size(n))) for n, (lower, upper) in enumerate(pairwise(ends))]


WEEKLY = timedelta(days=7)


def after(one: Growth, days: int) -> float:
    size = one.after(days)
    assert size is not None
    return size


def test_a_table_grows_as_its_partitions_did() -> None:
    pieces = months(lambda n: (100 + n) * MB)
    size = sum(piece.bytes for piece in pieces)
    found = growth(History(Size(24, size, 1), pieces), NOW, WEEKLY)
    assert found.basis == "24 partitions"
    assert found.recent == pytest.approx(123 * MB * 7 / 30, rel=0.01)
    assert found.before == found.recent
    want = sum(100 + n for n in range(24, 36)) * MB
    assert after(found, 364) - size == pytest.approx(want, rel=0.05)
    assert after(found, 30) - size == pytest.approx(124 * MB, rel=0.05)


def test_what_a_retention_drops_leaves_and_what_is_archived_stays_on_the_disk() -> None:
    pieces = months(lambda _: 100 * MB, 12)
    size = 1200 * MB
    kept = growth(History(Size(12, size, 1), pieces), NOW, WEEKLY)
    dropped = growth(History(Size(12, size, 1), pieces, leaves_after=timedelta(days=360)), NOW, WEEKLY)
    moved = growth(History(Size(12, size, 1), pieces, leaves_after=timedelta(days=90), archived=True), NOW, WEEKLY)
    archive = fed(Growth("", Size(0, 0, 0)), moved)
    assert after(kept, 364) == pytest.approx(2400 * MB, rel=0.05)
    assert after(dropped, 364) == pytest.approx(size, rel=0.1), "as much leaves as comes"
    assert after(moved, 364) == pytest.approx(300 * MB, rel=0.1)
    assert after(archive, 364) == pytest.approx(2100 * MB, rel=0.1)
    both, _, _ = together([moved, archive])
    alone, _, _ = together([kept])
    assert both == pytest.approx(alone, rel=0.01)


def test_two_partitions_of_minutes_say_nothing_and_months_without_a_partition_brought_nothing() -> None:
    quarter = timedelta(minutes=15)
    pieces = [Piece(NOW - n * quarter, NOW - (n - 1) * quarter, MB) for n in (2, 1)]
    assert growth(History(Size(2, 2 * MB, 1), pieces), NOW, WEEKLY).curve == ()
    old = [
        Piece(one.lower - timedelta(days=240), one.upper - timedelta(days=240), one.bytes)
        for one in months(lambda _: 100 * MB)
    ]
    found = growth(History(Size(24, 2400 * MB, 1), old), NOW, WEEKLY)
    assert after(found, 364) == pytest.approx(2400 * MB, rel=0.05)
    assert (found.basis, found.recent) == ("24 partitions", 0)


def test_a_plain_table_grows_as_its_snapshots_did() -> None:
    samples = [Sample(NOW - timedelta(days=40 - n), (500 + 5 * n) * MB) for n in range(40)]
    found = growth(History(Size(0, 700 * MB, 1), (), samples), NOW, WEEKLY)
    assert found.basis == "40 snapshots"
    assert found.recent == pytest.approx(35 * MB, rel=0.05)
    assert found.before == pytest.approx(35 * MB, rel=0.05)
    assert after(found, 91) == pytest.approx(1155 * MB, rel=0.02)


def test_a_table_without_a_past_says_so() -> None:
    found = growth(History(Size(0, 700 * MB, 1), (), [Sample(NOW - timedelta(days=1), 600 * MB)]), NOW, WEEKLY)
    assert (found.basis, found.curve, found.recent) == ("", (), None)


@pytest.mark.parametrize("days", [1, 45, 700])
def test_the_disk_is_full_on_the_day_on_which_its_room_is_taken(days: int) -> None:
    curve = [day * 10.0 * MB for day in DAYS]
    assert full(days * 10 * MB, curve, NOW) == (NOW + timedelta(days=days)).date()
    assert full(10**15, curve, NOW) is None
    assert full(0, curve, NOW) == date(2026, 11, 18)
