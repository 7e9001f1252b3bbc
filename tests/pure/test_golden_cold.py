"""What is sent for cold archives, as scripts that a person can read; GOLDEN=write writes them."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from schema_kit.errors import PlanError
from schema_kit.model import (
    ArchivePolicy,
    ColdArchive,
    ColdColumn,
    ColdPartition,
    ColdServer,
    Column,
    DeclaredArchive,
    ForeignKey,
    Grant,
    Partition,
    Partitioning,
    Property,
    Stored,
    Table,
    View,
)
from schema_kit.names import QualifiedName
from schema_kit.offline import EmptyDatabase
from schema_kit.plans import cold
from schema_kit.script import LockPolicy, lock_statement, write
from schema_kit.steps import Plan
from schema_kit.steps.partitions import RegisterPolicy
from schema_kit.tasks import archives as tasks_of_archives
from schema_kit.tasks import cold as tasks_of_cold

pytestmark = [pytest.mark.steps, pytest.mark.archives]

GOLDEN = Path(__file__).parents[1] / "golden" / "cold"
CASES: dict[str, Callable[[], Plan]] = {}

T = QualifiedName("chat", "messages")
VIEW = View(T.sibling("all_messages"), "me", "")
COLUMNS = (
    ColdColumn("id", "bigint", not_null=True),
    ColdColumn("at", "timestamp with time zone", not_null=True),
    ColdColumn("it's", "text", collation='pg_catalog."C"', sorts=True),
    ColdColumn("mood", "chat.mood", built_in=False),
    ColdColumn("twice", "bigint", generated=True),
)
PART = Partition(T.sibling("messages_p202601"), "2026-01-01 00:00:00+00", "2026-02-01 00:00:00+00")
TABLE = Table(T, (), grants=(Grant("SELECT", "reader"),), owner="app", views=(VIEW,), partition_strategy="r")
ARCHIVE = replace(TABLE, name=T.sibling("messages_archive"), partitioned_by=("at",), partitions=(PART,))
ONE = ColdArchive(T, ARCHIVE.name, T.sibling("messages_cold"), "cold", "old", VIEW.name)
SERVER = ColdServer("cold", "public")
KNOWN = ColdPartition(
    PART.name, T, cold.foreign_name(PART.name), PART.name.name, "FOR VALUES ...", PART.lower, PART.upper
)
MOVE = cold.move(replace(ONE, identity="0e1"), SERVER, COLUMNS, "at", PART)
LONG_AGO = datetime(2026, 5, 1, tzinfo=UTC)
POLICY = ArchivePolicy(T, ARCHIVE.name, "90 days", "partition", cold_after="1 year")


def case(function: Callable[[], Plan]) -> Callable[[], Plan]:
    CASES[function.__name__] = function
    return function


@case
def made() -> Plan:
    """With the own tables, and the view over all three."""
    return cold.create(ONE, TABLE, ARCHIVE, COLUMNS, (), Stored.MISSING, (), invoker=True)


@case
def dropped() -> Plan:
    """The last one."""
    return cold.drop(ONE, TABLE, ARCHIVE, (), None, (), invoker=True, last=True)


@case
def goes() -> Plan:
    """Its foreign keys stay behind."""
    users = T.sibling("users")
    key = ForeignKey("messages_user_fkey", PART.name, ("id",), users, ("id",), "")
    return Plan("move", tuple(cold.out(MOVE, (key,), TABLE, prepared=False, copied=False)))


@case
def goes_on_where_it_was_killed() -> Plan:
    """The copy is complete."""
    return Plan("move", tuple(cold.out(MOVE, (), TABLE, prepared=True, copied=True)))


@case
def comes_back() -> Plan:
    """From the beginning."""
    return Plan("restore", tuple(cold.back(MOVE, KNOWN, ARCHIVE, T)))


@case
def comes_back_beside_a_default_and_again() -> Plan:
    """What an earlier run copied differs."""
    archive = replace(ARCHIVE, partitions=(Partition(T.sibling("rest"), None, None, default=True),))
    return Plan("restore", tuple(cold.back(MOVE, replace(KNOWN, returns=True, there=True), archive, T)))


@case
def gets_columns() -> Plan:
    """One partition exists, another one was being copied."""
    later = ColdColumn("it's 100%", "chat.mood", not_null=True, built_in=False)
    archive = replace(ARCHIVE, columns=(Column("it's 100%", "chat.mood", default="'low'::chat.mood"),))
    cold_table = replace(TABLE, name=ONE.cold, columns=(Column("id", "bigint"), Column("at", "date")))
    here = replace(KNOWN, moved_at=LONG_AGO, cold=True)
    going = replace(KNOWN, name=T.sibling("p2"), foreign=T.sibling("p2__cold"), remote="p2")
    return cold.widened(replace(ONE, identity="0e1"), SERVER, (later,), archive, cold_table, (here, going))


@case
def comes_back_with_a_column_that_came_later() -> Plan:
    """What went there is compared by the columns that it had; one of them is gone."""
    return Plan("restore", tuple(cold.back(MOVE, replace(KNOWN, summed=("at", "id", "gone")), ARCHIVE, T)))


@case
def goes_with_what_it_has_of_its_own() -> Plan:
    """Its description is kept."""
    own = (Property("table", "comment", "it's the first"),)
    return Plan("move", tuple(cold.out(MOVE, (), TABLE, own, prepared=True, copied=True)))


@pytest.mark.parametrize("name", CASES)
def test_the_plan_is_the_golden_one(name: str) -> None:
    path, found = GOLDEN / f"{name}.sql", write(CASES[name](), LockPolicy()) + "\n"
    if os.environ.get("GOLDEN") == "write":
        path.parent.mkdir(exist_ok=True)
        path.write_text(found, encoding="utf-8")
    golden = path.read_text(encoding="utf-8") if path.exists() else ""
    difference = difflib.unified_diff(golden.splitlines(), found.splitlines(), path.name, "this plan", lineterm="")
    assert golden == found, "\n" + "\n".join(difference) + "\nGOLDEN=write takes the plan over, if it is right."


def test_no_golden_file_is_left_over() -> None:
    assert sorted(path.stem for path in GOLDEN.glob("*.sql")) == sorted(CASES)


@pytest.mark.parametrize("name", CASES)
def test_no_lock_is_held_while_rows_are_compared(name: str) -> None:
    for step in CASES[name]().steps:
        assert not (step.may_block and lock_statement(step))


def test_an_existing_one_stays() -> None:
    there = replace(ONE, identity="0e1", cluster="1/2")
    assert not cold.create(ONE, TABLE, ARCHIVE, COLUMNS, (there,), Stored.CURRENT, (), invoker=True)
    with pytest.raises(PlanError, match=r"has the cold archive chat\.messages_cold on server cold"):
        cold.create(replace(ONE, server="other"), TABLE, ARCHIVE, COLUMNS, (there,), Stored.CURRENT, (), invoker=True)


def test_what_is_due_ended_long_enough_ago() -> None:
    partitioning = Partitioning(T, "at", "1 mon")
    archive = replace(ARCHIVE, columns=(Column("at", "timestamp with time zone", not_null=True),))
    for now, due in ((datetime(2027, 2, 1, tzinfo=UTC), (PART,)), (datetime(2027, 1, 31, tzinfo=UTC), ())):
        assert cold.due(POLICY, partitioning, archive, now) == due
    assert cold.due(replace(POLICY, cold_after=None), partitioning, archive, datetime(2030, 1, 1, tzinfo=UTC)) == ()


# What is done with a partition, by what is seen of it: whether it goes there still, whether its foreign table is a
# partition, whether it returns, when it went, whether the archive has it.
STATES = {
    "it rests there": (KNOWN, {"cold": True, "moved_at": LONG_AGO}, ()),
    "it was being copied": (KNOWN, {"attached_to": ARCHIVE.name, "there": True}, ()),
    "it went elsewhere meanwhile": (KNOWN, {"attached_to": T, "there": True}, ("DropCopy",)),
    "it is gone": (KNOWN, {}, ("DropCopy",)),
    "it comes back": (KNOWN, {"cold": True, "returns": True}, ("CopyFromCold", "SwapFromCold", "DropCopy")),
    "it is copied back": (KNOWN, {"cold": True, "returns": True, "copied": True}, ("SwapFromCold", "DropCopy")),
    "it is back": (KNOWN, {"returns": True, "copied": True}, ("DropCopy",)),
    "it was detached by hand": (KNOWN, {"moved_at": LONG_AGO}, ()),
}


@pytest.mark.parametrize("state", STATES)
def test_what_an_earlier_run_has_left_is_resumed(state: str) -> None:
    known, seen, steps = STATES[state]
    found, note = cold.resumed(replace(known, **seen), MOVE, ARCHIVE, T, {PART.name})  # type: ignore[arg-type]
    assert tuple(type(step).__name__ for step in found) == steps
    assert ("by hand" in note) == (state == "it was detached by hand")


def test_a_script_that_is_written_offline_follows_it() -> None:
    database = EmptyDatabase(datetime(2026, 1, 1, tzinfo=UTC))
    columns = (Column("id", "bigint", not_null=True), Column("at", "timestamp with time zone", not_null=True))
    database.remember(Table(T, columns, partitioned_by=("at",), partition_strategy="r"))
    partitioning = Partitioning(T, "at", "1 mon")

    def follow(plan: Plan) -> str:
        for step in plan.steps:
            database.apply(step)
        return write(plan, LockPolicy())

    follow(Plan("register", (RegisterPolicy(partitioning),)))
    follow(tasks_of_archives.create(database, DeclaredArchive(T, ARCHIVE.name, view=VIEW.name)))
    with pytest.raises(PlanError, match="has no cold archive for cold_after"):
        tasks_of_archives.set_policy(database, POLICY)
    assert 'SELECT "id", "at" FROM "chat"."messages_cold"' in follow(tasks_of_cold.create(database, ONE))
    assert "'1 year'" in follow(tasks_of_archives.set_policy(database, POLICY))
    assert not tasks_of_cold.create(database, ONE)
    for name in (T, ARCHIVE.name):
        database.add_column(name, Column("later", "integer"))
    repaired = follow(tasks_of_archives.repair(database, T, ARCHIVE.name, (), None, access=False))
    assert 'ALTER TABLE "chat"."messages_cold" ADD COLUMN "later" integer' in repaired
    assert not tasks_of_archives.repair(database, T, ARCHIVE.name, (), None, access=False)
    with pytest.raises(PlanError, match="sends partitions there"):
        tasks_of_cold.drop(database, T, None)
    follow(tasks_of_archives.drop_policy(database, T))
    assert 'DROP TABLE "chat"."messages_cold"' in follow(tasks_of_cold.drop(database, T, None))
    assert not tasks_of_cold.drop(database, T, None)
