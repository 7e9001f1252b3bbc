"""The policy of a table that is partitioned already: registered, changed, forgotten."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from schema_kit.errors import DeclarationError, PlanError, refuse_for
from schema_kit.intervals import Point
from schema_kit.model import Partition, Partitioning, Stored, Table
from schema_kit.model.grid import Grid, grid, partitioned_table
from schema_kit.names import QualifiedName
from schema_kit.plans import retention
from schema_kit.steps import Plan
from schema_kit.steps.partitions import RegisterPolicy, UnregisterPolicy
from schema_kit.steps.storage import ensure
from schema_kit.storage import PART_CONFIG


def changed(parent: QualifiedName, registered: Partitioning | None, changes: Mapping[str, Any]) -> Partitioning:
    """Return a policy with what was given in place of what is registered.

    Args:
        parent: the table.
        registered: its policy so far.
        changes: by field of Partitioning; None where nothing was given, an empty text where it is taken back.

    Raises:
        DeclarationError: a first registration without control or interval, an unknown interval or zone, premake < 1.
    """
    given = {name: value for name, value in changes.items() if value is not None}
    for name in ("origin", "retention", "retention_schema"):
        if name in given:
            given[name] = given[name] or None
    if registered is None:
        if missing := [name for name in ("control", "interval") if name not in given]:
            raise DeclarationError(f"{parent} has no policy yet, and a first one needs {' and '.join(missing)}.")
        policy = Partitioning(parent, **given)
    else:
        policy = replace(registered, **given)
    if policy.premake < 1:
        raise DeclarationError(f"premake of {parent} is 1 or more, not {policy.premake}.")
    return replace(policy, interval=policy.cut.text)


def partitioned_already(policy: Partitioning, table: Table | None) -> Table:
    """Return the table, if it exists and is partitioned as a policy says that is not registered yet.

    Raises:
        PlanError: it is not.
    """
    if table is None:
        raise PlanError(f"there is no table {policy.parent}.")
    return partitioned_table(policy, table)


def set_policy(
    policy: Partitioning,
    registered: Partitioning | None,
    sets: Collection[tuple[Partitioning, Table, Point]],
    has_config: Stored,
    missing_rights: Collection[str] = (),
) -> Plan:
    """Register a policy, once what exists agrees with it.

    Args:
        policy: the new policy.
        registered: as it is; None where it is not.
        sets: each partitioned table that it stands for, as observed, and where its present lies.
        has_config: whether part_config exists, as this version makes it.
        missing_rights: privileges that the current role lacks.

    Raises:
        PlanError: rights are missing, or partitions lie across the policy's ranges.
    """
    plan = Plan(f"set the policy of {policy.parent}")
    found = list(missing_rights)
    for one, table, here in sets:
        found += obstacles(grid(one, table), table, here)
        retention.due(one, table, here)
    refuse_for(f"cannot {plan.title}", found, lines=True)
    if registered == policy and has_config:
        return plan
    return replace(plan, steps=(*ensure(PART_CONFIG, has_config), RegisterPolicy(policy)))


def obstacles(lines: Grid, table: Table, here: Point) -> list[str]:
    """Return what exists that does not agree with a policy: what is past and irregular stays, and does no harm.

    Raises:
        PlanError: a partition lies across one of the ranges ahead.
    """
    column = table.column(lines.policy.control)
    found = []
    if column and not column.not_null:
        found.append(
            f"column {column.name!r} of {table.name} may be NULL, and no range holds NULL: "
            "op.set_not_null_concurrently comes first"
        )
    windows = list(lines.ahead(here))
    lines.missing(windows, table)
    reach: Point = windows[-1].upper
    beyond: dict[Point, Partition] = {}
    for partition in table.partitions:
        taken = lines.range_of(partition)
        ends = [end for end in (taken.lower, taken.upper) if end is not None and end > reach]
        beyond |= {end: partition for end in ends if not lines.begins_at(end) and end not in beyond}
    found += [
        f"{partition.name} has a bound at {lines.shown(end)}, where no range of {lines.interval.text} begins; "
        "interval, time zone or origin are others"
        for end, partition in sorted(beyond.items(), key=lambda item: item[0])
    ]
    return found


def drop_policy(parent: QualifiedName, registered: bool) -> Plan:
    """Forget a policy; the table and its partitions stay as they are."""
    return Plan(f"drop the policy of {parent}", (UnregisterPolicy(parent),) if registered else ())
