"""Marks on the axes of a report's pictures."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema_kit.pages import axes, words

pytestmark = pytest.mark.health

ZONES = [ZoneInfo(name) for name in ("UTC", "Asia/Bangkok", "America/New_York", "Asia/Kathmandu", "America/Sao_Paulo")]
MOMENTS = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))


@given(MOMENTS, st.timedeltas(timedelta(hours=2), timedelta(days=40_000)), st.sampled_from(ZONES), st.integers(2, 8))
def test_dates_are_few_lie_within_and_are_midnights_or_hours_of_the_clock(
    begin: datetime, span: timedelta, zone: ZoneInfo, most: int
) -> None:
    found = axes.dates(begin, begin + span, zone, most)
    assert len(found) <= most
    assert all(begin <= at <= begin + span for at, _ in found)
    assert all((at.minute, at.second) == (0, 0) for at, _ in found)
    assert all(one < later for (one, _), (later, _) in pairwise(found))
    if span >= timedelta(days=3):
        assert all(at.hour == 0 for at, label in found if ":" not in label)


@pytest.mark.parametrize(
    ("days", "labels"),
    [
        (1, ["06:00", "12:00", "18:00", "2 Nov"]),
        (10, ["2 Nov", "4 Nov", "6 Nov", "8 Nov", "10 Nov"]),
        (42, ["2 Nov", "9 Nov", "16 Nov", "23 Nov", "30 Nov", "7 Dec"]),
        (150, ["Dec", "Jan 2027", "Feb", "Mar"]),
        (800, ["Jan 2027", "Jul", "Jan 2028", "Jul", "Jan 2029"]),
        (4000, ["2028", "2030", "2032", "2034", "2036"]),
    ],
)
def test_labels_fit_the_length(days: int, labels: list[str]) -> None:
    begin = datetime(2026, 11, 1, 2, tzinfo=UTC)
    assert [label for _, label in axes.dates(begin, begin + timedelta(days=days), UTC)] == labels


@given(st.floats(1, 2**60), st.integers(2, 5))
def test_sizes_are_round_few_and_reach_far(most: float, marks: int) -> None:
    found = axes.sizes(most, marks)
    assert len(found) <= marks
    assert all(0 < size <= most for size, _ in found)
    if most >= 100:
        assert found
        assert 2 * found[-1][0] > most


@given(st.integers(-(10**6), 10**12), st.integers(1, 10**12))
def test_numbers_are_round_and_within(least: int, span: int) -> None:
    found = axes.numbers(least, least + span)
    assert len(found) <= 6
    assert all(least <= number <= least + span for number, _ in found)


def test_figures_are_said_as_people_say_them() -> None:
    assert words.change(12 * 2**20) == "+12 MB"
    assert words.change(-3 * 2**20) == "−3072 kB"
    assert (words.change(0), words.change(None), words.size(None)) == ("0", "–", "–")
    assert words.count(1, "partition") == "1 partition"
    assert words.count(2000, "partition") == "2,000 partitions"
    assert [words.milliseconds(one) for one in (0.42, 123.4, 95_000.0)] == ["0.4 ms", "123 ms", "95 s"]
    assert [words.seconds(one) for one in (0.4, 95.0, 720.0, 12_600.0)] == ["0.4 s", "95 s", "12 min", "3.5 h"]
    assert words.cut("a long text", 7) == "a long…"
