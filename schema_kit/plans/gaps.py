"""Plan partitions for gaps between the oldest partition and the newest, or what is kept ahead."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import chain, islice

from schema_kit.errors import PlanError, refuse_for
from schema_kit.intervals import Point
from schema_kit.model import Partitioning, Range, Table
from schema_kit.model.grid import MOST_AHEAD, Grid, grid, partitioned_table
from schema_kit.model.ranges import horizon, placed, stretches, wide, windows_within
from schema_kit.names import QualifiedName
from schema_kit.plans.partitions import create_windows
from schema_kit.steps import Plan
from schema_kit.steps.partitions import for_values


def gaps(policy: Partitioning, table: Table | None, here: Point, since: str | None = None) -> tuple[Range, ...]:
    """Return the ranges that have no partition, from the oldest one up to the newest, no further than is kept ahead.

    A range that a partition crosses is left out: there it is the policy that does not fit, which `check` says. So are
    those that the policy's retention would take at once, and those of a gap that one odd row makes; see ranges.wide.

    Args:
        policy: the table's policy.
        table: the partitioned table, as observed.
        here: the server's clock, or the greatest id: `Grid.here` of them.
        since: a date or time on the policy's wall clock, or an id: where to begin instead of the oldest partition;
            then all are made from there.

    Raises:
        DeclarationError: *since* cannot be read.
        PlanError: no such table, not partitioned by range of the control column, or more than MOST_AHEAD ranges since
            the moment that was given.
    """
    checked = partitioned_table(policy, table)
    lines = grid(policy, checked)
    narrow = (one for one, wide in _stretches(lines, checked, here, since) if not wide)
    empty, end = chain.from_iterable(windows_within(lines, one) for one in narrow), horizon(lines, here)
    found = tuple(islice((one for one in empty if end is None or one.upper > end), MOST_AHEAD + 1))
    if len(found) > MOST_AHEAD and since is not None:
        first, last = lines.shown(found[0].lower), lines.shown(found[-1].lower)
        raise PlanError(
            f"{policy.parent} lacks more than {MOST_AHEAD} partitions, from {first} to {last} and beyond, and one run "
            f"makes {MOST_AHEAD} at most. Begin later (--since), and again earlier."
        )
    return found[:MOST_AHEAD]


def left_open(policy: Partitioning, table: Table | None, here: Point, since: str | None = None) -> tuple[str, ...]:
    """Return the stretches without a partition that are not filled unasked, for people."""
    checked = partitioned_table(policy, table)
    lines = grid(policy, checked)
    return tuple(
        f"{policy.parent} has no partition from {lines.told(one)}, and that many "
        f"are not made unasked; if they are wanted: schema_kit partitions fill-gaps {policy.parent} --since "
        f"{lines.shown(one.lower)}"
        for one, wide in _stretches(lines, checked, here, since)
        if wide
    )


def _stretches(lines: Grid, table: Table, here: Point, since: str | None) -> Iterator[tuple[Range, bool]]:
    """Yield where no partition is, each with whether it is left so."""
    begin, default = (
        None if since is None else lines.floor(lines.read(since)),
        any(part.default for part in table.partitions),
    )
    for one in stretches(lines, placed(lines, table), here, begin):
        yield one, since is None and wide(lines, one, default=default)


def fill_gaps(
    policy: Partitioning,
    table: Table | None,
    windows: Collection[Range],
    filled_default: Table | None = None,
    strays: Collection[Range] = (),
    taken: Collection[QualifiedName] = (),
    missing_rights: Collection[str] = (),
    notes: tuple[str, ...] = (),
) -> Plan:
    """Make a partition for each window that nothing stands in the way of; `refuse` says what is left.

    Args:
        policy: the table's policy.
        table: the partitioned table, as observed.
        windows: those that have none, as `gaps` gives them.
        filled_default: the default partition, where it holds rows, so that a CHECK must spare its scan.
        strays: the ranges of which it holds rows.
        taken: names that partitions would get, and other tables have.
        missing_rights: privileges that the current role lacks.
        notes: what is not filled, as `left_open` says it.

    Raises:
        PlanError: no such table, not partitioned by range of the control column, or rights that are missing.
    """
    checked = partitioned_table(policy, table)
    lines = grid(policy, checked)
    free = [window for window in windows if window not in strays and lines.partition_name(window) not in taken]
    if free:
        refuse_for(f"cannot make partitions of {policy.parent}", missing_rights)
    steps = tuple(create_windows(lines, checked, free, filled_default, strays=()))
    return Plan(f"fill gaps of {policy.parent}", steps, notes)


def refuse(
    policy: Partitioning,
    table: Table | None,
    windows: Collection[Range],
    strays: Collection[Range] = (),
    taken: Collection[QualifiedName] = (),
) -> Plan:
    """Say why ranges get no partition; an empty plan where all do.

    Raises:
        PlanError: rows of them lie in the default partition, or other tables have their names.
    """
    checked = partitioned_table(policy, table)
    lines, said = grid(policy, checked), []
    spans = [lines.told(one) for one in windows if one in strays]
    if spans:
        default = next(part.name for part in checked.partitions if part.default)
        said.append(
            f"{default} holds rows of {', '.join(spans)}, and PostgreSQL makes no partition for them while they lie "
            "there; move them out of it: schema_kit partitions drain-default"
        )
    for window in windows:
        name = lines.partition_name(window)
        if name in taken and window not in strays:
            lower, upper = lines.bounds(window)
            said.append(
                f"{name} is the name of another table, perhaps of the partition that was detached; attach it (ALTER "
                f"TABLE {policy.parent.sql} ATTACH PARTITION {name.sql} {for_values(lower, upper)}), or rename it"
            )
    if said:
        raise PlanError(f"{policy.parent} keeps gaps: {'. '.join(said)}. Nothing stands in the way of the others.")
    return Plan(f"fill gaps of {policy.parent}")
