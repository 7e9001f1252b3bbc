"""Rows come back from an archive: a range, by command, or all of them, by the operation that gives the archive up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from schema_kit.catalog import Catalog
from schema_kit.errors import DeclarationError, PlanError, refuse_for
from schema_kit.model import ArchivePolicy, Partition, Range, Strategy, Table
from schema_kit.model.grid import Grid, grid
from schema_kit.names import QualifiedName, ident, within
from schema_kit.offline import EmptyDatabase
from schema_kit.plans import archive_differences, archives, rows, ttl
from schema_kit.plans.partitions import create_partition
from schema_kit.plans.retirement import leaving
from schema_kit.plans.rows import Leaving
from schema_kit.steps import Plan, Step
from schema_kit.steps.archives import (
    ARCHIVED_AT,
    CreateArchiveTable,
    ForgetMove,
    KeepRestored,
    UnregisterArchivePolicy,
)
from schema_kit.steps.storage import EnsureTable
from schema_kit.storage import ARCHIVE_POLICY
from schema_kit.tasks import Database, cold
from schema_kit.tasks.archiving import (
    Move,
    both,
    cut_of,
    moves,
    of,
    partitioned,
    refuse_without_rights,
    to_heap,
    under_way,
    with_room,
)
from schema_kit.tasks.rows import any_left, extremes, reached, refuse_clashes

ALL = Range(None, None)


def restore(
    catalog: Catalog,
    policy: ArchivePolicy,
    since: str | None,
    until: str | None,
    where: str | None,
    beside: QualifiedName | None,
) -> Plan:
    """Return what is left to be restored of a range, or of a condition.

    Raises:
        DeclarationError: neither, or what does not fit the way.
        PlanError: something differs that cannot come back, or rights are missing.
    """
    if policy.way == "rows":
        return by_rows(catalog, policy, (since, until) if since and until else None, where, beside)
    if since is None or until is None or where:
        raise DeclarationError(
            f"{policy.table} is archived by partition: --since and --until say which range comes back."
        )
    return by_partition(catalog, policy, since, until, beside)


def by_rows(
    catalog: Catalog,
    policy: ArchivePolicy,
    ends: tuple[str, str] | None,
    where: str | None,
    beside: QualifiedName | None,
) -> Plan:
    """Restore rows that were archived one by one, and those that reference them; to another table, they come alone."""
    plan = Plan(f"restore {policy.table} from {policy.archive}")
    goes = rows.archives(catalog.leaving(policy.table), catalog.archive_policies())
    observed = dict(catalog.leaving(policy.table, tuple(goes.values()), back=True))
    one = ttl.restoring(policy, observed, goes, ends, where, cut_of(catalog, policy))
    table, archive = both(catalog, policy)
    refuse_for(f"cannot {plan.title}", catalog.missing_archive_rights(()))
    if beside:
        found = catalog.leaving(policy.archive, (beside,), back=True)
        if beside not in found:
            refuse_for(f"cannot {plan.title} to {beside}", catalog.missing_rights(create_in=(beside.schema,)))
            return replace(plan, steps=(CreateArchiveTable(table, beside),))
        moves = [rows.bring_back(one, found[policy.archive], found[beside])]
    else:
        catalog.has_row_where(policy.table, one.where)  # what is not a condition on its columns is said before all else
        moves = list(rows.back(one, observed))
        dangling = [
            f"foreign key {key.name} refers to rows of {key.referenced} that are gone"
            for key in table.foreign_keys
            if key.referenced != policy.table
            and catalog.has_row_where(archive.name, rows.dangling(key, archive.name, one.where))
        ]
        refuse_for(f"cannot {plan.title}", dangling)
    refuse_clashes(catalog, moves[0], beside or policy.table)
    left = next((moves[place:] for place, move in enumerate(moves) if any_left(catalog, move)), None)
    if left is None:
        return plan
    script = () if (stored := catalog.archive_config_is_there()) else (EnsureTable(ARCHIVE_POLICY, stored),)
    kept = () if beside else (*script, KeepRestored(policy.table, one.where))
    return replace(plan, steps=(*kept, *with_room(catalog, left)))


def by_partition(catalog: Catalog, policy: ArchivePolicy, since: str, until: str, beside: QualifiedName | None) -> Plan:
    """Return partitions of a range, and rows where it begins or ends within one."""
    plan = Plan(f"restore {policy.table} from {policy.archive}")
    partitioning = partitioned(catalog, policy)
    table, archive = both(catalog, policy)
    refuse_without_rights(catalog, policy)
    target = catalog.table(beside) if beside else table
    lines = grid(partitioning, table)
    wanted = Range(lines.read(since), lines.read(until))
    if wanted.lower is None or wanted.upper is None or wanted.upper <= wanted.lower:
        raise DeclarationError(f"{since} to {until} holds nothing: --until is where it ends, and not part of it")
    waiting = [one for one in under_way(of(catalog, policy), policy) if one[1] == (beside or policy.table)]
    first, last, lost = cold.returning(catalog, policy, partitioning, table, archive, wanted)
    if target is None:
        assert beside is not None  # the table itself exists
        refuse_for(f"cannot {plan.title} to {beside}", catalog.missing_rights(create_in=(beside.schema,)))
        beside_it = replace(partitioning, parent=beside, retention=None, retention_schema=None)
        some = bool(first) or any(part.default or lines.range_of(part).overlaps(wanted) for part in archive.partitions)
        return replace(plan, steps=(CreateArchiveTable(archive, beside, beside_it),) if some else ())
    refuse_for(f"cannot {plan.title}", archive_differences.blocking(archive, target))
    steps, notes = _of_range(catalog, policy, archive, target, wanted, waiting)
    return Plan(plan.title, (*first, *steps, *last), (*lost, *notes))


def _of_range(
    catalog: Catalog, policy: ArchivePolicy, archive: Table, target: Table, wanted: Range, waiting: list[Move]
) -> tuple[list[Step], list[str]]:
    """Whole partitions where they fit; rows where they do not."""
    partitioning = partitioned(catalog, policy)
    lines = grid(replace(partitioning, parent=target.name), target)
    parts = [(part, lines.range_of(part)) for part in archive.partitions if not part.default]
    parts = [(part, held) for part, held in parts if held.overlaps(wanted)]
    default = [(part, ALL) for part in archive.partitions if part.default]  # it has no range, and may hold rows of any
    taken = [lines.range_of(part) for part in target.partitions if not part.default]
    whole = [part for part, held in parts if wanted.covers(held) and not any(held.overlaps(other) for other in taken)]
    views = archives.spanning(target, archive)
    going = ((policy.archive, target.name, part.name, part.lower, part.upper) for part in whole)
    steps, notes = moves(catalog, policy, views, (*waiting, *going))
    steps += _rows(catalog, policy, lines, target, wanted, [*(one for one in parts if one[0] not in whole), *default])
    return steps, notes


def _rows(
    catalog: Catalog,
    policy: ArchivePolicy,
    lines: Grid,
    target: Table,
    wanted: Range,
    parts: list[tuple[Partition, Range]],
) -> Iterator[Step]:
    """Restore row by row where a range begins or ends within a partition, or something exists already.

    Raises:
        PlanError: rows with the same key and other values exist.
    """
    control = lines.policy.control
    made: set[QualifiedName] = set()
    found: list[Step] = []
    for part, held in parts:
        lower = max((end for end in (held.lower, wanted.lower) if end is not None), default=None)
        upper = min((end for end in (held.upper, wanted.upper) if end is not None), default=None)
        ends = (None if end is None else lines.key.encode(end) for end in (lower, upper))
        one = Leaving(policy.table, within(ident(control), *ends), control, back=True)
        tree = catalog.tree(part.name)
        found += to_heap(catalog, policy, tree)
        leaves = [relation.name for relation in tree if not relation.partitioned]
        seen = [(leaf, catalog.leaving(leaf, (target.name,))) for leaf in leaves]
        moves = [rows.bring_back(one, there[leaf], there[target.name]) for leaf, there in seen]
        moves = [move for move in moves if any_left(catalog, move)]
        reach = [text for move in moves for text in extremes(catalog, move, control)]
        windows = reached(lines, reach, f"restore rows of {part.name} to {target.name}", "restore a shorter range")
        windows = lines.missing(windows, target)
        strays = catalog.strays_among(lines.policy, target, windows)  # theirs go there, too, until it is drained
        for window in windows:
            step = create_partition(lines, target, target.name, window)
            found += [] if window in strays or step.name in made else [step]
            made.add(step.name)
        for move in moves:
            refuse_clashes(catalog, move, target.name)
            found.append(move)
    yield from found


def restore_all(database: Database, table: QualifiedName, archive: QualifiedName) -> Plan:
    """Forget an archive's policy, and take all that it holds back to its table."""
    plan = Plan(f"restore {table} from {archive}")
    policies = [one for one in database.archive_policies() if archive == one.archive]
    forget = [UnregisterArchivePolicy(one.table) for one in policies]
    if isinstance(database, EmptyDatabase):
        return replace(plan, steps=tuple(forget))  # a database that was empty at base has no row to bring back
    if others := [str(one.table) for one in policies if one.table != table]:
        raise PlanError(f"cannot {plan.title}: it is the archive of {', '.join(others)}.")
    here, there = database.table(table), database.table(archive)
    if there is None:
        return plan
    if here is None:
        raise PlanError(f"cannot {plan.title}: there is no table {table}.")
    stamp = next((one.archived_at for one in policies if one.archived_at), ARCHIVED_AT)
    policy = ArchivePolicy(table, archive, None, "partition", archived_at=stamp)
    refuse_without_rights(database, policy)
    cut = here.partition_strategy == there.partition_strategy == Strategy.RANGE
    stamped = there.column(stamp) is not None and here.column(stamp) is None  # no partition could go back so
    whole = cut and here.partitioned_by == there.partitioned_by and not stamped
    if whole:
        refuse_for(f"cannot {plan.title}", archive_differences.blocking(there, here))
    first, last, lost = cold.all_back(database, policy, here, there) if whole else ([], [], [])
    steps, notes = (_all if whole else _each_row)(database, policy, there, here)
    return Plan(plan.title, (*forget, *first, *steps, *last), (*lost, *notes))


def _all(catalog: Catalog, policy: ArchivePolicy, archive: Table, table: Table) -> tuple[list[Step], list[str]]:
    """Return each partition, also what is in transit in whatever direction."""
    known = of(catalog, policy)
    back = [(archive.name, table.name, *one[2:]) for one in under_way(known, policy)]
    leaves_now = {row.name for row in known if row.since is None}
    pending = [part.name for part in table.partitions if part.detach_pending and part.name in leaves_now]
    seen = [catalog.detaching(table.name, name) for name in pending]
    stayed = [row for row in known if row.since is None and row.attached_to and row.name not in pending]
    steps, notes = _of_range(catalog, policy, archive, table, ALL, back)
    first = [*(step for one in seen if one for step in leaving(one, "auto"))]
    return [*first, *(ForgetMove(row.name, "it never left") for row in stayed), *steps], notes


def _each_row(catalog: Catalog, policy: ArchivePolicy, archive: Table, table: Table) -> tuple[list[Step], list[str]]:
    """Restore row by row; the rows that reference them are in archives of their own."""
    there = catalog.leaving(archive.name, (table.name,), back=True)
    one = Leaving(table.name, "true", archived_at=policy.archived_at or ARCHIVED_AT, back=True)
    move = rows.bring_back(one, there[archive.name], there[table.name])
    refuse_clashes(catalog, move, table.name)
    return [*with_room(catalog, [move])] if any_left(catalog, move) else [], []
