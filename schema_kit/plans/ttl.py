"""Time-to-live: which rows have expired, and how they leave."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from schema_kit.errors import DeclarationError, PlanError
from schema_kit.intervals import Ids, Point, parse
from schema_kit.keys import TIMES, Key, Numbers, key_for
from schema_kit.model import ArchivePolicy, Detaching, Partition, Partitioning, Retired, Table, TimeToLive, Tree
from schema_kit.model.grid import Grid, grid, partitioned_table
from schema_kit.names import QualifiedName, ended, ident, literal
from schema_kit.plans import retention, rows
from schema_kit.plans.rows import Leaving, Observed
from schema_kit.steps import Plan
from schema_kit.steps.archives import ARCHIVED_AT
from schema_kit.steps.batches import LARGEST
from schema_kit.steps.rows import Pace, RegisterTtl, UnregisterTtl
from schema_kit.steps.storage import DropTables, EnsureTable
from schema_kit.storage import TTL_POLICY


def checked(policy: TimeToLive) -> TimeToLive:
    """Return a policy whose words and numbers make sense by themselves.

    Raises:
        DeclarationError: they do not.
    """
    for what, number, least, most in (
        ("batch_size", policy.batch_size, 1, LARGEST),
        ("target_seconds", policy.target_seconds, 1e-6, 3600),
        ("max_replica_lag", policy.max_replica_lag, 0, math.inf),
        ("max_dead_share", policy.max_dead_share, 0, 1),
    ):
        if number is not None and not least <= number <= most:
            raise DeclarationError(f"time-to-live of {policy.table}: {what} is {number}, not from {least} to {most}.")
    parse("1 day", policy.timezone)  # says what is wrong with it
    if policy.age is not None and isinstance(parse(policy.age, policy.timezone), Ids):
        raise DeclarationError(
            f"time-to-live of {policy.table}: age is {policy.age!r}, which is not a length of time. Write '90 days'."
        )
    _names(policy.table, policy.tree or {})
    return policy


def _names(table: QualifiedName, tree: object) -> None:
    if not isinstance(tree, Mapping):
        raise DeclarationError(
            f"the tree of {table} has {tree!r} where a mapping of table names is wanted, {{}} where nothing references "
            "one."
        )
    for text, below in tree.items():
        _names(QualifiedName.parse(text, table.schema), below)


def leaving(
    policy: TimeToLive, observed: Observed, now: datetime, archives: Mapping[QualifiedName, QualifiedName]
) -> Leaving:
    """Return which rows of a table have expired at a moment, and what becomes of them. NULL never expires.

    Args:
        policy: the policy.
        observed: the table, and all that refers to it.
        now: the server's clock, or what stands for it.
        archives: which table's rows go where, for a policy that archives first.

    Raises:
        PlanError: no such table or column, no index on it, or a column that holds no moments.
    """
    pace = Pace(policy.batch_size, policy.target_seconds, policy.max_replica_lag, policy.max_dead_share)
    kept = archives if policy.archive_first else None
    one = Leaving(policy.table, "false", policy.column, policy.tree, kept, pace=pace)
    table = observed.get(policy.table)
    index = table.index_on(policy.column) if table else None
    if index is None:
        rows.remove(one, observed)  # says what is missing
        raise AssertionError("without an index nothing is removed")
    key = key_of(policy, index[0].type)
    return replace(one, where=f"{ident(policy.column)} <= {literal(key.encode(horizon(policy, key, now)))}")


def archiving(
    policy: ArchivePolicy,
    observed: Observed,
    now: datetime,
    archives: Mapping[QualifiedName, QualifiedName],
    cut: Partitioning | None = None,
    *,
    restored: bool = False,
) -> Leaving:
    """Which rows of a table go to its archive at a moment: those old enough, and those of the policy's condition.

    Args:
        policy: the policy, by rows.
        observed: the table, all that refers to it, and the archives.
        now: the server's clock, or what stands for it.
        archives: which table's rows go where.
        cut: how the table or its archive is partitioned, whose clock counts where that is by the same column.
        restored: whether rows that were taken back go again.

    Raises:
        PlanError: no such table or column, no index on the column of the age, or one that holds no date or time; an
            archive without the column that takes the moment.
    """
    tree: Tree | None = None if policy.tree is None else json.loads(policy.tree)
    stamp, archive = policy.archived_at, observed.get(policy.archive)
    if stamp and archive and stamp not in archive.columns:
        raise PlanError(
            f"cannot archive rows of {policy.table}: {policy.archive} has no column {stamp} for the moment. "
            "op.create_archive_table(..., archived_at=True) makes one, or set the policy without."
        )
    where = f"({ended(policy.condition or 'true')})"
    where += "".join(f" AND ({ended(kept)}) IS NOT TRUE" for kept in (() if restored else policy.restored))
    one = Leaving(policy.table, where, None, tree, archives, stamp or ARCHIVED_AT)
    if policy.archive_after is None:
        return one
    old = replace(_aged(policy, cut), age=policy.archive_after, tree=tree, archive_first=True)
    table = observed.get(policy.table)
    index = table.index_on(old.column) if table else None
    if index and not index[0].type.startswith(TIMES):
        raise PlanError(
            f"cannot archive rows of {policy.table}: {old.column} is {index[0].type}, and ages are counted from a date "
            "or time. Say it by a condition, or go by partition."
        )
    aged = leaving(old, observed, now, archives)
    return replace(one, column=aged.column, where=f"{aged.where} AND {one.where}")


def restoring(
    policy: ArchivePolicy,
    observed: Observed,
    archives: Mapping[QualifiedName, QualifiedName],
    ends: tuple[str, str] | None,
    condition: str | None,
    cut: Partitioning | None = None,
) -> Leaving:
    """Return which rows come back from an archive: of a range of the column that ages are counted from, of a condition.

    Args:
        policy: the policy, by rows.
        observed: the table, all that refers to it, and the archives.
        archives: which table's rows are where.
        ends: where the range begins, and where it ends, exclusive, as a person writes them.
        condition: SQL over the table's columns.
        cut: how the table or its archive is partitioned, whose clock counts where that is by the same column.

    Raises:
        DeclarationError: neither, or a range that is not one.
        PlanError: a range, and the policy names no column.
    """
    tree: Tree | None = None if policy.tree is None else json.loads(policy.tree)
    table, column = observed.get(policy.table), policy.control
    where = [f"({ended(condition)})"] if condition else []
    if ends:
        type_ = dict(table.types).get(column or "") if table else None
        if column is None or type_ is None:
            raise PlanError(
                f"cannot restore a range of {policy.table}: its policy names no column that ages are counted from "
                "(control). Say which rows by --where."
            )
        key = key_of(_aged(policy, cut), type_)
        lines = Grid(Partitioning(policy.table, column, "1 day", _aged(policy, cut).timezone), parse("1 day"), key)
        lower, upper = (lines.read(end) for end in ends)
        if upper <= lower:
            raise DeclarationError(
                f"{ends[0]} to {ends[1]} holds nothing: --until is where it ends, and not part of it"
            )
        where.append(
            f"{ident(column)} >= {literal(key.encode(lower))} AND {ident(column)} < {literal(key.encode(upper))}"
        )
    if not where:
        raise DeclarationError("--since and --until, or --where, say which rows to restore")
    indexed = column if ends and table and column and table.index_on(column) else None
    stamp = policy.archived_at or ARCHIVED_AT
    return Leaving(policy.table, " AND ".join(where), indexed, tree, archives, stamp, back=True)


def _aged(policy: ArchivePolicy, cut: Partitioning | None) -> TimeToLive:
    """How the column holds moments that the ages of an archive are counted from: UTC, where no policy says more."""
    own = TimeToLive(policy.table, policy.control or "")
    same = cut is not None and cut.control == policy.control
    return replace(own, timezone=cut.timezone, encoding=cut.encoding) if cut and same else own


def key_of(policy: TimeToLive, type_: str) -> Key:
    """Return how the column holds moments.

    Raises:
        PlanError: it does not.
    """
    zone = Partitioning(policy.table, policy.column, "1 day", policy.timezone).zone
    key = key_for(type_, zone, policy.column, policy.encoding)
    if isinstance(key, Numbers):
        raise PlanError(
            f"cannot tell when rows of {policy.table} expire: {policy.column} is {type_}, and nothing says which "
            "times its numbers mean. op.set_ttl_policy(..., encoding='seconds') says it."
        )
    return key


def horizon(policy: TimeToLive, key: Key, now: datetime) -> Point:
    """Return the last value of the column that has expired, as a point of its line."""
    here = key.point(now)
    if policy.age is None:
        return here
    length = parse(policy.age, key.calendar.key if key.calendar else "UTC")
    return length.back(here, length)


def past(policy: TimeToLive, partitioning: Partitioning | None, table: Table | None, now: datetime) -> list[Partition]:
    """Return the partitions in which every row has expired: where the table is a partitioned table by that very column.

    One with a retention of its own is left to `partitions retire`, and so is the last partition of all; what is
    archived first goes by rows.
    """
    if partitioning is None or table is None or policy.archive_first or partitioning.retention:
        return []
    if partitioning.control != policy.column or table.partitioned_by != (policy.column,):
        return []
    lines = grid(partitioning, partitioned_table(partitioning, table))
    if lines.of_ids:
        return []
    end = horizon(policy, lines.key, now)
    there = [partition for partition in table.partitions if not partition.default]
    uppers = [(upper, one) for one in there if (upper := lines.range_of(one).upper) is not None and upper <= end]
    found = [one for _, one in sorted(uppers, key=lambda pair: pair[0])]
    return found[:-1] if len(found) == len(there) else found


def run(
    policy: TimeToLive,
    removal: Plan,
    due: bool,
    partitioning: Partitioning | None,
    leaves: Collection[Detaching],
    retired: Mapping[Retired, Detaching | None],
    now: datetime,
) -> Plan:
    """Partitions that have expired as a whole are retired and dropped; of the others the rows go, leaves first.

    Args:
        policy: the policy.
        removal: what removes its rows.
        due: whether any row has expired.
        partitioning: how the table is kept as a partitioned table, if it is one by that column.
        leaves: the partitions that have expired, as observed.
        retired: what an earlier run has detached and not dropped.
        now: the server's clock.
    """
    title = f"remove expired rows of {policy.table}"
    retiring = Plan(title)
    if partitioning is not None and (leaves or retired):
        whole = replace(partitioning, retention_keep_table=False, retention_schema=None, retention_grace="0")
        # One that rows refer to is emptied first, like any other table.
        free = [seen for seen in leaves if not seen.referred]
        retiring = retention.retire(whole, free, (), retired, now, at_once=True, ttl=True)
    return Plan(title, (*retiring.steps, *(removal.steps if due else ())), (*retiring.notes, *removal.notes))


def in_order(plans: Sequence[tuple[TimeToLive, int]]) -> list[TimeToLive]:
    """Order policies so that referencing tables come first: a tree is larger than each of its branches.

    Args:
        plans: each policy with the number of tables in its tree.
    """
    return [policy for policy, _ in sorted(plans, key=lambda one: one[1])]


def set_policy(policy: TimeToLive, registered: TimeToLive | None, observed: Observed | None, now: datetime) -> Plan:
    """Register a policy, once what exists agrees with it.

    Args:
        policy: the new policy.
        registered: as it is; None where it is not.
        observed: the table, and all that refers to it; None where it was not read (--sql).
        now: the server's clock.

    Raises:
        PlanError: no such table, column or index, rows that nothing is said of refer to it, or rights are missing.
    """
    plan = Plan(f"set the time-to-live of {policy.table}")
    if observed is not None:
        one = leaving(replace(policy, archive_first=False), observed, now, {})  # archives may come later
        rows.remove(one, observed)
    if registered == policy:
        return plan
    return replace(plan, steps=(EnsureTable(TTL_POLICY), RegisterTtl(policy)))


def drop_policy(table: QualifiedName, registered: Collection[QualifiedName]) -> Plan:
    """Forget a policy, and ttl_policy with the last one; the rows stay."""
    plan = Plan(f"drop the time-to-live of {table}")
    if table not in registered:
        return plan
    last = f"forget the time-to-live of {table}, and drop {TTL_POLICY}, which is empty then"
    return replace(plan, steps=(UnregisterTtl(table) if len(registered) > 1 else DropTables((TTL_POLICY,), last),))
