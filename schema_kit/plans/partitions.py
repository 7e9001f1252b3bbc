"""Plan partitions ahead of the current position: of the clock, or of the greatest id."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterator
from dataclasses import replace
from itertools import count

from schema_kit.errors import PlanError, refuse_for
from schema_kit.intervals import Point
from schema_kit.marks import BUILT_MARK
from schema_kit.model import Partitioning, Range, Table
from schema_kit.model.grid import Grid, grid, partitioned_table
from schema_kit.names import TABLE_BYTES, QualifiedName, fit, ident, outside
from schema_kit.steps import Plan, Step
from schema_kit.steps.constraints import AddCheck, ValidateConstraint
from schema_kit.steps.partitions import CreatePartition, below
from schema_kit.steps.storage import DropTables
from schema_kit.storage import PART_CONFIG


def create_next(
    policy: Partitioning,
    table: Table | None,
    here: Point,
    filled_default: Table | None = None,
    strays: Collection[Range] = (),
    until: str | None = None,
    missing_rights: Collection[str] = (),
) -> Plan:
    """Make the current partition and `premake` ones ahead of it, where they are missing.

    A partition is known by its bounds: one that covers a range under any name counts. Tables by time are driven by the
    clock, so that a row of the far future makes nothing.

    Args:
        policy: the table's policy.
        table: the partitioned table, as observed.
        here: the server's clock, or the greatest id: `Grid.here` of them.
        filled_default: the default partition, where it holds rows, so that a CHECK must spare its scan.
        strays: the ranges of which it holds rows.
        until: a date or time on the policy's wall clock, or an id: what is missing up to there, instead of `premake`.
        missing_rights: privileges that the current role lacks.

    Raises:
        DeclarationError: *until* cannot be read.
        PlanError: no such table, not partitioned by range of the control column, bounds that cross a window's, rows
            of a window in the default partition, too many partitions to keep ahead, or rights that are missing.
    """
    title = f"create next partitions of {policy.parent}"
    checked = partitioned_table(policy, table)
    lines = grid(policy, checked)
    missing = lines.missing(lines.ahead(here, until), checked)
    if missing:
        refuse_for(f"cannot make partitions of {policy.parent}", missing_rights)
    return Plan(title, tuple(create_windows(lines, checked, missing, filled_default, strays)))


def create_windows(
    lines: Grid, table: Table, missing: Collection[Range], filled_default: Table | None, strays: Collection[Range]
) -> Iterator[Step]:
    """Yield the steps that make ranges which no partition holds.

    Raises:
        PlanError: the default partition holds rows of one.
    """
    control = lines.policy.control
    if missing and table.branch and table.branch.key in (f"RANGE ({control})", f"RANGE ({ident(control)})"):
        raise PlanError(
            f"the newest partition of {table.name} is partitioned by ranges of {control} itself, and the next one "
            "would get the same. Partitions below others are made by HASH or LIST, or by ranges of another column."
        )
    for window in missing:
        step = create_partition(lines, table, table.name, window)
        if window in strays:
            raise PlanError(
                f"{step.default} holds rows from {lines.told(window)}, and PostgreSQL makes no partition for them "
                "while they lie in the default one. Move them out of it first."
            )
        yield from _past_default(step, lines.policy.control, filled_default) if filled_default else (step,)


def create_partition(
    lines: Grid, table: Table, parent: QualifiedName, window: Range, *, within: bool = True
) -> CreatePartition:
    """Return the step that makes one window's partition, with what its siblings have and ATTACH does not hand on.

    Args:
        lines: the table's ranges.
        table: whose foreign keys, and what else belongs to it, the partition gets.
        parent: what it is attached to.
        window: its range.
        within: whether *parent* is *table* itself, so that foreign keys to it count too.
    """
    lower, upper = lines.bounds(window)
    like = like_siblings(lines.policy, table, parent, free_name(lines, table, window), within=within)
    return replace(like, lower=lower, upper=upper, told=lines.told(window))


def free_name(lines: Grid, table: Table, window: Range) -> QualifiedName:
    """Return pg_partman's name for a range; with a number behind where it, or that of a part below it, is taken."""
    name = lines.partition_name(window)
    for number in count(2):
        if table.taken.isdisjoint((name.name, *below(name.name, table.branch))):
            break
        name = name.sibling(fit(lines.partition_name(window).name, f"_{number}", TABLE_BYTES))
    return name


def like_siblings(
    policy: Partitioning,
    table: Table,
    parent: QualifiedName,
    name: QualifiedName,
    values: str = "",
    *,
    within: bool = True,
) -> CreatePartition:
    """Return the step that makes a partition of *parent*, with all but its range."""
    others = {fk.referenced for fk in table.foreign_keys} | {fk.table for fk in table.incoming if within}
    # Grants on a partition would show what row security of the parent hides.
    grants = table.grants if policy.inherit_privileges and not table.row_security else ()
    return CreatePartition(
        parent,
        name,
        lower="",
        upper="",
        referenced=table.with_partitions(others - {table.name}),
        default=next((p.name for p in table.partitions if p.default), None),
        options=table.options,
        owner=table.owner,
        default_grantees=table.default_grantees,
        grants=grants,
        tablespace=table.tablespace,
        places=table.places,
        indexes=tuple(index for index in table.indexes if index.statistics and within),
        statistics=table.statistics,
        replica_identity=table.replica_identity,
        comment=None if (table.comment or "").startswith(BUILT_MARK) else table.comment,
        branch=table.branch,
        values=values,
        template=QualifiedName.parse(policy.template) if policy.template else None,
    )


def _past_default(step: CreatePartition, control: str, default: Table) -> Iterator[Step]:
    name = fit(step.name.name, "_not_here")
    yield from not_here(default.name, default.checks, name, outside(ident(control), step.lower, step.upper))
    yield replace(step, default_check=name)


def not_here(
    default: QualifiedName, checks: Collection[tuple[str, str, bool]], name: str, expression: str
) -> Iterator[Step]:
    """Yield what spares the scan of a default partition: a validated CHECK that excludes rows of the range.

    PostgreSQL scans it under ACCESS EXCLUSIVE otherwise.

    Args:
        default: the default partition.
        checks: those that it has: name, definition, validated.
        name: that of the check.
        expression: what holds for its rows.
    """
    existing = next((check for check in checks if check[0] == name), None)
    if existing is None:
        yield AddCheck(default, name, expression)
    if existing is None or not existing[2]:
        yield ValidateConstraint(default, name)


def drop_part_config(policies: bool, exists: bool, alone: bool, records: tuple[QualifiedName, ...] = ()) -> Plan:
    """Drop the table of policies.

    Args:
        policies: whether it holds any.
        exists: whether it exists.
        alone: whether its schema holds nothing else, but for *records*.
        records: our own tables that remember what was done to sets, and nothing that is still to be done.

    Raises:
        PlanError: it still holds policies.
    """
    if policies:
        raise PlanError(
            "schema_kit.part_config holds policies. op.drop_partition_policy forgets one, op.unpartition makes its set "
            "a plain table again."
        )
    return Plan("drop part_config", (DropTables((PART_CONFIG, *records), with_schema=alone),) if exists else ())


def abort_command(verb: str, *names: QualifiedName) -> str:
    """Return what to type to cancel what a command of `schema_kit partitions` has begun."""
    return f"schema_kit partitions {verb} {' '.join(shlex.quote(str(name)) for name in names)} --abort"
