"""A partitioned table becomes plain again."""

from __future__ import annotations

from dataclasses import replace

from schema_kit.model import Conversion, Emptied, Index, Table
from schema_kit.plans import conversion, unpartition
from schema_kit.steps import Plan
from schema_kit.steps.conversion import key_index_name
from tests.support.golden.cases import case
from tests.support.golden.tables import MONTHLY, rich_seen
from tests.support.shapes import MESSAGES, NOW, REACTION_KEY, after_conversion_step, rich


@case
def unpartition_rich() -> Plan:
    """The first partition becomes the table again; the other table goes back to the shorter key."""
    seen, heir = swapped()
    return unpartition.unpartition(MESSAGES, seen, heir, has_policy=True)


@case
def unpartition_key_index_there() -> Plan:
    """Killed after the shorter key's index was built."""
    seen, heir = swapped()
    index = Index(key_index_name(MESSAGES), "btree (id)", ("id",), unique=True)
    return unpartition.unpartition(MESSAGES, seen, replace(heir, indexes=(*heir.indexes, index)), has_policy=True)


@case
def unpartition_after_it_was_detached() -> Plan:
    """The first partition was out and came back: what validated its bounds goes, or no other row would fit."""
    seen, heir = swapped()
    check = "CHECK (((created_at IS NOT NULL) AND (created_at < '2026-12-01 00:00:00+00'::timestamp with time zone)))"
    checks = (("messages_created_at_check", check, True), ("messages__bounds", f"{check} NOT VALID", False))
    return unpartition.unpartition(MESSAGES, seen, replace(heir, checks=(*heir.checks, *checks)), has_policy=True)


@case
def unpartition_leaves_nothing_that_was_emptied() -> Plan:
    """No session sees rows any more in what held them."""
    emptied = Emptied((MESSAGES.sibling("messages_p20270101"),))
    return unpartition.unpartition(MESSAGES, Conversion(rich(), NOW, emptied=emptied), None, has_policy=False)


@case
def unpartition_already_done() -> Plan:
    """What an earlier try has left to do."""
    unproved = replace(REACTION_KEY, validated=False)
    seen = Conversion(replace(rich(), incoming=(unproved,)), NOW)
    return unpartition.unpartition(MESSAGES, seen, None, has_policy=True)


def swapped() -> tuple[Conversion, Table]:
    """What a conversion has left, and its first partition."""
    seen = rich_seen()
    for step in conversion.convert(MONTHLY, seen, "composite").steps:
        seen = after_conversion_step(seen, step, MONTHLY)
    first, *others = (partition.name for partition in seen.table.partitions)
    seen = replace(
        seen,
        table=replace(seen.table, incoming=tuple(other.key for other in seen.referring)),
        leaves=tuple((name, MESSAGES) for name in (first, *others)),
    )
    heir = replace(
        rich(),
        name=first,
        is_partition=True,
        triggers=(),
        incoming=(),
        views=(),
        policies=(),
        row_security=False,
        indexes=tuple(
            replace(index, name=f"{index.name}_before_20270101", parent=MESSAGES.sibling(index.name))
            for index in rich().indexes
        ),
    )
    return seen, heir
