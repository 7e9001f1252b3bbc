"""Ranges near both ends of what a column can hold, for every codec and interval: without gap or overlap."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schema_kit.keys import FIRST, LAST
from schema_kit.model import Column, Partition, Partitioning, Table
from schema_kit.model.grid import Grid, grid
from schema_kit.names import QualifiedName
from schema_kit.plans.partitions import create_next
from schema_kit.steps.partitions import CreatePartition
from tests.support.points import COLUMNS, ZONES

pytestmark = pytest.mark.partitions

T = QualifiedName("s", "t")
NUMBERS = {
    "smallint": (-(2**15), 2**15 - 1),
    "integer": (-(2**31), 2**31 - 1),
    "bigint": (-(2**63), 2**63 - 1),
    "numeric(5,0)": (-(10**5) + 1, 10**5 - 1),
    "numeric(20,3)": (-(10**17) + 1, 10**17 - 1),
}
TIMES = ["15 minutes", "1 hour", "36 hours", "1 day", "7 days", "1 month", "3 months", "1 year", "100 years"]


@st.composite
def near_an_end(draw: st.DrawFn) -> tuple[Grid, Table, object, bool]:
    """A table, and a current position near the beginning or the end of its line."""
    first = draw(st.booleans())
    premake, zone = draw(st.integers(1, 30)), draw(st.sampled_from(ZONES))
    if draw(st.booleans()):
        type_ = draw(st.sampled_from(sorted(NUMBERS)))
        low, high = NUMBERS[type_]
        width = draw(st.integers(1, min((high - low) // 3, 10**18 - 1)))  # of at most 18 digits
        policy = Partitioning(T, "k", str(width), premake=premake, origin=str(draw(st.integers(0, width))))
        far = draw(st.integers(0, 40 * width))
        here: object = min(low + far, high) if first else max(high - far, low)
    else:
        type_, encoding = draw(st.sampled_from(COLUMNS))
        interval = draw(st.sampled_from(TIMES[3:] if type_ == "date" else TIMES))
        policy = Partitioning(T, "k", interval, zone, premake, encoding=encoding)
    table = Table(T, (Column("k", type_, True),), ("k",), "r")
    lines = grid(policy, table)
    if not lines.of_ids:
        distance = timedelta(minutes=draw(st.integers(0, 60 * 24 * 365 * 3)))
        here = lines.key.least + distance if first else lines.key.greatest - distance  # type: ignore[operator]
    return lines, table, here, first


@settings(max_examples=200, deadline=None)
@given(near_an_end())
def test_ranges_tile_up_to_the_end_of_the_line_and_are_what_their_bounds_say(
    given_: tuple[Grid, Table, object, bool],
) -> None:
    lines, table, here, _ = given_
    windows = list(lines.ahead(here))
    assert windows[0].lower <= here < windows[0].upper  # type: ignore[operator]
    assert all(one.upper == other.lower for one, other in pairwise(windows))
    bounds = [lines.bounds(window) for window in windows]
    assert [upper is None for _, upper in bounds[:-1]] == [False] * (len(bounds) - 1), "only the last has no end"
    assert len(windows) == lines.policy.premake + 1 or bounds[-1][1] is None
    assert lines.key.least is None or windows[0].lower >= lines.key.least
    parts = tuple(Partition(lines.partition_name(w), low, up) for w, (low, up) in zip(windows, bounds, strict=True))
    full = replace(table, partitions=parts)
    assert lines.missing(windows, full) == []
    assert list(islice(lines.windows(here, None), len(windows))) == windows
    for part, window in zip(parts, windows, strict=True):
        taken = lines.range_of(part)
        assert taken.lower == window.lower
        assert taken.upper in (window.upper, None)
        assert lines.begins_at(taken.lower)
        assert lines.begins_at(taken.upper)


@settings(max_examples=100, deadline=None)
@given(near_an_end())
def test_keeping_ahead_near_an_end_is_done_once(given_: tuple[Grid, Table, object, bool]) -> None:
    lines, table, here, _ = given_
    made = [step for step in create_next(lines.policy, table, here).steps if isinstance(step, CreatePartition)]
    parts = tuple(Partition(step.name, step.lower, step.upper) for step in made)
    assert not create_next(lines.policy, replace(table, partitions=parts), here)
    for step in made:
        for text in (step.lower, step.upper):
            assert text is None or lines.key.decode(text) is not None


@pytest.mark.parametrize("type_", NUMBERS)
def test_a_bound_is_a_value_of_the_type(type_: str) -> None:
    low, high = NUMBERS[type_]
    lines = grid(Partitioning(T, "k", "7"), Table(T, (Column("k", type_, True),), ("k",), "r"))
    for point in (low, low + 1, high - 1, high):
        for text in lines.bounds(lines.window(point)):
            assert text is None or low <= int(text) <= high
    assert lines.bounds(lines.window(high))[1] is None


@pytest.mark.parametrize(("text", "before"), [("0044-03-15 BC", True), ("10000-01-01", False), ("294276-12-31", False)])
def test_a_partition_beyond_the_calendar_is_in_no_window_s_way(text: str, before: bool) -> None:
    column = Column("k", "timestamp without time zone", True)
    lines = grid(Partitioning(T, "k", "1 month"), Table(T, (column,), ("k",), "r"))
    year = datetime(2026, 1, 1, tzinfo=UTC)
    one = (text, "2026-01-01 00:00:00") if before else ("2026-01-01 00:00:00", text)
    taken = lines.range_of(Partition(T, *one))
    assert (taken.lower, taken.upper) == ((None, year) if before else (year, None))
    whole = lines.range_of(Partition(T, *((None, text) if before else (text, None))))
    assert not any(whole.overlaps(lines.window(point)) for point in (FIRST, year, LAST))
