"""A plain table becomes partitioned."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from schema_kit.model import Column, Conversion, Index, Partitioning, Stored, Table
from schema_kit.names import QualifiedName
from schema_kit.plans import conversion
from schema_kit.steps import Plan
from schema_kit.steps.conversion import Swap, fingerprint, key_index_name
from tests.support.golden.cases import case
from tests.support.golden.tables import EVENTS, MONTHLY, month, rich_seen
from tests.support.shapes import AWARE, NOW, after_conversion_step, bound_check, name, simple


@case
def convert_simple() -> Plan:
    """Nothing belongs to it."""
    return conversion.convert(EVENTS, Conversion(simple(), NOW), "refuse")


@case
def convert_rich_composite() -> Plan:
    """Everything belongs to it, and another table refers to it."""
    return conversion.convert(MONTHLY, rich_seen(), "composite")


@case
def convert_rich_drop() -> Plan:
    """The foreign key of the other table goes."""
    return conversion.convert(MONTHLY, rich_seen(), "drop")


@case
def convert_names_that_need_quotes() -> Plan:
    """Capitals, spaces, quotes, Thai, a name as long as names can be."""
    own = QualifiedName('Chat "Bot"', "ข้อความ" + "x" * 42)
    table = replace(
        simple(),
        name=own,
        columns=(Column("Id", "bigint", not_null=True), Column("Created At", AWARE, not_null=True)),
        primary_key=("Id",),
        indexes=(Index("it's", 'btree ("Id")', ("Id",), unique=True, primary=True, constraint='PRIMARY KEY ("Id")'),),
        comment="it's a \\ comment",
    )
    policy = Partitioning(own, "Created At", "1 month", premake=1)
    return conversion.convert(policy, Conversion(table, NOW, has_config=Stored.CURRENT), "refuse")


@case
def convert_bound_too_near() -> Plan:
    """The check of an earlier try ends in less than a day: a later one takes its place, and the parent goes too."""
    daily = replace(EVENTS, interval="1 day")
    table = replace(simple(), checks=(bound_check(daily, simple(), "2026-11-23 00:00:00+00"),))
    built = replace(
        Table(name("public.events__new"), table.columns),
        partitioned_by=("created_at",),
        partition_strategy="r",
        comment=fingerprint(table),
        partitions=(month("events_p20261123", "2026-11-23", "2026-11-24"),),
    )
    return conversion.convert(daily, Conversion(table, NOW, built=built, has_config=Stored.CURRENT), "refuse")


@case
def convert_bound_of_another_interval() -> Plan:
    """The check of an earlier try is not a boundary of a month."""
    table = replace(simple(), checks=(bound_check(EVENTS, simple(), "2026-12-07 00:00:00+00"),))
    return conversion.convert(EVENTS, Conversion(table, NOW, has_config=Stored.CURRENT), "refuse")


@case
def convert_bound_not_validated() -> Plan:
    """Killed before VALIDATE."""
    table = replace(simple(), checks=(bound_check(EVENTS, simple(), "2027-01-01 00:00:00+00", validated=False),))
    return conversion.convert(EVENTS, Conversion(table, NOW, has_config=Stored.CURRENT), "refuse")


@case
def convert_rows_ahead_of_the_clock() -> Plan:
    """The first partition ends after the greatest key."""
    seen = Conversion(simple(), NOW, latest=NOW + timedelta(days=30), has_config=Stored.CURRENT)
    return conversion.convert(EVENTS, seen, "refuse")


@case
def convert_built_from_an_older_shape() -> Plan:
    """The table got a column after its parent was built: the parent is dropped and built again."""
    seen = ready()
    table = replace(seen.table, columns=(*seen.table.columns, Column("mood", "text")))
    return conversion.convert(MONTHLY, replace(seen, table=table), "composite")


@case
def convert_built_by_another_key() -> Plan:
    """The parent of an earlier try is partitioned by another column."""
    table = simple()
    built = replace(
        Table(name("public.events__new"), table.columns),
        partitioned_by=("id",),
        partition_strategy="r",
        comment=fingerprint(table),
    )
    return conversion.convert(EVENTS, Conversion(table, NOW, built=built, has_config=Stored.CURRENT), "refuse")


@case
def convert_key_index_invalid() -> Plan:
    """Killed while the longer key's index was built."""
    table = simple()
    leftover = Index(
        key_index_name(table.name), "btree (id, created_at)", ("id", "created_at"), unique=True, valid=False
    )
    seen = Conversion(replace(table, indexes=(*table.indexes, leftover)), NOW, has_config=Stored.CURRENT)
    return conversion.convert(EVENTS, seen, "refuse")


@case
def convert_ready_to_swap() -> Plan:
    """Everything was prepared."""
    return conversion.convert(MONTHLY, ready(), "composite")


@case
def convert_already_done() -> Plan:
    """Nothing to do."""
    table = replace(simple(), partition_strategy="r", partitioned_by=("created_at",))
    return conversion.convert(EVENTS, Conversion(table, NOW, registered=EVENTS, has_config=Stored.CURRENT), "refuse")


@case
def convert_already_done_with_another_premake() -> Plan:
    """Nothing to do: a premake that a user has changed since is theirs."""
    table = replace(simple(), partition_strategy="r", partitioned_by=("created_at",))
    seen = Conversion(table, NOW, registered=replace(EVENTS, premake=9), has_config=Stored.CURRENT)
    return conversion.convert(EVENTS, seen, "refuse")


@case
def convert_already_done_in_another_zone() -> Plan:
    """The policy's row is brought up to date, but for its premake."""
    table = replace(simple(), partition_strategy="r", partitioned_by=("created_at",))
    seen = Conversion(
        table, NOW, registered=replace(EVENTS, timezone="Asia/Bangkok", premake=9), has_config=Stored.CURRENT
    )
    return conversion.convert(EVENTS, seen, "refuse")


def ready() -> Conversion:
    """Everything but the swap was done."""
    seen = rich_seen()
    for step in conversion.convert(MONTHLY, seen, "composite").steps:
        if isinstance(step, Swap):
            return seen
        seen = after_conversion_step(seen, step, MONTHLY)
    raise AssertionError
