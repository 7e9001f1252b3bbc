"""Rows leave for their archive, by partition or one by one, and what is observed for that."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from schema_kit.catalog import Catalog
from schema_kit.errors import PlanError, refuse_for
from schema_kit.model import ArchivePolicy, Moved, Partitioning, Relation, Stored, Table, View
from schema_kit.model.grid import grid
from schema_kit.names import QualifiedName
from schema_kit.plans import archive_access, archives, move_partition, publications, rows, ttl
from schema_kit.plans.move_partition import Transfer, transfer
from schema_kit.plans.partitions import create_partition
from schema_kit.plans.retention import how_of
from schema_kit.plans.rows import Leaving
from schema_kit.steps import Plan, Step
from schema_kit.steps.archives import ForgetMove, ForgetRestored, Route
from schema_kit.steps.rows import RemoveRows
from schema_kit.steps.storage import EnsureTable
from schema_kit.storage import ARCHIVE_POLICY
from schema_kit.tasks import cold
from schema_kit.tasks.rows import extremes, reached


def both(catalog: Catalog, policy: ArchivePolicy) -> tuple[Table, Table]:
    """Return a table and its archive.

    Raises:
        PlanError: one of them is not there, or rights are missing.
    """
    table, archive = catalog.table(policy.table), catalog.table(policy.archive)
    if table is None or archive is None:
        gone = policy.table if table is None else policy.archive
        raise PlanError(
            f"{policy.table} is registered in archive_policy with the archive {policy.archive}, but there is no table "
            f"{gone}."
        )
    return table, archive


def refuse_without_rights(catalog: Catalog, policy: ArchivePolicy) -> None:
    """Said before anything is written.

    Raises:
        PlanError: something is missing.
    """
    rights = catalog.missing_archive_rights((policy.table, policy.archive))
    refuse_for(f"cannot archive {policy.table}", rights)


def observed(
    catalog: Catalog, source: QualifiedName, name: QualifiedName, route: Route, lower: str | None, upper: str | None
) -> Transfer | None:
    """Return a partition of *source* that goes elsewhere; None where there is no such table."""
    seen = catalog.detaching(source, name)
    if seen is None:
        return None
    wanted = catalog.attaching(route.goes_to, name, lower, upper)
    target = catalog.table(route.goes_to) if wanted.seen.default else None
    return Transfer(
        seen,
        wanted,
        catalog.tree(name),
        catalog.tree(route.goes_to)[0],
        catalog.check_definition(name, wanted.proof) if not wanted.obstacles else None,
        catalog.filled_default(target),
        any(row.name == name and row.goes_to == route.goes_to and row.since is None for row in catalog.moved()),
    )


Move = tuple[QualifiedName, QualifiedName, QualifiedName, str | None, str | None]
"""From where, to where, which partition, and its bounds."""


def moves(
    catalog: Catalog, policy: ArchivePolicy, views: Sequence[View], wanted: Iterable[Move]
) -> tuple[list[Step], list[str]]:
    """Return the steps that move partitions, one after the other; and what stays, and why.

    Raises:
        PlanError: rights are missing, or the two tables differ.
    """
    steps, notes, has_record, how = list[Step](), list[str](), Stored.MISSING, how_of(partitioned(catalog, policy))
    for source, goes_to, name, lower, upper in wanted:
        route = Route(policy.table, policy.archive, goes_to)
        one = observed(catalog, source, name, route, lower, upper)
        if one is None:
            continue
        refuse_for(f"cannot move {name}", one.seen.missing_rights)
        obstacles = list(move_partition.obstacles(one.seen))
        obstacles += [f"its range overlaps that of {other}" for other in one.wanted.overlapping]
        obstacles += [f"{one.wanted.seen.default} holds rows of its range"] if one.wanted.in_default else []
        if obstacles:
            notes.append(f"{name} is to go to {goes_to} and stays: {'; '.join(obstacles)}")
            continue
        if not steps and not (stored := catalog.archive_config_is_there()):
            steps.append(EnsureTable(ARCHIVE_POLICY, stored))
        has_record = has_record or one.seen.has_record
        if goes_to != policy.archive:
            steps += to_heap(catalog, policy, one.tree)
        steps += transfer(route, one, views, how, has_record=has_record)
        has_record = Stored.CURRENT
        notes += publications.kept([one.seen])
    return steps, list(dict.fromkeys(notes))


def to_heap(catalog: Catalog, policy: ArchivePolicy, tree: Iterable[Relation]) -> Iterator[Step]:
    """Return what was stored otherwise, as a heap again: a columnar table takes neither DELETE nor foreign keys."""
    methods = {"columnar", *filter(None, (policy.access_method,))} - {"heap"}
    return archives.stored(tree, methods, "heap", by_citus=catalog.has_citus())


def _stored(catalog: Catalog, policy: ArchivePolicy, archive: Table) -> Iterator[Step]:
    """Yield what has come to the archive, by the access method that its policy names."""
    if policy.access_method:
        default = {part.name for part in archive.partitions if part.default}
        tree = [one for one in catalog.tree(policy.archive)[1:] if one.name not in default]
        yield from archives.stored(tree, (), policy.access_method, by_citus=catalog.has_citus())


def under_way(known: Iterable[Moved], policy: ArchivePolicy) -> Iterator[Move]:
    """Yield what was detached, and is to be attached still."""
    for row in known:
        if row.since is None and row.there and row.attached_to is None:
            source = policy.table if row.goes_to == policy.archive else policy.archive
            yield source, row.goes_to, row.name, row.lower, row.upper


def with_room(catalog: Catalog, steps: Iterable[Step]) -> Iterator[Step]:
    """Yield steps that move rows; before each, the partitions that its archive has not yet, and that they would lie in.

    An archive with a default partition takes all, and one without a policy in part_config is its owner's to keep.

    Raises:
        PlanError: they lie in more ranges than partitions are made at once, or across some that exist.
    """
    for step in steps:
        archive = step.archive.table if isinstance(step, RemoveRows) and step.archive else None
        policy = catalog.policy(archive) if archive else None
        table = catalog.table(archive) if archive and policy else None
        if policy and table and isinstance(step, RemoveRows) and not any(part.default for part in table.partitions):
            lines = grid(policy, table)
            ends = extremes(catalog, step, policy.control)
            windows = reached(lines, ends, f"move rows of {step.table} to {table.name}", "a default one")
            yield from (create_partition(lines, table, table.name, window) for window in lines.missing(windows, table))
        yield step


def partitioned(catalog: Catalog, policy: ArchivePolicy) -> Partitioning:
    """Return how a table is partitioned.

    Raises:
        PlanError: that is unknown.
    """
    found = catalog.policy(policy.table)
    if found is None:
        raise PlanError(
            f"cannot archive partitions of {policy.table}: it has no policy in schema_kit.part_config, which says how "
            "it is partitioned. op.set_partition_policy registers one."
        )
    return found


def cut_of(catalog: Catalog, policy: ArchivePolicy) -> Partitioning | None:
    """Return how a table that is archived by rows is partitioned, or its archive; None where neither has a policy."""
    return catalog.policy(policy.table) or catalog.policy(policy.archive)


def of(catalog: Catalog, policy: ArchivePolicy) -> list[Moved]:
    """Return what archived_partition knows of one archive."""
    return [row for row in catalog.moved() if (row.table, row.archive) == (policy.table, policy.archive)]


def by_partition(catalog: Catalog, policy: ArchivePolicy, again: bool = False) -> Plan:
    """Return what one table has to archive, partition by partition; what is in transit comes first."""
    plan = Plan(f"archive partitions of {policy.table}")
    partitioning = partitioned(catalog, policy)
    table, archive = both(catalog, policy)
    names, notes = archives.due(policy, partitioning, table, catalog.here(partitioning, table))
    known = of(catalog, policy)
    kept = () if again else archives.restored(policy, partitioning, table, known)
    there = {partition.name: partition for partition in table.partitions}
    going = [
        (policy.table, policy.archive, name, there[name].lower, there[name].upper) for name in names if name not in kept
    ]
    forgotten = [*_void(policy, partitioning, table, known, names)]
    views = archives.spanning(table, archive)
    steps, stay = moves(catalog, policy, views, (*under_way(known, policy), *going))
    stored = [*_stored(catalog, policy, archive)]
    if steps or forgotten or stored:
        refuse_without_rights(catalog, policy)
    if steps:
        archive_access.refuse_open(table, archive)
    said = (
        f"{name} was restored from the archive and stays until it is asked for: --restored"
        for name in names
        if name in kept
    )
    further, later = _cold(catalog, policy, partitioning, table, archive, first=bool(steps or forgotten or stored))
    notes = (*notes, *said, *stay, *later)
    if steps and policy.access_method:
        notes += (f"what has come to {policy.archive} is stored by access method {policy.access_method} then",)
    return Plan(plan.title, (*forgotten, *steps, *stored, *further), notes)


def _cold(
    catalog: Catalog, policy: ArchivePolicy, partitioning: Partitioning, table: Table, archive: Table, *, first: bool
) -> tuple[list[Step], list[str]]:
    """What goes on to the cold server; what stands in its way stops nothing that comes *first*.

    Raises:
        PlanError: something does, and nothing else is to be done.
    """
    try:
        return cold.going(catalog, policy, partitioning, table, archive)
    except PlanError:
        if first:
            return [], []
        raise


def _void(
    policy: ArchivePolicy, partitioning: Partitioning, table: Table, known: list[Moved], due: Collection[QualifiedName]
) -> Iterator[ForgetMove]:
    """Yield what is remembered and means nothing any more: of no table, or of one that is where it was before."""
    for row in known:
        if row.since is None and row.there and row.attached_to and row.name not in due:
            yield ForgetMove(row.name, "it never left")
        elif not row.there and not archives.restored(policy, partitioning, table, [row]):
            yield ForgetMove(row.name, "there is no such table any more")


def by_rows(catalog: Catalog, policy: ArchivePolicy, again: bool = False) -> Plan:
    """Archive rows of one table, with the rows that reference them."""
    one, plan = rows_due(catalog, policy, again)
    first = (ForgetRestored(policy.table),) if again and policy.restored else ()
    notes = () if again else tuple(_stays(policy))
    moves = tuple(with_room(catalog, plan.steps)) if catalog.has_row_where(policy.table, one.where) else ()
    for step in moves:
        if isinstance(step, RemoveRows) and step.archive:
            table, archive = catalog.table(step.table), catalog.table(step.archive.table)
            assert table is not None  # its rows were looked at
            assert archive is not None
            archive_access.refuse_open(table, archive)
    return Plan(plan.title, (*first, *moves), notes)


def rows_due(catalog: Catalog, policy: ArchivePolicy, again: bool = False) -> tuple[Leaving, Plan]:
    """Return which rows are due by a policy, and the steps that move them, whether there are any or not."""
    goes = rows.archives(catalog.leaving(policy.table), catalog.archive_policies())
    seen = catalog.leaving(policy.table, tuple(goes.values()))
    one = ttl.archiving(policy, seen, catalog.now(), goes, cut_of(catalog, policy), restored=again)
    return one, rows.remove(one, seen)


def _stays(policy: ArchivePolicy) -> Iterator[str]:
    for which in policy.restored:
        yield f"rows of {policy.table} were restored and stay until they are asked for (--restored): {which}"


def run(catalog: Catalog, policy: ArchivePolicy, again: bool = False) -> Plan:
    """Return what one policy asks for now; *again*, whether what was restored goes, too."""
    return (by_rows if policy.way == "rows" else by_partition)(catalog, policy, again)


def run_set(catalog: Catalog, one: Partitioning) -> Plan:
    """Archive what one partitioned table has to, for commands that look after partitioned tables."""
    policy = catalog.archive_by_partition(one.parent)
    return by_partition(catalog, policy) if policy else Plan(f"archive partitions of {one.parent}")


def run_set_due(catalog: Catalog, one: Partitioning, table: Table | None) -> bool:
    """Return whether a policy says anything of the partitioned table."""
    return catalog.archive_by_partition(one.parent) is not None
