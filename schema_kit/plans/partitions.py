"""Partitions kept ahead of the clock."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import datetime
from itertools import pairwise, starmap

from schema_kit.errors import PlanError
from schema_kit.keys import Key, key_for
from schema_kit.model import Partition, Partitioning, Range, Table
from schema_kit.names import QualifiedName, fit, ident, literal
from schema_kit.steps import Plan, Step
from schema_kit.steps.constraints import AddCheck, ValidateConstraint
from schema_kit.steps.partitions import CreatePartition, DropPartConfig

MOST_AHEAD = 1000
"""Partitions kept ahead of the clock, at most: planning a query takes longer with each, and so does making them."""


def create_next(
    policy: Partitioning,
    table: Table | None,
    now: datetime,
    filled_default: Table | None = None,
    strays: Collection[Range] = (),
) -> Plan:
    """Make the current partition and `premake` ones ahead of it, where they are missing.

    A partition is known by its bounds: one that covers a window under any name counts. Driven by the clock, so that a
    row of the far future makes nothing.

    Args:
        policy: the set's policy.
        table: the set, as observed.
        now: the server's clock.
        filled_default: the default partition, where it holds rows, so that a CHECK must spare its scan.
        strays: the windows of which it holds rows.

    Raises:
        PlanError: no such table, not partitioned by range of the control column, bounds that cross a window's, rows
            of a window in the default partition, or too many partitions to keep ahead.
    """
    title = f"create next partitions of {policy.parent}"
    checked = partitioned_table(policy, table)
    key = codec(policy, checked)
    steps: list[Step] = []
    for window in windows_ahead(policy, now):
        if not covered(window, checked, key):
            step = create_partition(policy, checked, policy.parent, window, key)
            if window in strays:
                raise PlanError(
                    f"{step.default} holds rows from {step.lower} to {step.upper}, and PostgreSQL makes no partition "
                    f"for them while they lie in the default one. Nothing was changed; move them out of it first."
                )
            steps += _past_default(step, policy.control, filled_default) if filled_default else (step,)
    return Plan(title, tuple(steps))


def windows_ahead(policy: Partitioning, now: datetime) -> Iterator[Range]:
    """The current window and `premake` ones after it.

    Raises:
        PlanError: premake is above MOST_AHEAD, or reaches beyond the year 9999.
    """
    if policy.premake > MOST_AHEAD:
        raise PlanError(
            f"premake of {policy.parent} is {policy.premake}, and at most {MOST_AHEAD} partitions are kept ahead. "
            "Nothing was changed; lower it, or choose a longer interval. The premake of a set that is partitioned "
            f"already stands in schema_kit.part_config: UPDATE schema_kit.part_config SET premake = 4 WHERE "
            f"parent_table = {literal(str(policy.parent))};"
        )
    cut = policy.cut
    try:
        start = cut.floor(now)
        edges = [cut.shift(start, count) for count in range(policy.premake + 2)]
    except PlanError as error:
        raise PlanError(f"{policy.parent}, premake {policy.premake}, at {now}: {error}") from error
    return starmap(Range, pairwise(edges))


def partition_name(policy: Partitioning, window: Range) -> QualifiedName:
    """pg_partman's name for a window: the parent's, then `_p` and the window's first day."""
    assert window.lower is not None  # windows have two ends
    return policy.parent.sibling(fit(policy.parent.name, "_" + policy.cut.suffix(window.lower)))


def codec(policy: Partitioning, table: Table) -> Key:
    """How the control column holds its time.

    Raises:
        PlanError: there is no such column, or its type holds no time.
    """
    column = table.column(policy.control)
    if column is None:
        raise PlanError(f"{table.name} has no column {policy.control!r}. Nothing was changed.")
    return key_for(column.type, policy.zone, policy.control)


def range_of(partition: Partition, key: Key) -> Range:
    """A partition's range in moments."""
    return Range(
        None if partition.lower is None else key.decode(partition.lower),
        None if partition.upper is None else key.decode(partition.upper),
    )


def partitioned_table(policy: Partitioning, table: Table | None) -> Table:
    """The table, if it is partitioned as the policy says.

    Raises:
        PlanError: it is not.
    """
    if table is None:
        raise PlanError(
            f"{policy.parent} is registered in part_config, but there is no such table. Nothing was changed."
        )
    if not table.partition_strategy:
        raise PlanError(
            f"{policy.parent} is a plain table. Convert it first (op.convert_to_partitioned). Nothing was changed."
        )
    if table.partition_strategy != "r" or table.partitioned_by != (policy.control,):
        raise PlanError(
            f"{policy.parent} is not partitioned by RANGE ({policy.control}): its key is "
            f"{ {'r': 'RANGE', 'l': 'LIST', 'h': 'HASH'}[table.partition_strategy] } "
            f"({', '.join(table.partitioned_by)}). Nothing was changed."
        )
    return table


def covered(window: Range, table: Table, key: Key) -> bool:
    """Whether a partition holds the whole window.

    Raises:
        PlanError: one holds a part of it.
    """
    for partition in table.partitions:
        if partition.default:
            continue
        taken = range_of(partition, key)
        if taken.covers(window):
            return True
        if taken.overlaps(window):
            raise PlanError(
                f"{partition.name} holds {partition.lower} to {partition.upper}, which crosses the partition from "
                f"{window.lower} to {window.upper} that the policy of {table.name} asks for. Nothing was changed; "
                "change the policy's interval or time zone to match the partitions that are there."
            )
    return False


def create_partition(
    policy: Partitioning, table: Table, parent: QualifiedName, window: Range, key: Key, *, within: bool = True
) -> CreatePartition:
    """The step that makes one window's partition, like its siblings in owner and storage parameters.

    Args:
        policy: the set's policy.
        table: whose foreign keys and storage parameters the partition gets.
        parent: what it is attached to.
        window: its range.
        key: the codec of its bounds.
        within: whether *parent* is *table* itself, so that foreign keys to it count too.
    """
    assert window.lower is not None  # windows have two ends
    assert window.upper is not None
    others = {fk.referenced for fk in table.foreign_keys} | {fk.table for fk in table.incoming if within}
    return CreatePartition(
        parent,
        partition_name(policy, window),
        key.encode(window.lower),
        key.encode(window.upper),
        referenced=table.with_partitions(others - {table.name}),
        default=next((p.name for p in table.partitions if p.default), None),
        options=table.options,
        owner=table.owner,
        default_grantees=table.default_grantees,
    )


def _past_default(step: CreatePartition, control: str, default: Table) -> Iterator[Step]:
    # PostgreSQL scans the default under ACCESS EXCLUSIVE, unless a validated CHECK proves that no row is the window's.
    name = fit(step.name.name, "_not_here")
    existing = next((check for check in default.checks if check[0] == name), None)
    if existing is None:
        outside = f"{ident(control)} < {literal(step.lower)} OR {ident(control)} >= {literal(step.upper)}"
        yield AddCheck(default.name, name, outside)
    if existing is None or not existing[2]:
        yield ValidateConstraint(default.name, name)
    yield replace(step, default_check=name)


def drop_part_config(policies: int, exists: bool, alone: bool) -> Plan:
    """Drop the table of policies.

    Args:
        policies: how many it holds.
        exists: whether it is there.
        alone: whether its schema holds nothing else.

    Raises:
        PlanError: it still holds policies.
    """
    if policies:
        raise PlanError(
            f"schema_kit.part_config holds {policies} policies. Nothing was changed; op.unpartition those sets first."
        )
    return Plan("drop part_config", (DropPartConfig(alone),) if exists else ())
