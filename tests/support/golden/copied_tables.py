"""A whole table is copied, and its rows go back."""

from __future__ import annotations

from dataclasses import replace

from schema_kit.marks import BACK_TRIGGER
from schema_kit.model import (
    Conversion,
    CopyCount,
    Copying,
    CopyLimits,
    CopyRun,
    KeyColumn,
    Relation,
    Stored,
    Table,
    Trigger,
)
from schema_kit.plans import copied_table, rollback
from schema_kit.server import Server
from schema_kit.steps import Plan
from schema_kit.steps.copying import BeginCopy
from tests.support.golden.cases import case
from tests.support.golden.tables import MONTHLY, two_months
from tests.support.shapes import AWARE, NOW, REACTION_KEY, referring, rich


@case
def convert_by_copy() -> Plan:
    """A rich table; what refers to it gets the key column."""
    seen, observed = plain_to_be_copied()
    return copied_table.convert(MONTHLY, seen, observed, "composite", CopyLimits(), keep_old=True)


@case
def convert_by_copy_and_feed_the_old_table() -> Plan:
    """So that a rollback is possible with all that was written since."""
    seen, observed = plain_to_be_copied()
    return copied_table.convert(MONTHLY, seen, observed, "drop", CopyLimits(), keep_old="fed")


@case
def way_back_to_the_plain_table() -> Plan:
    """A key that goes back to the id alone, a foreign key that the partitions have on their own still."""
    plain, seen, observed = copied_and_swapped()
    return rollback.roll_back(plain.name, seen, observed)


@case
def way_back_compared() -> Plan:
    """What is left when both were compared, with keys in the log."""
    plain, seen, observed = copied_and_swapped()
    assert observed.run is not None
    old = plain.name.sibling(f"{plain.name.name}__old")
    run = replace(observed.run, back_identity="1:2", counts=((old, CopyCount(5, "7", 5, "7")),))
    return rollback.roll_back(plain.name, seen, replace(observed, run=run, feed_backlog=2001))


@case
def way_back_given_up() -> Plan:
    """It was not fed before: what was begun goes."""
    _, seen, observed = copied_and_swapped()
    assert observed.run is not None
    return copied_table.abort(
        seen.table.name, seen, replace(observed, run=replace(observed.run, back_identity="1:2", fed=False))
    )


def plain_to_be_copied() -> tuple[Conversion, Copying]:
    table = rich()
    observed = Copying(
        table,
        table,
        None,
        has_tables=Stored.CURRENT,
        key=(KeyColumn("id", "bigint"), KeyColumn("created_at", AWARE)),
        control=KeyColumn("created_at", AWARE),
        identity="16400:16400:1",
        filled=two_months(MONTHLY),
        server=Server(170000),
    )
    return Conversion(table, NOW, referring=(referring(REACTION_KEY),), has_config=Stored.CURRENT), observed


def copied_and_swapped() -> tuple[Table, Conversion, Copying]:
    """The rich table behind its swap: plain as it is kept, partitioned as it is seen."""
    seen, observed = plain_to_be_copied()
    plain = replace(seen.table, incoming=())
    plan = copied_table.convert(MONTHLY, seen, observed, "composite", CopyLimits(), keep_old="fed")
    begun = next(step for step in plan.steps if isinstance(step, BeginCopy))
    key = ("id", "created_at")
    longer = replace(REACTION_KEY, columns=(*REACTION_KEY.columns, "message_created_at"), referenced_columns=key)
    parent = replace(
        plain,
        partitioned_by=("created_at",),
        partition_strategy="r",
        primary_key=key,
        foreign_keys=(),
        incoming=(longer,),
        triggers=(*plain.triggers, Trigger(BACK_TRIGGER, "CREATE TRIGGER ...", "A")),
    )
    kept = replace(
        plain,
        name=plain.name.sibling(f"{plain.name.name}__old"),
        indexes=tuple(replace(index, name=f"{index.name}__old") for index in plain.indexes),
    )
    targets = begun.copy.targets
    leaves = (Relation(target.name, foreign_keys=plain.foreign_keys) for target in targets)
    run = CopyRun("convert", plain.name, "1:1", targets, cut=True, settled=True, swapped=True, fed=True)
    behind = replace(
        observed,
        parent=parent,
        source=parent,
        run=run,
        tree=(Relation(plain.name, partitioned=True), *leaves),
        kept=kept,
        taken=frozenset({f"{plain.name.name}__back"}),
        feeding=True,
        tree_identity="1:2",
    )
    other = replace(referring(REACTION_KEY), key=longer, column="message_created_at", has_column=True)
    return plain, replace(seen, table=parent, referring=(other,)), behind
