"""Plan batched deletion or archiving of rows, referencing rows first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from schema_kit.errors import DeclarationError, PlanError, refuse_for
from schema_kit.model import KEEPS_ROWS, Action, ArchivePolicy, ForeignKey, LeavingTable, Tree
from schema_kit.model.locks import Seen
from schema_kit.names import QualifiedName, ended, fit, ident
from schema_kit.steps import Plan
from schema_kit.steps.rows import Archive, Due, Pace, RemoveRows, same_sql

Observed = Mapping[QualifiedName, LeavingTable]


@dataclass(frozen=True, slots=True)
class Leaving:
    """Which rows leave a table, and what becomes of them.

    Args:
        table: the table.
        where: which rows, in SQL.
        column: the column by which the oldest go first, which needs an index; None: in the order of the primary key.
        tree: the tables whose rows go along; None for those whose foreign keys say ON DELETE CASCADE.
        archives: where rows of which table go; empty: they are deleted.
        archived_at: the archives' column that gets the moment of the move, in those that have it.
        pace: how fast it goes.
    """

    table: QualifiedName
    where: str
    column: str | None = None
    tree: Tree | None = None
    archives: Mapping[QualifiedName, QualifiedName] | None = None
    archived_at: str = "archived_at"
    pace: Pace = field(default_factory=Pace)
    back: bool = False
    """It is about their return."""

    @property
    def title(self) -> str:
        """What it is, for people."""
        if self.back:
            return f"restore rows of {self.table}"
        return f"{'delete' if self.archives is None else 'archive'} rows of {self.table}"


def archives(observed: Observed, policies: Iterable[ArchivePolicy]) -> dict[QualifiedName, QualifiedName]:
    """Where the rows of each table go: by its policy; without one to the table that is called like an archive of it."""
    known = {policy.table: policy.archive for policy in policies}
    return {table: known.get(table, table.sibling(fit(table.name, "_archive"))) for table in observed}


def remove(leaving: Leaving, observed: Observed) -> Plan:
    """Remove rows, those that reference them first: the deepest of the tree before what they refer to.

    Args:
        leaving: which rows, and what becomes of them.
        observed: the table, all that refers to it, and the archives.

    Returns:
        A step for each table of the tree. Whether any row is due is not looked at: the caller asks first.

    Raises:
        DeclarationError: the tree is invalid.
        PlanError: a table, column, index, key or right is missing, a table refers to one whose rows go and the tree
            does not have it, or an archive lacks a column.
    """
    return Plan(leaving.title, tuple(_relying(step, observed) for step in _steps(leaving, observed)))


def _relying(step: RemoveRows, observed: Observed) -> RemoveRows:
    """Return a step that looks at each batch whether the tables are what they were."""
    names = (step.table, *((step.archive.table,) if step.archive else ()), step.due.table)
    there = {name: observed.get(name) for name in (*names, *(key.table for key in step.path))}
    return replace(step, layouts=tuple(Seen(name, one.layout) for name, one in there.items() if one and one.layout))


def _steps(leaving: Leaving, observed: Observed) -> Iterator[RemoveRows]:
    root = observed.get(leaving.table)
    if root is None:
        raise _refused(leaving, "there is no such table")
    order = root.key
    if leaving.column is not None:
        if leaving.column not in (*root.columns, *root.generated):
            raise _refused(leaving, f"it has no column {leaving.column}")
        order = (root.index_on(leaving.column) or ())[:1]
        if not order:
            raise _refused(leaving, _no_index(root.name, leaving.column))
    if not order:
        raise _refused(leaving, f"{root.name} has no primary key to page through (op.create_primary_key_concurrently)")
    due = Due(root.name, leaving.where, order, root.partitioned)
    if root.distribution and root.distribution.spread:
        yield _spread(leaving, observed, due, root)
        return
    if leaving.archives and {key.table for key in root.incoming} & set(leaving.archives.values()):
        raise _refused(leaving, "an archive refers to it: rows that are archived would be held by their own copies")
    yield from _below(leaving, observed, due, root, leaving.tree, ())


def _spread(leaving: Leaving, observed: Observed, due: Due, table: LeavingTable) -> RemoveRows:
    """Of a table that Citus distributes: no row is locked across shards, so nothing that refers to one is looked at.

    Raises:
        PlanError: it has no primary key, others refer to its rows in a way that needs that look, or its archive does
            not colocated with it.
    """
    assert table.distribution is not None
    refuse_for(f"cannot {leaving.title}", table.missing_rights)
    if not table.key:
        raise _refused(leaving, f"{table.name} has no primary key (op.create_primary_key_concurrently)")
    goes = {*KEEPS_ROWS} if leaving.archives is not None else {*KEEPS_ROWS, Action.CASCADE}
    held = [key for one in observed.values() for key in one.incoming if key.on_delete not in goes]
    if held:
        raise _refused(
            leaving,
            f"{table.name} is {table.distribution.text}, and Citus locks no rows across shards, so that a row could "
            f"come to refer to one that leaves: {', '.join(f'{key.name} of {key.table}' for key in held)}. "
            + ("Archive whole partitions, or make it " if leaving.archives else "Make it ON DELETE CASCADE, or ")
            + "ON DELETE SET NULL",
        )
    archive = None if leaving.archives is None else _archive(leaving, observed, table)
    if archive:
        refuse_apart(leaving, table, observed[archive.table])
    stays = tuple(dict.fromkeys(key.table for key in table.incoming if key.on_delete in KEEPS_ROWS))
    return RemoveRows(table.name, table.partitioned, table.key, due, (), (), leaving.pace, archive, stays, spread=True)


def refuse_apart(leaving: Leaving, table: LeavingTable, other: LeavingTable) -> None:
    """Rows go from shard to shard of one node, in one statement, or not at all.

    Raises:
        PlanError: the two tables are not colocated.
    """
    own, to = table.distribution, other.distribution
    spread = [bool(one and one.spread) for one in (own, to)]
    if any(spread) and not (all(spread) and own and to and own.colocation == to.colocation):
        raise _refused(
            leaving,
            f"{table.name} is {own.text if own else 'local'}, {other.name} is {to.text if to else 'local'}, and rows "
            "go only between tables that are colocated. While the other one is empty: "
            f"op.distribute_table_concurrently({other.name.name!r}, ..., colocate_with={table.name.name!r})",
        )


def _below(
    leaving: Leaving,
    observed: Observed,
    due: Due,
    table: LeavingTable,
    tree: Tree | None,
    path: tuple[ForeignKey, ...],
) -> Iterator[RemoveRows]:
    """Yield what references a table, and then the table itself."""
    refuse_for(f"cannot {leaving.title}", table.missing_rights)
    if table.partitioned and not table.key:
        raise _refused(
            leaving, f"{table.name} is partitioned and has no primary key (op.create_primary_key_concurrently)"
        )
    branches = _branches(leaving, table, tree)
    holders = []
    for key in table.incoming:
        child = observed.get(key.table)
        if key.on_delete not in KEEPS_ROWS:
            _check_reference(leaving, table, key, branches, path)
        if child is not None and not any(child.index_on(column) for column in key.columns):
            raise _refused(leaving, _no_index(key.table, *key.columns))
        if key.on_delete in KEEPS_ROWS:
            continue
        assert child is not None  # it was read with what it refers to
        holders.append(key)
        yield from _below(
            leaving, observed, due, child, None if branches is None else branches[key.table], (*path, key)
        )
    yield RemoveRows(
        table.name,
        table.partitioned,
        table.key,
        due,
        path,
        tuple(holders),
        leaving.pace,
        None if leaving.archives is None else _archive(leaving, observed, table),
        tuple(dict.fromkeys(key.table for key in table.incoming if key.on_delete in KEEPS_ROWS)),
    )


def _branches(leaving: Leaving, table: LeavingTable, tree: Tree | None) -> dict[QualifiedName, Tree] | None:
    if tree is None:
        return None
    found: dict[QualifiedName, Tree] = {}
    for text, below in tree.items():
        name = QualifiedName.parse(text, table.name.schema)
        if not isinstance(below, Mapping):
            raise DeclarationError(
                f"the tree of {leaving.table} has {below!r} below {text!r}. Write a mapping of table names, {{}} where "
                "nothing references it."
            )
        if name not in {key.table for key in table.incoming if key.on_delete not in KEEPS_ROWS}:
            raise _refused(leaving, f"its tree has {name} below {table.name}, which it does not refer to")
        found[name] = below
    return found


def _check_reference(
    leaving: Leaving,
    table: LeavingTable,
    key: ForeignKey,
    branches: Mapping[QualifiedName, Tree] | None,
    path: tuple[ForeignKey, ...],
) -> None:
    what = f"foreign key {key.name} of {key.table} refers to {table.name} ({Action(key.on_delete).words})"
    if key.table == table.name or any(key.table == above.table for above in path) or key.table == leaving.table:
        raise _refused(
            leaving, f"{what}, in a circle, which no order of tables resolves; only ON DELETE SET NULL can stay so"
        )
    if (branches is None and key.on_delete != Action.CASCADE) or (branches is not None and key.table not in branches):
        name = key.table.name if key.table.schema == table.name.schema else str(key.table)
        raise _refused(
            leaving,
            f"{what}, and its rows would be left without what they refer to. Declare that they go along: tree={{"
            f"{name!r}: {{}}}} below {table.name}; or make it ON DELETE SET NULL",
        )


def _archive(leaving: Leaving, observed: Observed, table: LeavingTable) -> Archive:
    assert leaving.archives is not None  # rows that are deleted need none
    name = leaving.archives.get(table.name)
    if name is None:
        raise _refused(
            leaving,
            f"{table.name} has no archive, and its rows go along (op.create_archive_table, op.set_archive_policy)",
        )
    archive = observed.get(name)
    if archive is None:
        raise _refused(leaving, f"there is no table {name}, the archive of {table.name} (op.create_archive_table)")
    refuse_for(f"cannot {leaving.title}", archive.missing_rights)
    if missing := [c for c in (*table.columns, *table.generated) if c not in (*archive.columns, *archive.generated)]:
        raise _refused(leaving, f"{name} lacks columns of {table.name}: {', '.join(missing)}")
    repair = " op.repair_archive_table changes the archive."
    refuse_for(f"cannot {leaving.title}", _of_other_types(table, archive), then=repair)
    copied = tuple(column for column in (*table.columns, *table.generated) if column in archive.columns)
    stamp = leaving.archived_at
    stamped = stamp in archive.columns and stamp not in copied
    return Archive(name, copied, stamp if stamped else None)


def _of_other_types(table: LeavingTable, archive: LeavingTable) -> Iterator[str]:
    """A value that is only cast where it goes may be another one there."""
    there = dict(archive.types)
    for column, type_ in table.types:
        if there.get(column, type_) != type_:
            yield f"column {column} of {archive.name} is {there[column]}, and {type_} in {table.name}"


def back(leaving: Leaving, observed: Observed) -> tuple[RemoveRows, ...]:
    """Reverse `remove`: rows of the root first, then the rows that reference them.

    Args:
        leaving: which rows, by a condition on the table's columns, and where they are.
        observed: the table, all that refers to it, and the archives.

    Raises:
        PlanError: as `remove`; and where an archive has columns that would be lost, or others refer to its rows.
    """
    away = [step for step in remove(leaving, observed).steps if isinstance(step, RemoveRows)]
    depth: dict[QualifiedName, int] = {}
    for step in away:
        depth[step.table] = max(depth.get(step.table, 0), len(step.path))
    found = []
    for step in sorted(away, key=lambda step: depth[step.table]):
        assert step.archive is not None  # remove() has found one for each
        archive = observed[step.archive.table]
        if not step.path:
            found.append(bring_back(leaving, archive, observed[step.table]))
            continue
        last = replace(step.path[-1], table=archive.name)
        if not any(archive.index_on(column) for column in last.columns):
            raise _refused(leaving, _no_index(archive.name, *last.columns))
        back_again = bring_back(leaving, archive, observed[step.table], step.due, (*step.path[:-1], last))
        found.append(_relying(back_again, observed))
    return tuple(found)


def bring_back(
    leaving: Leaving,
    archive: LeavingTable,
    table: LeavingTable,
    due: Due | None = None,
    path: tuple[ForeignKey, ...] = (),
) -> RemoveRows:
    """Return the step that takes rows from an archive, or a partition of it, to a table.

    Args:
        leaving: which rows; for whom it is refused.
        archive: where they are.
        table: where they go.
        due: the rows on which they hang, if they come with others.
        path: the foreign keys from there to the archive.

    Raises:
        PlanError: rights are missing, values would be lost, or others refer to the rows.
    """
    known = (*table.columns, *table.generated, leaving.archived_at)
    obstacles = [*archive.missing_rights, *table.missing_rights]
    obstacles += [
        f"{archive.name} has a column {c}, which {table.name} has not" for c in archive.columns if c not in known
    ]
    obstacles += _of_other_types(table, archive)
    obstacles += [f"foreign key {key.name} of {key.table} refers to {archive.name}" for key in archive.incoming]
    if archive.partitioned and not archive.key:
        obstacles.append(f"{archive.name} is partitioned and has no primary key (op.create_primary_key_concurrently)")
    refuse_for(f"cannot {leaving.title}", obstacles)
    refuse_apart(leaving, archive, table)
    spread = bool(archive.distribution and archive.distribution.spread)
    if spread and not archive.key:
        raise _refused(leaving, f"{archive.name} has no primary key (op.create_primary_key_concurrently)")
    if due is None:
        order = (archive.index_on(leaving.column) or ())[:1] if leaving.column else ()
        due = Due(archive.name, leaving.where, order or archive.key, archive.partitioned)
    there = (*archive.columns, *archive.generated)
    to = Archive(table.name, tuple(c for c in table.columns if c in there), None, True, table.key)
    own = (archive.name, archive.partitioned, archive.key)
    step = RemoveRows(*own, due, path, (), leaving.pace, to, spread=spread)
    return _relying(step, {archive.name: archive, table.name: table})


def dangling(key: ForeignKey, archive: QualifiedName, where: str) -> str:
    """Return a condition on rows of an archive: the row that a foreign key of the table requires for them is gone."""
    given = " AND ".join(f"{ident(column)} IS NOT NULL" for column in key.columns)
    same = same_sql(key, "held", archive.sql)
    return f"({ended(where)}) AND {given} AND NOT EXISTS (SELECT 1 FROM {key.referenced.sql} AS held WHERE {same})"


def _no_index(table: QualifiedName, *columns: str) -> str:
    name = "_".join(("ix", table.name, *columns))
    listed = ", ".join(repr(column) for column in columns)
    return (
        f"{table} has no index that begins with {', '.join(columns)}, and each batch would read the whole table "
        f"(op.create_index_concurrently({name!r}, {table.name!r}, [{listed}], schema={table.schema!r}))"
    )


def _refused(leaving: Leaving, why: str) -> PlanError:
    return PlanError(f"cannot {leaving.title}: {why}.")
