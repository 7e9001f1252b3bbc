"""Tables that Citus distributes: how they come to it, and what is refused of them, by name and with the way to go."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from schema_kit.errors import DeclarationError, PlanError, refuse_for
from schema_kit.model import Distribution, ForeignKeyDeclaration, Relation, Table
from schema_kit.names import QualifiedName
from schema_kit.steps import Plan, Step
from schema_kit.steps.distribution import Distribute, DistributeConcurrently, Undistribute

NO_CITUS = (
    "the extension citus is missing in this database. It has to be in shared_preload_libraries on each node; then: "
    "CREATE EXTENSION citus"
)


def distribute(
    name: QualifiedName,
    wanted: Distribution,
    table: Table | None,
    beside: tuple[QualifiedName, Table | None] | None,
    shard_count: int | None,
    ends: Mapping[QualifiedName, Distribution | None],
    *,
    blocking: bool,
    citus: bool,
) -> Plan:
    """Have Citus distribute a table; one that is distributed so stays as it is.

    Args:
        name: the table.
        wanted: how; its colocation is that of *beside*.
        table: the table, as observed.
        beside: the table with which it is colocated, by name and as observed.
        shard_count: how many shards; None: as many as Citus makes.
        ends: the tables at the other end of its foreign keys, either way.
        blocking: whether writes may wait while rows are copied.
        citus: whether the extension exists.

    Raises:
        DeclarationError: a column and a reference table, or a shard count with a colocation.
        PlanError: no Citus, no such table or column, it is distributed in another way, a key lacks the column, or
            it cannot be done while writes continue.
    """
    title = f"distribute {name}"
    if shard_count is not None and (beside or wanted.kind != "hash" or shard_count < 1):
        raise DeclarationError(
            f"cannot {title}: shard_count is 1 or more, of a table with a distribution column, without colocate_with."
        )
    if wanted.kind == "reference" and (wanted.column or beside):
        raise DeclarationError(f"cannot {title}: a reference table has neither a column nor a colocation.")
    if not citus:
        raise PlanError(f"cannot {title}: {NO_CITUS}.")
    if table is None:
        raise PlanError(f"cannot {title}: there is no such table.")
    found = table.distribution
    if found and found.spread:
        if (found.kind, found.column) == (wanted.kind, wanted.column) and (
            beside is None or found.colocation == _colocation(beside)
        ):
            return Plan(title)
        raise PlanError(
            f"cannot {title}: it is {found.text} already (colocation id {found.colocation}). op.undistribute_table "
            "takes it back first."
        )
    wanted = replace(wanted, colocation=_colocation(beside))
    obstacles = [*_obstacles(wanted, table, beside), *_apart(wanted, table, ends)]
    concurrently = wanted.kind == "hash" and not blocking
    if concurrently and not table.primary_key and table.replica_identity in ("", "NOTHING"):
        obstacles.append(
            "it has neither a primary key nor a replica identity, and while its rows are copied UPDATE and DELETE "
            "would fail (op.create_primary_key_concurrently, or blocking=True)"
        )
    refuse_for(f"cannot {title}", obstacles)
    to = beside[0] if beside else None
    step: Step = (DistributeConcurrently if concurrently else Distribute)(name, wanted, to, shard_count)
    return Plan(title, (step,))


def _colocation(beside: tuple[QualifiedName, Table | None] | None) -> int:
    other = beside[1].distribution if beside and beside[1] else None
    return other.colocation if other else 0


def _apart(wanted: Distribution, table: Table, ends: Mapping[QualifiedName, Distribution | None]) -> Iterator[str]:
    """Yield foreign keys that would not join colocated tables any more; one to itself always does."""
    for key in (*table.foreign_keys, *table.incoming):
        if key.table == key.referenced:
            continue
        own = wanted if key.table == table.name else ends[key.table]
        to = wanted if key.referenced == table.name else ends[key.referenced]
        if said := _not_beside(key.table, own, key.referenced, to):
            yield f"foreign key {key.name} stands in the way: {said}"


def _obstacles(wanted: Distribution, table: Table, beside: tuple[QualifiedName, Table | None] | None) -> Iterator[str]:
    if table.is_partition:
        yield "it is a partition: what it is a partition of is distributed, and takes it along"
    column = table.column(wanted.column) if wanted.column else None
    if wanted.column and column is None:
        yield f"it has no column {wanted.column}"
    if beside:
        other = beside[1].distribution if beside[1] else None
        if other is None or not other.spread or other.kind == "reference":
            yield f"{beside[0]} is not distributed: it has no shards to be colocated with"
        elif beside[1] and wanted.column and other.column:
            theirs = beside[1].column(other.column)
            if column and theirs and theirs.type != column.type:
                yield f"{wanted.column} is {column.type}, and {other.column} of {beside[0]} is {theirs.type}"
    for index in table.indexes:
        if wanted.column and (index.unique or index.exclusion) and wanted.column not in index.columns:
            yield _lacks(f"{index.name}, which is unique", index.columns, wanted.column)
    for trigger in table.triggers:
        yield f"Citus has no triggers on distributed tables, and it has {trigger.name}"


def undistribute(name: QualifiedName, table: Table | None, *, citus: bool) -> Plan:
    """Take a table back to the coordinator; one that lies there stays as it is.

    Raises:
        PlanError: no Citus, no such table, or foreign keys join it to tables that would have to come along.
    """
    title = f"take {name} back to the coordinator"
    if not citus:
        raise PlanError(f"cannot {title}: {NO_CITUS}.")
    if table is None:
        raise PlanError(f"cannot {title}: there is no such table.")
    if table.distribution is None:
        return Plan(title)
    keys = [f"foreign key {key.name} of {key.table}" for key in (*table.foreign_keys, *table.incoming)]
    if keys:
        raise PlanError(
            f"cannot {title}: {', '.join(keys)} would take other tables along. Drop that first, and create it again "
            "behind it."
        )
    if table.is_partition:
        raise PlanError(f"cannot {title}: it is a partition, which comes back with what it is a partition of.")
    return Plan(title, (Undistribute(name),))


# What is refused


def refuse_moving(title: str, name: QualifiedName, distribution: Distribution | None) -> None:
    """Refuse to convert, split, drain or copy a table that Citus knows: it has no triggers, and no swap of shards.

    Raises:
        PlanError: Citus knows it.
    """
    if distribution is None:
        return
    if distribution.kind == "managed":
        way = (
            "Drop its foreign keys from and to reference tables, which makes it a plain table again, and create them "
            "behind it"
        )
    elif distribution.kind == "local":
        way = f"SELECT undistribute_table('{name.sql}') makes it a plain table again"
    else:
        way = (
            "Do it on the coordinator, then distribute: op.undistribute_table, this, then "
            "op.distribute_table_concurrently"
        )
    raise PlanError(
        f"cannot {title}: {name} is {distribution.text} (Citus), where no trigger can follow what is written "
        f"meanwhile, and shards cannot change places. {way}."
    )


def refuse_key(title: str, tree: Sequence[Relation], columns: Iterable[str]) -> None:
    """Refuse a unique index, or a unique or primary key, without the distribution column.

    Raises:
        PlanError: the column is missing.
    """
    distribution, own = tree[0].distribution if tree else None, tuple(columns)
    if distribution and distribution.column and distribution.column not in own:
        raise PlanError(f"cannot {title}: {_lacks('it is unique', own, distribution.column)}.")


def _lacks(what: str, columns: Sequence[str], column: str) -> str:
    return (
        f"{what} over ({', '.join(columns)}), lacks the distribution column {column}, and Citus keeps a key unique "
        f"shard by shard: write ({', '.join((column, *columns))})"
    )


def refuse_foreign_key(
    title: str, declared: ForeignKeyDeclaration, tree: Sequence[Relation], referenced: Sequence[Relation]
) -> None:
    """Refuse a foreign key that Citus cannot keep, and one of a table that is columnar.

    Raises:
        PlanError: the two are not colocated, it lacks the distribution column, or the table is columnar.
    """
    columnar = [relation.name for relation in (*tree, *referenced) if relation.access_method == "columnar"]
    if columnar:
        raise PlanError(
            f"cannot {title}: {', '.join(map(str, columnar))} is columnar, and a columnar table has no foreign keys. "
            "alter_table_set_access_method(..., 'heap') makes it a heap again."
        )
    if not (tree and referenced):
        return
    own, to = tree[0].distribution, referenced[0].distribution
    why = _not_beside(declared.table, own, declared.referenced, to)
    pairs = [*zip(declared.columns, declared.referenced_columns, strict=False)]
    if not why and own and to and own.column and to.column and (own.column, to.column) not in pairs:
        why = (
            f"it lacks the distribution column: {own.column} of {declared.table} has to refer to {to.column} of "
            f"{declared.referenced}"
        )
    changes = {declared.on_delete, declared.on_update} & {"SET NULL", "SET DEFAULT"} or (
        {declared.on_update} & {"CASCADE"}
    )
    if not why and own and own.column in declared.columns and changes:
        why = f"{', '.join(sorted(changes))} would change the distribution column {own.column}"
    if why:
        raise PlanError(f"cannot {title}: {why}.")


def _not_beside(
    table: QualifiedName, own: Distribution | None, referenced: QualifiedName, to: Distribution | None
) -> str:
    """Return why a foreign key cannot join two tables, wherever their rows lie; empty where it can."""
    here, there = bool(own and own.spread), bool(to and to.spread)
    if (to and to.kind == "reference") or not (here or there) or (not there and own and own.kind == "reference"):
        return ""
    if own and to and here and there and own.kind == to.kind and own.colocation == to.colocation:
        return ""
    which, where = ((one.text if one and one.spread else "local") for one in (own, to))
    return (
        f"{table} is {which}, {referenced} is {where}, and a foreign key joins tables that are colocated, or refers to "
        f"a reference table. Make {referenced} one (op.distribute_table_concurrently(..., reference=True)), or "
        "colocate the two (colocate_with=...)"
    )


def managed(tree: Sequence[Relation], referenced: Sequence[Relation]) -> tuple[str, ...]:
    """Return what a foreign key from a plain table to a reference table brings about, for the notes of a plan."""
    to = referenced[0].distribution if referenced else None
    if tree and tree[0].distribution is None and to and to.kind == "reference":
        return (
            f"{tree[0].name} becomes a local table that Citus manages by itself, since {referenced[0].name} is a "
            "reference table: it cannot be converted any more. Convert first",
        )
    return ()
