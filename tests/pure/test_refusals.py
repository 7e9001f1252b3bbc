"""What cannot be done is refused before anything is written, and every reason is named."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from schema_kit.errors import DeclarationError, PlanError
from schema_kit.marks import BOUND_CHECK
from schema_kit.model import (
    BaselineTable,
    Column,
    Conversion,
    ForeignKey,
    Index,
    Partition,
    Partitioning,
    Referring,
    Relation,
    Table,
    Trigger,
)
from schema_kit.plans import baseline, conversion, indexes, partitions, unpartition
from schema_kit.server import Server
from schema_kit.steps import Step
from schema_kit.steps.conversion import DropBuiltParent
from schema_kit.steps.partitions import CreatePartition
from tests.support.shapes import (
    AWARE,
    CHAT_KEY,
    MESSAGES,
    NOW,
    REACTION_KEY,
    index_declaration,
    name,
    referring,
    rich,
    simple,
)

pytestmark = pytest.mark.conversion

EVENTS = Partitioning(name("public.events"), "created_at", "1 month", premake=2)
MONTHLY = Partitioning(MESSAGES, "created_at", "1 month", premake=2)


def refused(seen: Conversion | None, policy: Partitioning = EVENTS, incoming: Any = "refuse") -> str:
    with pytest.raises(PlanError) as caught:
        conversion.convert(policy, seen, incoming)
    return str(caught.value)


def reasons(message: str) -> list[str]:
    return [line.removeprefix("  - ") for line in message.splitlines() if line.startswith("  - ")]


EVENT_INDEXES = simple().indexes
OBSTACLES: dict[str, tuple[dict[str, Any], str]] = {
    "no primary key": ({"primary_key": (), "indexes": ()}, "it has no primary key"),
    "a partition": ({"is_partition": True}, "it is a partition itself"),
    "unique index": (
        {"indexes": (*EVENT_INDEXES, Index("uq_body", "btree (body)", ("body",), unique=True))},
        "uq_body is unique without created_at",
    ),
    "unique constraint": (
        {"indexes": (*EVENT_INDEXES, Index("uq", "btree (body)", ("body",), unique=True, constraint="UNIQUE (body)"))},
        "uq is unique without created_at",
    ),
    "exclusion": (
        {"indexes": (*EVENT_INDEXES, Index("no_two", "gist (...)", exclusion=True, constraint="EXCLUDE ..."))},
        "exclusion constraint no_two",
    ),
    "invalid index": (
        {"indexes": (*EVENT_INDEXES, Index("ix_broken", "btree (body)", ("body",), valid=False))},
        "index ix_broken is INVALID",
    ),
    "check": ({"checks": (("positive", "CHECK ((id > 0)) NOT VALID", False),)}, "check positive is not validated"),
    "foreign key": (
        {"foreign_keys": (replace(CHAT_KEY, validated=False),)},
        "foreign key messages_chat_id_fkey is not validated",
    ),
    "trigger": (
        {"triggers": (Trigger("stamp", "", source="NEW.created_at := now();", before_row=True),)},
        "trigger stamp is BEFORE ROW and speaks of created_at",
    ),
    "materialized view": (
        {"obstacles": ("rule _RETURN on materialized view totals",)},
        "rule _RETURN on materialized view totals",
    ),
}


@pytest.mark.parametrize(("change", "reason"), OBSTACLES.values(), ids=OBSTACLES)
def test_an_obstacle_is_named_and_it_alone(change: dict[str, Any], reason: str) -> None:
    found = reasons(refused(Conversion(replace(simple(), **change), NOW)))
    assert len(found) == 1
    assert found[0].startswith(reason)


def test_all_obstacles_are_named_at_once() -> None:
    table = replace(
        simple(),
        is_partition=True,
        obstacles=("function f(events)", "publication p"),
        indexes=(*EVENT_INDEXES, Index("uq_body", "", ("body",), unique=True)),
    )
    found = reasons(refused(Conversion(table, NOW, beyond=3, latest=NOW)))
    assert [reason.split()[0] for reason in found] == ["function", "publication", "it", "uq_body", "3"]


@pytest.mark.parametrize(
    "harmless",
    [
        {"indexes": (*EVENT_INDEXES, Index("uq", "", ("body", "created_at"), unique=True))},
        {"triggers": (Trigger("stamp", "CREATE TRIGGER", source="NEW.created_at := now();"),)},
        {"triggers": (Trigger("stamp", "CREATE TRIGGER", source="NEW.created_at_text := '';", before_row=True),)},
        {"checks": ((BOUND_CHECK, "CHECK ((created_at < '2027-01-01 00:00:00+00'::x)) NOT VALID", False),)},
        {
            "indexes": (
                *EVENT_INDEXES,
                Index("events__key", "btree (id, created_at)", ("id", "created_at"), unique=True, valid=False),
            )
        },
    ],
)
def test_what_is_not_an_obstacle(harmless: dict[str, Any]) -> None:
    assert conversion.convert(EVENTS, Conversion(replace(simple(), **harmless), NOW), "refuse")


def test_rows_beyond_premake_are_counted_and_the_greatest_key_is_reported() -> None:
    latest = NOW + timedelta(days=900)
    found = reasons(refused(Conversion(simple(), NOW, beyond=7, latest=latest)))
    assert len(found) == 1
    assert found[0].startswith("7 rows lie farther in the future than premake=2 reaches")
    assert str(latest) in found[0]


def test_rows_without_a_key_are_counted() -> None:
    found = reasons(refused(Conversion(simple(), NOW, keyless=5)))
    assert len(found) == 1
    assert found[0].startswith("5 rows have no created_at")


def test_there_is_no_such_table() -> None:
    assert "there is no such table" in refused(None)


def test_there_is_no_such_column() -> None:
    assert "has no column 'sent_at'" in refused(Conversion(simple(), NOW), replace(EVENTS, control="sent_at"))


def test_the_column_holds_no_time() -> None:
    assert "column 'id' of public.events is bigint" in refused(Conversion(simple(), NOW), replace(EVENTS, control="id"))


@pytest.mark.parametrize("premake", [0, -1])
def test_without_a_partition_ahead_tomorrow_s_rows_have_none(premake: int) -> None:
    with pytest.raises(DeclarationError, match="premake is at least 1"):
        conversion.convert(replace(EVENTS, premake=premake), Conversion(simple(), NOW), "refuse")


def test_an_unknown_way_for_incoming_foreign_keys() -> None:
    unknown: Any = "cascade"
    with pytest.raises(DeclarationError, match="'refuse', 'drop' or 'composite', not 'cascade'"):
        conversion.convert(EVENTS, Conversion(simple(), NOW), unknown)


@pytest.mark.parametrize(
    "definition", ["CHECK ((id > 0))", "CHECK ((created_at < 'infinity'::timestamp with time zone))"]
)
def test_a_check_that_only_has_the_name_of_ours(definition: str) -> None:
    table = replace(simple(), checks=((BOUND_CHECK, definition, True),))
    assert "is not one that a conversion made" in refused(Conversion(table, NOW))


def test_a_table_that_only_has_the_name_of_ours_is_not_dropped() -> None:
    mine = Table(name("public.events__new"), simple().columns, comment="my own copy, with rows")
    steps: tuple[Step, ...] = ()
    with suppress(PlanError):
        steps = conversion.convert(EVENTS, Conversion(simple(), NOW, built=mine), "refuse").steps
    assert not any(isinstance(step, DropBuiltParent) for step in steps)


def test_an_index_that_only_has_the_name_of_ours_is_not_taken_for_it() -> None:
    mine = Index("events__key", "btree (body)", ("body",), unique=True)
    refused(Conversion(replace(simple(), indexes=(*EVENT_INDEXES, mine)), NOW))


# Foreign keys of other tables


def test_an_incoming_foreign_key_is_refused_unless_a_way_is_chosen() -> None:
    found = reasons(refused(Conversion(rich(), NOW), MONTHLY))
    assert len(found) == 1
    assert found[0].startswith("foreign key reactions_message_id_fkey of bots.reactions refers to it by (id)")
    assert "'composite'" in found[0]
    assert "'drop'" in found[0]


KEYS: dict[str, tuple[dict[str, Any], str]] = {
    "its own": ({"table": MESSAGES}, "is the table's own"),
    "several columns": (
        {"columns": ("message_id", "bot_id"), "referenced_columns": ("id", "bot_id")},
        "several columns",
    ),
    "on update": ({"on_update": "c"}, "ON UPDATE other than NO ACTION"),
    "on delete set default": ({"on_delete": "d"}, "ON DELETE SET DEFAULT"),
    "deferrable": ({"deferred": "DEFERRABLE"}, "is DEFERRABLE"),
    "deferred": ({"deferred": "DEFERRABLE INITIALLY DEFERRED"}, "is DEFERRABLE INITIALLY DEFERRED"),
    "not validated": ({"validated": False}, "is not validated"),
}


@pytest.mark.parametrize(("change", "reason"), KEYS.values(), ids=KEYS)
def test_a_foreign_key_that_the_composite_way_does_not_know(change: dict[str, Any], reason: str) -> None:
    key: ForeignKey = replace(REACTION_KEY, **change)
    seen = Conversion(replace(rich(), incoming=(key,)), NOW, referring=(referring(key),))
    found = reasons(refused(seen, MONTHLY, "composite"))
    assert len(found) == 1
    assert found[0].startswith(f"foreign key reactions_message_id_fkey of {key.table}")
    assert reason in found[0]
    assert conversion.convert(MONTHLY, seen, "drop"), "dropping it is always a way"


def test_the_composite_way_needs_to_see_all_rows() -> None:
    seen = Conversion(replace(rich(), force_row_security=True), NOW, referring=(referring(REACTION_KEY),))
    assert "has FORCE ROW LEVEL SECURITY" in refused(seen, MONTHLY, "composite")
    assert conversion.convert(MONTHLY, seen, "drop")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"partitioned": True}, "bots.reactions is partitioned"),
        ({"may_create": False}, "needs CREATE on schema bots"),
        ({"update_triggers": ("stamp",)}, "trigger stamp of bots.reactions would fire"),
        ({"has_column": True, "unfilled": True, "update_triggers": ("stamp",)}, "trigger stamp"),
    ],
)
def test_a_referring_table_that_the_composite_way_does_not_know(change: dict[str, Any], reason: str) -> None:
    seen = Conversion(rich(), NOW, referring=(replace(referring(REACTION_KEY), **change),))
    found = reasons(refused(seen, MONTHLY, "composite"))
    assert len(found) == 1
    assert reason in found[0]


def test_a_trigger_that_is_fired_no_more_is_not_an_obstacle() -> None:
    filled = replace(referring(REACTION_KEY), has_column=True, may_create=False, update_triggers=("stamp",))
    assert conversion.convert(MONTHLY, Conversion(rich(), NOW, referring=(filled,)), "composite")


def test_cascades_need_15() -> None:
    seen = Conversion(rich(), NOW, referring=(referring(REACTION_KEY),), server=Server(140012))
    assert "PostgreSQL 14 would fire that" in refused(seen, MONTHLY, "composite")
    assert conversion.convert(MONTHLY, replace(seen, server=Server(150000)), "composite")


# What is partitioned already, otherwise


@pytest.mark.parametrize(("strategy", "word"), [("l", "LIST"), ("h", "HASH"), ("r", "RANGE")])
def test_a_table_that_is_partitioned_otherwise(strategy: str, word: str) -> None:
    table = replace(simple(), partition_strategy=strategy, partitioned_by=("body",))
    assert f"its key is {word} (body)" in refused(Conversion(table, NOW))
    with pytest.raises(PlanError, match=rf"not partitioned by RANGE \(created_at\).*{word} \(body\)"):
        partitions.create_next(EVENTS, table, NOW)


def partitioned(*parts: Partition) -> Table:
    return replace(simple(), partition_strategy="r", partitioned_by=("created_at",), partitions=parts)


def test_partitions_ahead_of_nothing_or_of_a_plain_table() -> None:
    with pytest.raises(PlanError, match=r"no such table."):
        partitions.create_next(EVENTS, None, NOW)
    with pytest.raises(PlanError, match=r"is a plain table. Convert it first "):
        partitions.create_next(EVENTS, simple(), NOW)


@pytest.mark.parametrize(
    ("lower", "upper"),
    [
        ("2026-11-15 00:00:00+00", "2026-12-15 00:00:00+00"),
        ("2026-11-30 17:00:00+00", "2026-12-31 17:00:00+00"),
        ("2026-12-10 00:00:00+00", "2026-12-11 00:00:00+00"),
        (None, "2026-12-02 00:00:00+00"),
        ("2027-01-31 23:59:59.999999+00", None),
    ],
)
def test_bounds_that_cross_a_window(lower: str | None, upper: str | None) -> None:
    odd = Partition(name("public.events_odd"), lower, upper)
    with pytest.raises(PlanError, match=r"public.events_odd holds .* crosses "):
        partitions.create_next(EVENTS, partitioned(odd), NOW)


def test_bounds_that_only_touch_a_window_do_not_cross_it() -> None:
    before = Partition(name("public.a"), None, "2026-11-01 00:00:00+00")
    after = Partition(name("public.b"), "2027-02-01 00:00:00+00", None)
    assert len(partitions.create_next(EVENTS, partitioned(before, after), NOW).steps) == 3


def test_a_bound_of_infinity_has_no_end() -> None:
    wide = Partition(name("public.all"), "-infinity", "infinity")
    assert not partitions.create_next(EVENTS, partitioned(wide), NOW)


def test_a_table_that_would_reach_too_far_ahead() -> None:
    table = replace(simple(), partition_strategy="r", partitioned_by=("created_at",))
    with pytest.raises(PlanError, match=r"premake of public\.events is 1001, and at most 1000 "):
        partitions.create_next(replace(EVENTS, premake=1001), table, NOW)
    *_, last = partitions.create_next(replace(EVENTS, interval="100 years", premake=1000), table, NOW).steps
    assert isinstance(last, CreatePartition)
    assert last.upper is None, "the last one ends with the type"
    (last,) = partitions.create_next(EVENTS, table, NOW.replace(year=9999, month=12, day=31)).steps
    assert isinstance(last, CreatePartition)
    assert last.upper is None
    assert len(partitions.create_next(replace(EVENTS, premake=1000), table, NOW).steps) == 1001


def test_policies_are_left_before_their_table_goes() -> None:
    with pytest.raises(PlanError, match=r"holds policies."):
        partitions.drop_part_config(True, exists=True, alone=True)
    assert partitions.drop_part_config(False, exists=True, alone=True)
    assert not partitions.drop_part_config(False, exists=False, alone=False)


# Indexes


def test_an_index_on_nothing() -> None:
    with pytest.raises(PlanError, match=r"no such table."):
        indexes.create_index(index_declaration(), [])


@pytest.mark.parametrize(
    "there", [Index("ix_messages_chat", "btree (chat_id)"), Index("ix_messages_chat", "btree (a)", unique=True)]
)
def test_an_index_of_that_name_with_another_definition(there: Index) -> None:
    with pytest.raises(PlanError) as caught:
        indexes.create_index(index_declaration(), [Relation(MESSAGES, (there,))], printed="btree (a)")
    assert there.tail in str(caught.value)
    assert "btree (a)" in str(caught.value)
    same = Index("ix_messages_chat", "btree (a)")
    assert not indexes.create_index(index_declaration(), [Relation(MESSAGES, (same,))], printed="btree (a)")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"constraint": "UNIQUE (chat_id)"}, r"carries the constraint ix_messages_chat of bots.messages"),
        ({"parent": name("bots.ix_all")}, r"is the part of bots.ix_all"),
    ],
)
def test_an_index_that_something_rests_on_is_not_dropped(change: dict[str, Any], reason: str) -> None:
    there = replace(Index("ix_messages_chat", "btree (chat_id)"), **change)
    with pytest.raises(PlanError, match=reason):
        indexes.drop_index(name("bots.ix_messages_chat"), [Relation(MESSAGES, (there,))])


# And back


def swapped() -> tuple[Conversion, Table]:
    leaf = Partition(name("public.events_before"), None, "2027-01-01 00:00:00+00")
    table = replace(partitioned(leaf), primary_key=("id", "created_at"))
    return Conversion(table, NOW), replace(simple("public.events_before"), is_partition=True)


def kept_partitioned(seen: Conversion | None, heir: Table | None) -> list[str]:
    with pytest.raises(PlanError) as caught:
        unpartition.unpartition(EVENTS.parent, seen, heir, has_policy=True)
    return reasons(str(caught.value)) or [str(caught.value)]


def test_the_rollback_is_refused_by_name() -> None:
    seen, heir = swapped()
    assert unpartition.unpartition(EVENTS.parent, seen, heir, has_policy=True)
    assert "there is no such table" in kept_partitioned(None, None)[0]
    assert kept_partitioned(seen, None) == ["its first partition is missing or partitioned itself"]
    strange = replace(heir, checks=(("short", "CHECK ((length(word) < 9))", True),))
    assert kept_partitioned(seen, strange) == ["check short is of public.events_before alone"]
    deeper = replace(heir, partition_strategy="r")
    assert kept_partitioned(seen, deeper) == ["its first partition is missing or partitioned itself"]
    used = replace(seen, table=replace(seen.table, obstacles=("materialized view totals",)))
    assert kept_partitioned(used, heir) == ["materialized view totals"]


def test_a_foreign_key_that_the_conversion_did_not_make_keeps_the_table_partitioned() -> None:
    seen, heir = swapped()
    own, foreign = REACTION_KEY, replace(REACTION_KEY, name="foreign_fkey")
    table = replace(seen.table, incoming=(own, foreign))
    made = Referring(own, "message_created_at", has_column=True)
    found = kept_partitioned(replace(seen, table=table, referring=(made,)), heir)
    assert found == ["foreign key foreign_fkey of bots.reactions refers to it"]


# The baseline

CHATS = Table(
    name("bots.chats"),
    (Column("id", "bigint", not_null=True), Column("title", "text"), Column("at", AWARE, not_null=True)),
    primary_key=("id",),
)
DECLARED = [BaselineTable(CHATS, ("CREATE TABLE bots.chats ()",)), BaselineTable(simple(), ("CREATE TABLE events ()",))]


def compared(have: Table) -> list[str]:
    with pytest.raises(PlanError) as caught:
        baseline.create_baseline(DECLARED, {CHATS.name: have, simple().name: None}, (), has_ledger=True)
    return reasons(str(caught.value))


def test_every_difference_is_named() -> None:
    odd = replace(
        CHATS,
        columns=(Column("id", "integer"), Column("at", AWARE), Column("mine", "text")),
        primary_key=("id", "mine"),
        partition_strategy="r",
    )
    assert compared(odd) == [
        "bots.chats is partitioned already",
        "bots.chats.id is integer, expected bigint",
        "bots.chats has no column title (text)",
        "bots.chats.at may be NULL, expected NOT NULL",
        "bots.chats has primary key (id, mine), expected (id)",
    ]


def test_the_differences_of_several_tables_are_named_together() -> None:
    have = {CHATS.name: replace(CHATS, primary_key=()), simple().name: replace(simple(), primary_key=())}
    with pytest.raises(PlanError) as caught:
        baseline.create_baseline(DECLARED, have, (), has_ledger=True)
    assert [reason.split()[0] for reason in reasons(str(caught.value))] == ["bots.chats", "public.events"]


@pytest.mark.parametrize(
    "have",
    [
        CHATS,
        replace(CHATS, columns=(Column("mine", "text"), *CHATS.columns)),
        replace(CHATS, columns=tuple(replace(column, not_null=True) for column in CHATS.columns)),
        replace(CHATS, indexes=(Index("mine", "btree (title)"),), comment="mine"),
    ],
)
def test_a_table_that_has_more_than_was_declared_is_left_as_it_is(have: Table) -> None:
    plan = baseline.create_baseline(DECLARED, {CHATS.name: have, simple().name: simple()}, (), has_ledger=False)
    assert not plan


def test_a_table_that_holds_rows_is_not_dropped() -> None:
    made = {"table": frozenset({"bots.chats"}), "schema": frozenset[str](), "extension": frozenset[str]()}
    with pytest.raises(PlanError, match=r"bots.chats, public.events hold rows"):
        baseline.drop_baseline(DECLARED, made, [simple().name, CHATS.name], {}, has_ledger=True, ledger_alone=True)


def test_a_table_that_existed_before_is_not_dropped() -> None:
    made = {"table": frozenset[str](), "schema": frozenset[str](), "extension": frozenset[str]()}
    steps = baseline.drop_baseline(DECLARED, made, (), {}, has_ledger=False, ledger_alone=False).steps
    assert steps == ()
