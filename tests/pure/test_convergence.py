"""Stopped after any step, a plan goes on with what is left, and with nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from schema_kit.model import Column, Conversion, ForeignKey, Index, Partition, Partitioning, Relation, Stored, Table
from schema_kit.plans import conversion, indexes, partitions
from schema_kit.script import LockPolicy, write
from schema_kit.steps import Plan, Step
from schema_kit.steps.constraints import AddCheck, ValidateConstraint
from schema_kit.steps.conversion import BuildParent, DropBuiltParent, Swap
from schema_kit.steps.partitions import CreatePartition
from schema_kit.steps.referring import FillKeyColumn
from tests.support.shapes import (
    MESSAGES,
    NOW,
    REACTION_KEY,
    after_conversion_step,
    after_index_step,
    index_declaration,
    name,
    referring,
    rich,
    simple,
    tree,
)

pytestmark = pytest.mark.steps

LIKES_KEY = ForeignKey(
    "likes_message_fkey",
    name("bots.likes"),
    ("message",),
    MESSAGES,
    ("id",),
    "FOREIGN KEY (message) REFERENCES bots.messages(id)",
)
BOTH = (referring(REACTION_KEY), referring(LIKES_KEY))
RICH = Conversion(rich(), NOW, referring=(referring(REACTION_KEY),))
POLICY = Partitioning(MESSAGES, "created_at", "1 month", "Asia/Bangkok", premake=3)
EVENTS = Partitioning(name("public.events"), "created_at", "1 month", premake=2)

SCENES: dict[str, tuple[Partitioning, Conversion, Any]] = {
    "rich, composite": (POLICY, RICH, "composite"),
    "rich, dropped": (POLICY, replace(RICH, referring=()), "drop"),
    "two tables refer to it": (
        POLICY,
        replace(RICH, table=replace(rich(), incoming=(REACTION_KEY, LIKES_KEY)), referring=BOTH),
        "composite",
    ),
    "simple": (EVENTS, Conversion(simple(), NOW), "refuse"),
    "rows ahead": (EVENTS, Conversion(simple(), NOW, latest=NOW.replace(month=12)), "refuse"),
    "dates by week": (replace(EVENTS, interval="week"), Conversion(simple(kind="date"), NOW), "refuse"),
    "timestamps by quarter": (
        replace(EVENTS, interval="quarter", timezone="Asia/Kathmandu"),
        Conversion(simple(kind="timestamp without time zone"), NOW),
        "refuse",
    ),
    "days": (replace(EVENTS, interval="1 day", timezone="Asia/Bangkok"), Conversion(simple(), NOW), "refuse"),
    "years": (replace(EVENTS, interval="1 year", premake=1), Conversion(simple(), NOW), "refuse"),
}


def script(steps: tuple[Step, ...]) -> str:
    return write(Plan("", steps), LockPolicy())


@pytest.mark.parametrize("scene", SCENES)
def test_a_conversion_resumes_where_it_was_stopped(scene: str) -> None:
    policy, seen, incoming = SCENES[scene]
    steps = conversion.convert(policy, seen, incoming).steps
    for done in range(len(steps) + 1):
        left = conversion.convert(policy, seen, incoming).steps
        assert script(left) == script(steps[done:]), f"stopped after {done} steps"
        if done < len(steps):
            seen = after_conversion_step(seen, steps[done], policy)
    assert not conversion.convert(policy, seen, incoming)


@pytest.mark.parametrize(
    ("zone", "month", "day"),
    [("Africa/Cairo", 4, 22), ("Asia/Beirut", 3, 27), ("America/Havana", 3, 6), ("America/Santiago", 9, 4)],
)
def test_a_conversion_whose_bound_is_a_midnight_that_the_clock_skips_goes_on(zone: str, month: int, day: int) -> None:
    policy = replace(EVENTS, interval="1 day", timezone=zone)
    seen = Conversion(simple(), NOW.replace(month=month, day=day, hour=18), has_config=Stored.CURRENT)
    steps = conversion.convert(policy, seen, "refuse").steps
    for step in steps[:2]:
        seen = after_conversion_step(seen, step, policy)
    assert script(conversion.convert(policy, seen, "refuse").steps) == script(steps[2:])


def test_the_swap_comes_after_everything_that_takes_long() -> None:
    steps = conversion.convert(POLICY, RICH, "composite").steps
    swap = next(place for place, step in enumerate(steps) if isinstance(step, Swap))
    assert [step.summary for step in steps[swap + 1 :]] == [
        "validate reactions_message_id_fkey of bots.reactions",
        "drop index bots.reactions_message_created_at__fill concurrently",
        "analyze bots.messages",
    ]
    build = next(place for place, step in enumerate(steps) if isinstance(step, BuildParent))
    assert build > max(place for place, step in enumerate(steps) if isinstance(step, FillKeyColumn))


def test_rows_that_came_without_a_key_after_the_fill_are_filled_again() -> None:
    seen = RICH
    for step in conversion.convert(POLICY, seen, "composite").steps:
        if isinstance(step, Swap):
            break
        seen = after_conversion_step(seen, step, POLICY)
    late = replace(seen, referring=tuple(replace(other, unfilled=True) for other in seen.referring))
    kinds = [type(step).__name__ for step in conversion.convert(POLICY, late, "composite").steps]
    assert kinds[:2] == ["FillKeyColumn", "Swap"]


@pytest.mark.parametrize(
    "change",
    [
        {"columns": (*rich().columns, Column("mood", "text"))},
        {"indexes": (*rich().indexes, Index("ix_new", "btree (text)", ("text",)))},
        {"foreign_keys": ()},
        {"checks": ()},
        {"sequences": rich().sequences[:1]},
        {"policies": ()},
        {"row_security": False},
        {"force_row_security": True},
        {"grants": ()},
        {"owner": "another"},
        pytest.param({"indexes": tuple(replace(index, constraint=None) for index in rich().indexes)}),
    ],
    ids=lambda change: ",".join(change),
)
def test_a_table_that_changed_has_its_parent_built_again(change: dict[str, Any]) -> None:
    seen = RICH
    for step in conversion.convert(POLICY, seen, "drop").steps:
        if isinstance(step, Swap):
            break
        seen = after_conversion_step(seen, step, POLICY)
    assert not any(
        isinstance(step, (DropBuiltParent, BuildParent)) for step in conversion.convert(POLICY, seen, "drop").steps
    )
    kept = tuple(index for index in seen.table.indexes if index.name == "messages__key")
    if "indexes" in change:
        change = {"indexes": (*change["indexes"], *kept)}
    if "checks" in change:
        change = {"checks": tuple(check for check in seen.table.checks if check[0] == "schema_kit_bound")}
    changed = replace(seen, table=replace(seen.table, **change))
    kinds = [type(step).__name__ for step in conversion.convert(POLICY, changed, "drop").steps]
    assert kinds == ["DropBuiltParent", "BuildParent", "CreatePartition", "CreatePartition", "Swap", "Analyze"]


INDEX_SCENES: dict[str, tuple[Relation, ...]] = {
    "plain": (Relation(MESSAGES),),
    "partitions of partitions": tree(),
    "no partition yet": (Relation(MESSAGES, partitioned=True),),
    "an INVALID leftover": (Relation(MESSAGES, (Index("ix_messages_chat", "", valid=False),)),),
    "a partitioned partition without partitions": (
        Relation(MESSAGES, partitioned=True),
        Relation(name("bots.messages_2025"), parent=MESSAGES, partitioned=True),
    ),
}


@pytest.mark.parametrize("scene", INDEX_SCENES)
def test_an_index_resumes_where_it_was_stopped(scene: str) -> None:
    relations = INDEX_SCENES[scene]
    steps = indexes.create_index(index_declaration(), relations).steps
    assert steps
    for done in range(len(steps) + 1):
        left = indexes.create_index(index_declaration(), relations).steps
        assert script(left) == script(steps[done:]), f"stopped after {done} steps"
        if done < len(steps):
            relations = after_index_step(relations, steps[done])
    assert all(index.valid for relation in relations for index in relation.indexes)
    assert all(relation.indexes for relation in relations)


@pytest.mark.parametrize("filled", [False, True])
def test_partitions_ahead_go_on_where_they_were_stopped(filled: bool) -> None:
    table: Table = replace(simple(), partition_strategy="r", partitioned_by=("created_at",))
    default = simple("public.events_default")
    if filled:
        table = replace(table, partitions=(Partition(default.name, None, None, default=True),))
    steps = partitions.create_next(EVENTS, table, NOW, default if filled else None).steps
    assert len(steps) == (9 if filled else 3)
    for done in range(len(steps) + 1):
        left = partitions.create_next(EVENTS, table, NOW, default if filled else None).steps
        assert script(left) == script(steps[done:]), f"stopped after {done} steps"
        if done < len(steps):
            table, default = after_next(table, default, steps[done])
    assert not default.checks


def after_next(table: Table, default: Table, step: Step) -> tuple[Table, Table]:
    match step:
        case AddCheck():
            return table, replace(default, checks=(*default.checks, (step.name, "CHECK (...) NOT VALID", False)))
        case ValidateConstraint():
            return table, replace(default, checks=tuple((n, d, v or n == step.name) for n, d, v in default.checks))
        case CreatePartition(_, partition, lower, upper):
            made = replace(table, partitions=(*table.partitions, Partition(partition, lower, upper)))
            return made, replace(default, checks=tuple(c for c in default.checks if c[0] != step.default_check))
        case _:
            raise AssertionError(step)
