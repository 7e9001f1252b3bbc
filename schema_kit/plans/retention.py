"""Plan what a policy retires: partitions that end further behind the current position than its retention."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import get_args

from schema_kit.errors import DeclarationError, PlanError, refuse_for
from schema_kit.intervals import Ids, Interval, Point, parse
from schema_kit.model import Detaching, Partition, Partitioning, Retired, Stored, Table
from schema_kit.model.grid import grid, partitioned_table
from schema_kit.model.ranges import horizon
from schema_kit.names import QualifiedName, literal
from schema_kit.plans import publications
from schema_kit.plans.retirement import How, known_again, leaving, recorded
from schema_kit.steps import Plan, Step
from schema_kit.steps.retirement import DropPartition, ForgetRetired, MovePartition
from schema_kit.storage import RETIRED_PARTITION


def due(
    policy: Partitioning, table: Table | None, here: Point, what: str = "retention"
) -> tuple[tuple[Partition, ...], tuple[str, ...]]:
    """Return the partitions that have outlived the retention, the oldest first; and what is left alone, and why.

    One counts by its bounds, whatever its name, and only where they lie on the policy's ranges. The current one, those
    ahead, the default one and the last of all never are due.

    Args:
        policy: the table's policy.
        table: the partitioned table, as observed.
        here: the server's clock, or the greatest id: `Grid.here` of them.
        what: what the retention is called where it was declared.

    Raises:
        DeclarationError: a retention, grace period or way to detach that cannot be read.
        PlanError: no such table, not partitioned as the policy says, or a retention shorter than a partition.
    """
    checked = partitioned_table(policy, table)
    lines = grid(policy, checked)
    grace(policy)
    if policy.detach not in get_args(How):
        raise DeclarationError(f"detach of {policy.parent} is one of {', '.join(get_args(How))}, not {policy.detach!r}")
    end = horizon(lines, here, what)
    if end is None:
        return (), ()
    past, notes = [], []
    there = [partition for partition in checked.partitions if not partition.default]
    for partition in there:
        if partition.upper is None:
            continue
        try:
            taken = lines.range_of(partition)
            covered = lines.begins_at(taken.lower) and lines.begins_at(taken.upper)
        except PlanError:
            covered = False
        if covered and partition.foreign:
            if taken.upper is not None and taken.upper <= end:
                notes.append(
                    f"{partition.name} is left alone: it is a foreign table. If no query is to read it any more: "
                    f"ALTER TABLE {policy.parent.sql} DETACH PARTITION {partition.name.sql};"
                )
        elif not covered:
            notes.append(
                f"{partition.name} is left alone: {lines.span(partition)} are not ranges of "
                f"{lines.interval.text} in {policy.timezone}"
            )
        elif taken.upper is not None and taken.upper <= end:
            past.append((taken.upper, partition))
    ordered = [partition for _, partition in sorted(past, key=lambda one: one[0])]
    if ordered and len(ordered) == len(there) and not ordered[-1].detach_pending:
        notes.append(f"{ordered[-1].name} is left alone: it is the last partition of {policy.parent}")
        ordered.pop()
    return tuple(ordered), tuple(notes)


def grace(policy: Partitioning) -> Interval | None:
    """Return how long a retired partition is kept before it is dropped; None where it is dropped at once.

    Raises:
        DeclarationError: it is not a length of time.
    """
    if policy.retention_grace.strip() in ("0", "0 days", "00:00:00"):
        return None
    length = parse(policy.retention_grace, "UTC")
    if isinstance(length, Ids):
        raise DeclarationError(
            f"retention_grace of {policy.parent} is {policy.retention_grace!r}, which is not a length of time. Write "
            "'7 days', or '0'."
        )
    return length


def grace_is_over(policy: Partitioning, since: datetime, now: datetime) -> bool:
    """Return whether a partition that has been out of its set since then is to be dropped now."""
    length = grace(policy)
    return length is None or bool(since.astimezone(UTC) <= length.back(now.astimezone(UTC), length))


def retire(
    policy: Partitioning,
    leaves: Collection[Detaching],
    pending: Collection[Detaching],
    retired: Mapping[Retired, Detaching | None],
    now: datetime,
    taken: Collection[QualifiedName] = (),
    missing_rights: Collection[str] = (),
    *,
    at_once: bool = False,
    drops: bool = True,
    ttl: bool = False,
    at: datetime | None = None,
) -> Plan:
    """Take out what is due; then keep it, move it, or drop it when its grace period is over.

    Args:
        policy: the table's policy.
        leaves: the partitions that are due, as observed.
        pending: partitions that are not, and whose detach was interrupted.
        retired: what retired_partition knows of the partitioned table, and what has become of it.
        now: the server's clock.
        taken: names in the retention schema that are in use.
        missing_rights: privileges that the current role lacks in the retention schema.
        at_once: no grace period is waited for.
        drops: whether anything may be dropped.
        ttl: whether it is the table's time-to-live that asks: each looks after what it has retired itself.
        at: the moment that stands for the server's clock, if one does: the grace period begins there.

    Raises:
        PlanError: rights are missing, or the policy asks for a way to detach that PostgreSQL has not.
    """
    title = f"retire partitions of {policy.parent}"
    steps: list[Step] = []
    notes: list[str] = []
    refuse_for(f"cannot {title}", missing_rights)
    out = _Out(policy, now, frozenset(taken), at_once, drops)
    every = (seen.has_record for seen in (*leaves, *pending, *retired.values()) if seen)
    known = next(every, Stored.MISSING)  # of one table
    for row, seen in retired.items():
        if row.doubt:
            notes.append(doubtful(row))
        elif not row.there or seen is None:
            if not any(one.name == row.name for one in (*leaves, *pending)):
                steps.append(ForgetRetired(row.name, row.gone or "there is no such table any more"))
        elif row.by_ttl if ttl else row.by_policy:
            refuse_for(f"cannot {title}", seen.missing_rights)
            steps += [*known_again(replace(seen, has_record=known)), *out.of(seen, row.since, notes)]
            known = Stored.CURRENT if seen.found_again else known
    for seen in pending:
        refuse_for(f"cannot {title}", seen.missing_rights)
        steps += [*recorded(seen), *leaving(seen, "auto")]
    for seen in sorted(leaves, key=lambda one: not one.pending):
        refuse_for(f"cannot {title}", seen.missing_rights)
        obstacles = () if seen.pending else (*seen.referred, *seen.published, *seen.dependents)
        if obstacles:
            notes.append(f"{seen.name} has outlived its retention and stays: {'; '.join(obstacles)}")
            continue
        steps += recorded(replace(seen, has_record=known), by_policy=not ttl, by_ttl=ttl, at=at)
        known = Stored.CURRENT
        steps += leaving(replace(seen, blocked_by=()), how_of(policy))
        steps += out.of(seen, now, notes)
        notes += publications.kept([seen])
    return Plan(title, tuple(steps), tuple(dict.fromkeys(notes)))


def doubtful(row: Retired) -> str:
    """Return what is said of a table that is perhaps not the one which was retired."""
    return (
        f"{row.name} stays: it was retired from {row.parent} before a dump and restore, and the table of that name may "
        f"be another one: {row.doubt}. If it is, DELETE FROM {RETIRED_PARTITION.sql} WHERE partition_name = "
        f"{literal(str(row.name))};"
    )


def how_of(policy: Partitioning) -> How:
    """Return how its partitions are detached."""
    ways: dict[str, How] = {"concurrently": "concurrently", "blocking": "blocking"}
    return ways.get(policy.detach, "auto")


class _Out:
    """What becomes of a table that is out of its set."""

    def __init__(
        self, policy: Partitioning, now: datetime, taken: frozenset[QualifiedName], at_once: bool, drops: bool
    ) -> None:
        self.policy = policy
        self.now = now
        self.taken = taken
        self.at_once = at_once
        self.drops = drops

    def of(self, seen: Detaching, since: datetime, notes: list[str]) -> Iterator[Step]:
        """Moved, kept or dropped. A schema to move to keeps it whatever else is said, as with pg_partman."""
        schema = self.policy.retention_schema
        if schema:
            clash = [name for name in (seen.name, *seen.below) if QualifiedName(schema, name.name) in self.taken]
            if seen.name.schema == schema:
                return
            if clash:
                notes.append(f"{seen.name} stays where it is: schema {schema} has a {clash[0].name} already")
            else:
                yield MovePartition(seen, schema)
        elif (
            not self.policy.retention_keep_table
            and self.drops
            and (self.at_once or grace_is_over(self.policy, since, self.now))
        ):
            if seen.dependents:
                notes.append(f"{seen.name} is not dropped: {'; '.join(seen.dependents)}")
            else:
                yield DropPartition(seen)
