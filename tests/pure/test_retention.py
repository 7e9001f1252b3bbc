"""Laws of retention: what is due ended before the horizon, the current range is not, what is gone is not due again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from schema_kit.errors import PlanError, SchemaKitError
from schema_kit.model import Column, Detaching, Partition, Partitioning, Retired, Stored, Table
from schema_kit.model.grid import grid
from schema_kit.names import QualifiedName
from schema_kit.plans import partitions
from schema_kit.plans.retention import due, grace, retire
from schema_kit.steps.retirement import DetachConcurrently, DropPartition, FinalizeDetach, ForgetRetired, MovePartition
from tests.support.points import after, clocks, policies, reaches_the_end

pytestmark = pytest.mark.partitions

LENGTHS = ["1 year", "3 years", "18 months", "400 days", "60 weeks"]


@settings(max_examples=100)
@given(policies(), clocks, st.timedeltas(timedelta(days=1), timedelta(days=2000)), st.sampled_from(LENGTHS))
def test_what_is_due(declared: tuple[Partitioning, Table], now: datetime, later: timedelta, length: str) -> None:
    policy, table = declared
    policy = replace(policy, retention=length)
    lines = grid(policy, table)
    for moment in (now, now + later / 2, now + later):
        here = lines.here(moment)
        assume(not reaches_the_end(lines, here))
        table = after(table, partitions.create_next(policy, table, here).steps)
    try:
        past, notes = due(policy, table, here)
    except PlanError:  # a partition is wider than that
        assume(False)
    assert not notes
    uppers = [lines.range_of(one).upper for one in past]
    assert uppers == sorted(uppers)  # type: ignore[type-var]
    left = tuple(one for one in table.partitions if one not in past)
    assert all(lines.covered(window, replace(table, partitions=left)) for window in lines.ahead(here))
    assert due(policy, replace(table, partitions=left), here) == ((), ())
    # A day less than the shortest of these lengths keeps everything that ended within it.
    assert all(upper <= here - timedelta(days=360) for upper in uppers)
    assert all(lines.range_of(one).upper > here - timedelta(days=1100) for one in left)


@given(st.integers(1, 10**6), st.integers(0, 10**9), st.integers(1, 20))
def test_ids_likewise(width: int, latest: int, kept: int) -> None:
    policy = Partitioning(QualifiedName("s", "t"), "k", str(width), retention=str(width * kept))
    table = Table(policy.parent, (Column("k", "bigint", True),), ("k",), "r")
    table = after(table, partitions.create_next(policy, table, max(0, latest - width * 30)).steps)
    table = after(table, partitions.create_next(policy, table, latest).steps)
    past, _ = due(policy, table, latest)
    ends = {one: int(one.upper or 0) <= latest - width * kept for one in table.partitions}
    assert {one for one in ends if ends[one]} == set(past)


PARENT = QualifiedName("s", "t")
NOW = datetime(2026, 5, 20, tzinfo=UTC)
MONTHLY = Partitioning(PARENT, "k", "1 mon", retention="2 months")
TABLE = Table(
    PARENT,
    (Column("k", "date", True),),
    ("k",),
    "r",
    partitions=tuple(
        Partition(PARENT.sibling(f"t{month}"), f"2026-0{month}-01", f"2026-0{month + 1}-01") for month in range(1, 7)
    ),
)


def names(policy: Partitioning, table: Table) -> list[str]:
    return [one.name.name for one in due(policy, table, grid(policy, table).here(NOW))[0]]


def test_bounds_decide() -> None:
    assert names(MONTHLY, TABLE) == ["t1", "t2"]
    first, second, *rest = TABLE.partitions
    assert names(MONTHLY, replace(TABLE, partitions=(replace(first, lower=None), *rest))) == ["t1"]
    assert names(MONTHLY, replace(TABLE, partitions=(replace(second, lower="2026-02-03"), *rest))) == []
    assert names(MONTHLY, replace(TABLE, partitions=(replace(first, upper="2026-03-01"), *rest))) == ["t1"]
    assert names(MONTHLY, replace(TABLE, partitions=(replace(first, upper=None, lower="2026-07-01"), *rest))) == []
    assert names(MONTHLY, replace(TABLE, partitions=(first, second))) == ["t1"]
    default = Partition(PARENT.sibling("d"), None, None, default=True)
    assert names(MONTHLY, replace(TABLE, partitions=(first, default))) == []
    assert names(replace(MONTHLY, retention=None), TABLE) == []


@pytest.mark.parametrize("text", ["0", "0 days", " 0 "])
def test_no_grace(text: str) -> None:
    assert grace(replace(MONTHLY, retention_grace=text)) is None


@pytest.mark.parametrize("wrong", [{"retention": "27 days"}, {"retention": "100"}, {"detach": "now"}])
def test_what_makes_no_sense(wrong: dict[str, str]) -> None:
    with pytest.raises(SchemaKitError):
        names(replace(MONTHLY, **wrong), TABLE)  # type: ignore[arg-type]


JANUARY = Detaching(PARENT, PARENT.sibling("t1"), 7, PARENT, bounds="FOR VALUES ...", has_record=Stored.CURRENT)
OUT = replace(JANUARY, attached_to=None, recorded=True)


def row(days: int, **changes: object) -> Retired:
    return replace(Retired(JANUARY.name, PARENT, True, NOW - timedelta(days=days)), **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("policy", "leaves", "retired", "kinds"),
    [
        ({}, [JANUARY], {}, ["RecordRetired", "DetachConcurrently"]),
        ({}, [replace(JANUARY, recorded=True)], {}, ["DetachConcurrently"]),
        (
            {},
            [replace(JANUARY, has_record=Stored.MISSING)],
            {},
            ["EnsureTable", "RecordRetired", "DetachConcurrently"],
        ),
        ({}, [replace(JANUARY, pending=True, recorded=True)], {}, ["FinalizeDetach"]),
        ({}, [replace(JANUARY, default=PARENT.sibling("d"))], {}, ["RecordRetired", "Detach"]),
        ({"detach": "blocking"}, [JANUARY], {}, ["RecordRetired", "Detach"]),
        ({}, [replace(JANUARY, referred=("rows",))], {}, []),
        ({"retention_schema": "old"}, [JANUARY], {}, ["RecordRetired", "DetachConcurrently", "MovePartition"]),
        ({"retention_keep_table": False}, [], {row(6): OUT}, []),
        ({"retention_keep_table": False}, [], {row(7): OUT}, ["DropPartition"]),
        ({"retention_keep_table": False, "retention_grace": "1 mon"}, [], {row(29): OUT}, []),
        ({"retention_keep_table": False, "retention_grace": "1 mon"}, [], {row(30): OUT}, ["DropPartition"]),
        ({"retention_keep_table": False}, [], {row(99): replace(OUT, dependents=("a view",))}, []),
        ({"retention_keep_table": False}, [], {row(99, by_policy=False): OUT}, []),
        ({"retention_keep_table": False, "retention_schema": "old"}, [], {row(99): OUT}, ["MovePartition"]),
        ({"retention_keep_table": False, "retention_schema": "s"}, [], {row(99): OUT}, []),
        ({}, [], {row(99): OUT}, []),
        ({}, [], {row(1, there=False): None}, ["ForgetRetired"]),
        ({}, [JANUARY], {row(1, there=False): None}, ["RecordRetired", "DetachConcurrently"]),
    ],
)
def test_what_becomes_of_it(
    policy: dict[str, object], leaves: list[Detaching], retired: dict[Retired, Detaching | None], kinds: list[str]
) -> None:
    plan = retire(replace(MONTHLY, **policy), leaves, [], retired, NOW, ("CREATE ...",))  # type: ignore[arg-type]
    assert [type(step).__name__ for step in plan.steps] == kinds
    assert {DetachConcurrently, DropPartition, FinalizeDetach, ForgetRetired, MovePartition} >= {
        type(step) for step in plan.steps[2:]
    }
