"""Where no partition is, and what is made there: from nouns alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schema_kit.errors import PlanError
from schema_kit.model import Column, Partition, Partitioning, Table
from schema_kit.model.grid import grid
from schema_kit.model.ranges import missing, placed, stretches
from schema_kit.plans.gaps import fill_gaps, gaps, refuse
from schema_kit.steps.partitions import CreatePartition
from tests.support.shapes import AWARE, name

pytestmark = pytest.mark.partitions

EVENTS = name("public.events")
START = datetime(2026, 1, 1, tzinfo=UTC)


def table(*partitions: Partition, kind: str = AWARE) -> Table:
    return Table(EVENTS, (Column("k", kind, True),), ("k",), "r", partitions=partitions)


CUTS = [("1 month", "Asia/Bangkok"), ("1 day", "America/Santiago"), ("1 week", "UTC"), ("6 hours", "Europe/Berlin")]


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from(CUTS),
    st.lists(st.booleans(), min_size=1, max_size=25),
    st.integers(0, 40),
    st.randoms(use_true_random=False),
)
def test_after_it_the_partitions_tile_from_the_oldest_to_the_newest_or_the_current(
    cut: tuple[str, str], there: list[bool], present: int, random: object
) -> None:
    policy = Partitioning(EVENTS, "k", *cut)
    lines = grid(policy, table())
    starts = [lines.interval.floor(START)]
    for _ in range(len(there) + 40):
        starts.append(lines.interval.shift(starts[-1], 1))
    parts = [
        Partition(name(f"public.x{place}"), lines.key.encode(starts[place]), lines.key.encode(starts[place + 1]))
        for place, is_there in enumerate(there)
        if is_there
    ]
    random.shuffle(parts)  # type: ignore[attr-defined]
    here = starts[present] + timedelta(minutes=1)
    windows = gaps(policy, table(*parts), here)
    made = fill_gaps(policy, table(*parts), windows).steps
    all_of_them = [*parts, *(Partition(s.name, s.lower, s.upper) for s in made if isinstance(s, CreatePartition))]
    assert gaps(policy, table(*all_of_them), here) == ()
    laid = placed(lines, table(*all_of_them))
    assert list(stretches(lines, laid, here)) == []
    if parts:
        first, last = there.index(True), len(there) - 1 - there[::-1].index(True)
        end = min(max(last + 1, present), present + policy.premake + 1)
        expected = set(range(first, end)) | {place for place, is_there in enumerate(there) if is_there}
        assert {starts.index(one.lower) for one, _ in laid} == expected
        assert len(laid) == len(expected), "no window twice"
    assert missing([one for one, _ in laid], laid) == []


def test_a_window_that_a_partition_crosses_is_left_to_the_check() -> None:
    policy = Partitioning(EVENTS, "k", "1 month")
    crooked = table(
        Partition(name("public.a"), "2026-01-01 00:00:00+00", "2026-02-10 00:00:00+00"),
        Partition(name("public.b"), "2026-04-20 00:00:00+00", "2026-06-01 00:00:00+00"),
    )
    (window,) = gaps(policy, crooked, START)
    assert grid(policy, crooked).shown(window.lower) == "2026-03-01"


def test_ends_that_are_none() -> None:
    policy = Partitioning(EVENTS, "k", "1000")
    ids = table(Partition(name("public.a"), None, "1000"), Partition(name("public.b"), "3000", None), kind="bigint")
    assert [window.lower for window in gaps(policy, ids, 5)] == [1000, 2000]
    assert [window.lower for window in gaps(policy, ids, 5, "-5000")] == [1000, 2000], "all before is held"
    assert gaps(policy, table(kind="bigint"), 5500) == ()
    assert [window.lower for window in gaps(policy, table(kind="bigint"), 5500, "3999")] == [3000, 4000]


def test_a_gap_without_an_end_is_refused_at_once() -> None:
    policy = Partitioning(EVENTS, "k", "1")
    ids = table(Partition(name("public.a"), "0", "1"), Partition(name("public.b"), str(10**15), None), kind="bigint")
    assert [window.lower for window in gaps(policy, ids, 5)] == list(range(1, 10)), "as far as is kept ahead"
    assert gaps(policy, ids, 10**15) == (), "so many are not made unasked"
    with pytest.raises(PlanError, match="lacks more than 1000 partitions, from 1 to 1001 and beyond"):
        gaps(policy, ids, 10**15, "1")
    assert len(gaps(policy, ids, 10**15, str(10**15 - 1000))) == 1000


def test_what_retention_would_take_at_once_is_not_made() -> None:
    policy = Partitioning(EVENTS, "k", "1 month", retention="3 months")
    here = datetime(2026, 11, 22, tzinfo=UTC)
    year = table(Partition(name("public.a"), "2026-01-01 00:00:00+00", "2026-02-01 00:00:00+00"))
    lines = grid(policy, year)
    for since in (None, "2020-01-01"):
        begins = [lines.shown(window.lower) for window in gaps(policy, year, here, since)]
        assert begins == ["2026-08-01", "2026-09-01", "2026-10-01"], "August ends after 22 August"
    assert len(gaps(replace(policy, retention=None), year, here)) == 9


def test_what_stands_in_the_way_is_named_and_the_rest_is_made() -> None:
    policy = Partitioning(EVENTS, "k", "1000")
    default = Partition(name("public.rest"), None, None, default=True)
    ids = table(Partition(name("public.a"), "0", "1000"), default, kind="bigint")
    windows = gaps(policy, ids, 5500)
    taken = (name("public.events_p3000"),)
    made = fill_gaps(policy, ids, windows, strays=windows[:1], taken=taken).steps
    assert [step.name.name for step in made if isinstance(step, CreatePartition)] == ["events_p2000", "events_p4000"]
    with pytest.raises(PlanError) as said:
        refuse(policy, ids, windows, windows[:1], taken)
    assert "public.rest holds rows of 1000 to 2000" in str(said.value)
    assert "ATTACH PARTITION \"public\".\"events_p3000\" FOR VALUES FROM ('3000') TO ('4000')" in str(said.value)
    assert not refuse(policy, ids, windows)
    with pytest.raises(PlanError, match="me lacks CREATE"):
        fill_gaps(policy, ids, windows, missing_rights=["me lacks CREATE"])
    assert not fill_gaps(policy, replace(ids, partitions=()), ())
