"""Laws of keeping ahead: whatever the interval, zone, codec, origin, premake and clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from schema_kit.model import Column, Partitioning, Table
from schema_kit.model.grid import grid
from schema_kit.names import MAX_BYTES, QualifiedName
from schema_kit.plans import partitions
from tests.support.points import after, clocks, policies, reaches_the_end

pytestmark = pytest.mark.partitions


@settings(max_examples=300)
@given(policies(), clocks, st.lists(st.timedeltas(timedelta(), timedelta(days=400)), max_size=3))
def test_partitions_tile_and_running_twice_changes_nothing(
    declared: tuple[Partitioning, Table], now: datetime, later: list[timedelta]
) -> None:
    policy, table = declared
    lines = grid(policy, table)
    for moment in (now, *(now + by for by in later)):
        here = lines.here(moment)
        assume(not reaches_the_end(lines, here))
        steps = partitions.create_next(policy, table, here).steps
        table = after(table, steps)
        assert not partitions.create_next(policy, table, here)
        windows = list(lines.ahead(here))
        assert len(windows) == policy.premake + 1
        assert windows[0].lower <= here < windows[0].upper
        assert all(low.upper == high.lower for low, high in pairwise(windows)), "without gap or overlap"
        assert all(low.lower < low.upper for low in windows)  # type: ignore[operator]
    ranges = sorted((lines.range_of(one) for one in table.partitions), key=lambda one: one.lower)  # type: ignore[arg-type,return-value]
    assert all(low.upper <= high.lower for low, high in pairwise(ranges))  # type: ignore[operator]
    names = [partition.name for partition in table.partitions]
    assert len(set(names)) == len(names)
    assert all(len(name.name.encode()) <= MAX_BYTES for name in names)


@given(st.integers(1, 10**6), st.integers(-(10**9), 10**9), st.integers(-(10**6), 10**6), st.integers(1, 50))
def test_ids_tile_likewise(width: int, latest: int, origin: int, premake: int) -> None:
    policy = Partitioning(QualifiedName("s", "n" * 63), "k", str(width), premake=premake, origin=str(origin))
    table = Table(policy.parent, (Column("k", "bigint", True),), ("k",), "r")
    lines = grid(policy, table)
    here = lines.here(datetime(2026, 1, 1, tzinfo=UTC), latest)
    table = after(table, partitions.create_next(policy, table, here).steps)
    assert not partitions.create_next(policy, table, here)
    ranges = [lines.range_of(partition) for partition in table.partitions]
    assert ranges[0].lower <= latest < ranges[0].upper  # type: ignore[operator]
    assert all(low.upper == high.lower for low, high in pairwise(ranges))
    assert len({partition.name for partition in table.partitions}) == premake + 1
    assert all((one.lower - origin) % width == 0 for one in ranges)  # type: ignore[operator]
