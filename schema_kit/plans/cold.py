"""Plan a cold archive: partitions that leave the archive for another server, and come back.

The catalog of this database decides alone: a partition is on the server once its foreign table is a partition. Until
then the server has a copy that no query reads, which is made again or dropped; so a run that is killed resumes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace

from schema_kit.errors import DeclarationError, refuse_for
from schema_kit.intervals import Point
from schema_kit.model import (
    ArchivePolicy,
    ColdArchive,
    ColdColumn,
    ColdMove,
    ColdPartition,
    ColdServer,
    ColdTable,
    Detaching,
    ForeignKey,
    Partition,
    Partitioning,
    Property,
    Stored,
    Table,
    View,
)
from schema_kit.model.grid import grid
from schema_kit.model.ranges import horizon
from schema_kit.names import QualifiedName, fit, literal
from schema_kit.plans import files
from schema_kit.plans.archives import spanning
from schema_kit.steps import Plan, Step
from schema_kit.steps.archives import CreateArchiveView
from schema_kit.steps.cold import (
    CopyFromCold,
    CopyToCold,
    CreateColdArchive,
    DropColdArchive,
    DropCopy,
    PrepareCold,
    SwapFromCold,
    SwapToCold,
)
from schema_kit.steps.cold_columns import AddColumnsHere, AddColumnThere
from schema_kit.steps.constraints import DropConstraint
from schema_kit.steps.storage import DropTables, ensure
from schema_kit.storage import COLD_ARCHIVE, COLD_PARTITION

_LAST = DropTables((COLD_ARCHIVE, COLD_PARTITION), f"drop {COLD_ARCHIVE} and {COLD_PARTITION}, which are empty then")


def create(
    declared: ColdArchive,
    table: Table | None,
    archive: Table | None,
    columns: tuple[ColdColumn, ...],
    known: Collection[ColdArchive],
    stored: Stored,
    reasons: Sequence[str],
    *,
    invoker: bool,
) -> Plan:
    """Make a cold archive, and the view over all three; one that exists as declared stays as it is.

    Args:
        declared: the cold archive.
        table: the table, as observed.
        archive: its archive, as observed.
        columns: the archive's columns.
        known: the cold archives that exist.
        stored: whether cold_archive exists.
        reasons: privileges that the current role lacks, and why the server cannot take it.
        invoker: whether a view can have the rights of the role that reads it.

    Raises:
        DeclarationError: it would be its own archive.
        PlanError: no such table or archive, another one exists, or the server cannot take it.
    """
    plan = Plan(f"create cold archive {declared.cold}")
    if declared.cold in (declared.table, declared.archive):
        raise DeclarationError(f"cannot {plan.title}: it has to be another table than {declared.cold}.")
    there = next((one for one in known if one.table == declared.table), None)
    if there and replace(there, identity="", cluster="") == declared:
        return plan
    refuse_for(f"cannot {plan.title}", [*_unfit(declared, table, archive, columns, there), *reasons], lines=True)
    assert table is not None  # else it was refused
    steps: list[Step] = [*ensure(COLD_ARCHIVE, stored)]
    steps.append(CreateColdArchive(declared, table, archive.partitioned_by[0] if archive else "", columns))
    if declared.view:
        replaces = any(view.name == declared.view for view in spanning(table, archive))
        steps.append(CreateArchiveView(declared.view, table, declared.archive, invoker, replaces, declared.cold))
    return replace(plan, steps=tuple(steps))


def _unfit(
    declared: ColdArchive,
    table: Table | None,
    archive: Table | None,
    columns: Iterable[ColdColumn],
    there: ColdArchive | None,
) -> Iterator[str]:
    for name, found in ((declared.table, table), (declared.archive, archive)):
        if found is None:
            yield f"there is no table {name}" + (" (op.create_archive_table)" if name == declared.archive else "")
    if there:
        yield f"{there.table} has the cold archive {there.cold} on server {there.server} (op.drop_cold_archive)"
    if table is None or archive is None:
        return
    if archive.partition_strategy != "r" or len(archive.partitioned_by) != 1:
        yield f"{archive.name} is not partitioned by RANGE of one column: only whole partitions go to a server"
    if archive.distribution and archive.distribution.spread:
        yield f"Citus distributes {archive.name}"
    yield from unfit_columns(columns)
    yield from _unfit_views(declared, table, archive)


def unfit_columns(columns: Iterable[ColdColumn]) -> Iterator[str]:
    """Yield why columns cannot be on a server."""
    for column in columns:
        if column.type.removesuffix("[]") == "money":
            yield f"column {column.name} is of type money, which reads in another way under another lc_monetary"
        if column.collation and not column.collation.startswith("pg_catalog."):
            yield f"column {column.name} has collation {column.collation}, which the server does not have"


def _unfit_views(declared: ColdArchive, table: Table, archive: Table) -> Iterator[str]:
    for view in spanning(table, archive):
        if view.name != declared.view:
            yield (
                f"view {view.name} shows {table.name} and {archive.name}, and would lose rows: view={str(view.name)!r} "
                "replaces it by one over all three"
            )
    if declared.view and not any(view.name == declared.view for view in spanning(table, archive)):
        others = [view.name for one in (table, archive) for view in one.views]
        if declared.view in others:
            yield f"view {declared.view} is not one over {table.name} and {archive.name}"


def drop(
    one: ColdArchive | None,
    table: Table | None,
    archive: Table | None,
    parts: Sequence[ColdPartition],
    policy: ArchivePolicy | None,
    missing_rights: Sequence[str],
    *,
    invoker: bool,
    last: bool,
) -> Plan:
    """Drop a cold archive without partitions; one that is gone stays gone.

    Args:
        one: the cold archive, as registered.
        table: the table, as observed.
        archive: the archive, as observed.
        parts: what is on the server, or in transit.
        policy: the table's archive policy.
        missing_rights: privileges that the current role lacks.
        invoker: whether a view can have the rights of the role that reads it.
        last: there is no other cold archive, so that the tables which hold them can go.

    Raises:
        PlanError: rows are on the server, or a policy sends them there.
    """
    if one is None:
        return Plan("drop a cold archive")
    plan = Plan(f"drop cold archive {one.cold}")
    reasons = [*missing_rights]
    if parts:
        named = ", ".join(str(part.name) for part in parts[:3])
        reasons.append(
            f"partitions are on server {one.server}, or in transit: {named}{', ...' if len(parts) > 3 else ''} "
            "(op.restore_archive_table, or schema_kit archive restore, takes them back)"
        )
    if policy and policy.cold_after:
        reasons.append(f"the policy of {one.table} sends partitions there (op.set_archive_policy without cold_after)")
    refuse_for(f"cannot {plan.title}", reasons, lines=True)
    views: tuple[Step, ...] = ()
    if one.view and table and archive and any(view.name == one.view for view in spanning(table, archive)):
        views = (CreateArchiveView(one.view, table, one.archive, invoker, replaces=True),)
    return replace(plan, steps=(*views, DropColdArchive(one.cold), *((_LAST,) if last else ())))


def due(policy: ArchivePolicy, partitioning: Partitioning, archive: Table, here: Point) -> tuple[Partition, ...]:
    """Return the partitions of an archive that are to go to the server, the oldest first.

    Raises:
        DeclarationError: a length that cannot be read.
        PlanError: shorter than a partition.
    """
    if policy.cold_after is None:
        return ()
    own = replace(partitioning, parent=archive.name, retention=policy.cold_after)
    lines = grid(own, archive)
    end = horizon(lines, here, "cold_after")
    held = [(lines.range_of(part).upper, part) for part in archive.partitions if not (part.default or part.foreign)]
    past = [(upper, part) for upper, part in held if upper is not None and end is not None and upper <= end]
    return tuple(part for _, part in sorted(past, key=lambda one: one[0]))


def unlike(one: ColdArchive, columns: Iterable[ColdColumn], cold: Table | None, views: Iterable[View]) -> list[str]:
    """Return why nothing can go to a cold archive, or come back, as its table is now."""
    if cold is None:
        return [f"there is no table {one.cold}"]
    reasons = []
    there = {column.name: column.type for column in cold.columns}
    here = {column.name: column for column in columns}
    for name, column in here.items():
        if there.get(name) != column.type:
            has = f"{there[name]} there" if name in there else "missing there"
            reasons.append(f"column {name} of {one.archive} is {column.type} and {has}, in {one.cold}")
    reasons += [f"{one.cold} has a column {name}, which {one.archive} has not" for name in there if name not in here]
    if reasons:
        reasons.append(
            f"{_repair(one)} adds what is missing, there and here; whatever else differs ALTER TABLE has to change, on "
            f"server {one.server} first, then {one.cold} likewise"
        )
    shown = {view.name for view in cold.views}
    reasons += [
        f"view {view.name} shows {one.table} and {one.archive}, and not {one.cold}: rows would vanish from it"
        for view in views
        if view.name not in shown
    ]
    return reasons


def own(has: Iterable[Property], parents: Iterable[Iterable[Property]], bounds: str) -> tuple[Property, ...]:
    """Return what a partition has, and neither its archive nor its table would give it again.

    Args:
        has: what PostgreSQL prints of it.
        parents: what it prints of these.
        bounds: what it prints of its bounds.
    """
    found = tuple(has)
    for parent in parents:
        found = files.own(found, parent)
    return files.beside_bounds(found, bounds)


def told(name: QualifiedName, has: Iterable[Property], how: str) -> tuple[str, ...]:
    """Return what is said of what does not come back with the rows of a partition."""
    texts = "; ".join(f"{one.object}, {one.property}: {one.text}" for one in has)
    return (f"{name} {how}: {texts}",) if texts else ()


def still(part: ColdPartition, columns: Iterable[ColdColumn]) -> tuple[str, ...]:
    """Return the columns that the checksum of what went there is of, as far as they exist; empty: all."""
    names = {column.name for column in columns}
    return tuple(name for name in part.summed if name in names)


def widened(
    one: ColdArchive,
    server: ColdServer,
    missing: Sequence[ColdColumn],
    archive: Table,
    there: Table,
    known: Collection[ColdPartition],
) -> Plan:
    """Give a cold archive columns that its archive has got; a copy in transit is dropped, and made again.

    Args:
        one: the cold archive.
        server: its server.
        missing: the columns that it lacks.
        archive: the archive, as observed.
        there: the cold archive's table, as observed.
        known: its partitions, and those in transit.
    """
    moves = [(part, move(one, server, (), "", part)) for part in known]
    steps: list[Step] = [DropCopy(its, "its columns have changed") for part, its in moves if not part.moved_at]
    tables = tuple(its.remote for part, its in moves if part.moved_at)
    defaults = {column.name: column.default for column in archive.columns}
    steps += (AddColumnThere(tables, column, defaults.get(column.name)) for column in (missing if tables else ()))
    foreign = tuple(part.foreign for part in known if part.cold)
    steps.append(AddColumnsHere(one, foreign, tuple(missing), tuple(column.name for column in there.columns)))
    return Plan(f"add columns to {one.cold}", tuple(steps))


def _repair(one: ColdArchive) -> str:
    elsewhere = f", archive_schema={one.archive.schema!r}" if one.archive.schema != one.table.schema else ""
    names = f"{one.table.name!r}, {one.archive.name!r}, schema={one.table.schema!r}{elsewhere}"
    return f"op.repair_archive_table({names}{f', view={str(one.view)!r}' if one.view else ''})"


def clone(one: ColdArchive, cluster: str) -> list[str]:
    """Return why a database must not change what is on the server: it is a clone of the one that put it there."""
    if one.cluster == cluster:
        return []
    return [
        f"{one.cold} was made in another database, of which this one is a copy or a restored dump. If the other one is "
        f"gone: UPDATE {COLD_ARCHIVE.sql} SET cluster = {literal(cluster)} WHERE table_name = "
        f"{literal(str(one.table))}; else its partitions on server {one.server} would be changed"
    ]


def foreign_name(name: QualifiedName) -> QualifiedName:
    """Return what the foreign table of a partition is called."""
    return name.sibling(fit(name.name, "__cold"))


def move(
    one: ColdArchive,
    server: ColdServer,
    columns: tuple[ColdColumn, ...],
    control: str,
    part: Partition | ColdPartition,
) -> ColdMove:
    """Describe a partition that goes to the server, or comes back."""
    known = isinstance(part, ColdPartition)
    remote = QualifiedName(one.remote_schema, part.remote if isinstance(part, ColdPartition) else part.name.name)
    mark = f"schema_kit: rows of {part.name}, {one.identity}"
    return ColdMove(
        part.name,
        one.archive,
        one.cold,
        part.foreign if isinstance(part, ColdPartition) and known else foreign_name(part.name),
        ColdTable(one.server, remote, mark, server.link),
        columns,
        control,
        part.lower,
        part.upper,
    )


def stays(seen: Detaching, archive: Table) -> tuple[str, ...]:
    """Return why a partition of an archive cannot go to a server."""
    inherited = tuple(f"{archive.name} has foreign key {key.name}" for key in archive.foreign_keys)
    below = (f"it is partitioned itself ({len(seen.below)} partitions)",) if seen.below else ()
    keys = tuple(f"a foreign key of {table} refers to {seen.parent}" for table in seen.incoming)
    return (*below, *inherited, *(seen.referred or keys), *seen.published, *seen.dependents)


def out(
    move: ColdMove,
    keys: Iterable[ForeignKey],
    table: Table,
    own: tuple[Property, ...] = (),
    *,
    prepared: bool,
    copied: bool,
) -> Iterator[Step]:
    """Plan how a partition goes to the server, from where an earlier run has left it.

    Args:
        move: the partition.
        keys: its own foreign keys, which no foreign table has.
        table: the partition, as observed.
        own: what it has of its own, and does not come back with its rows.
        prepared: its foreign table exists.
        copied: its copy is complete.
    """
    for key in keys:
        yield DropConstraint(move.name, key.name, table.with_partitions([key.referenced]))
    if not prepared:
        yield PrepareCold(move)
    if not copied:
        yield CopyToCold(move)
    yield SwapToCold(move, own)


def back(move: ColdMove, part: ColdPartition, archive: Table, table: QualifiedName) -> Iterator[Step]:
    """Plan how a partition comes back to the archive, from where an earlier run has left it."""
    if not (part.returns and part.copied):
        again = part.returns and part.there and part.attached_to is None
        yield CopyFromCold(move, archive.owner, replaces=again, summed=still(part, move.columns))
    default = next((one.name for one in archive.partitions if one.default), None)
    yield SwapFromCold(move, table, default)
    yield DropCopy(move, "its rows are here again")


def resumed(
    part: ColdPartition, move: ColdMove, archive: Table, table: QualifiedName, wanted: Collection[QualifiedName]
) -> tuple[tuple[Step, ...], str]:
    """Plan what an earlier run has left of a partition's move; and return what is left alone, and why.

    Args:
        part: the partition, as known.
        move: the same.
        archive: the archive.
        table: whose archive it is.
        wanted: the partitions that are to go to the server.
    """
    if part.cold:
        return (tuple(back(move, part, archive, table)) if part.returns else ()), ""
    if part.moved_at:
        return (), (
            f"{part.foreign} was detached from {move.cold} by hand, and its rows are on server {move.remote.server}: "
            f"attach it again ({part.bounds})"
        )
    if part.returns:
        return (DropCopy(move, "its rows are here again"),), ""
    if part.attached_to != move.archive or part.name not in wanted:
        return (DropCopy(move, f"{part.name} does not go there"),), ""
    return (), ""
