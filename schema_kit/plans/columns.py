"""Columns added, changed and dropped, and tables dropped, where neither a rewrite nor a scan holds a lock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from schema_kit.errors import DeclarationError, PlanError, refuse_for
from schema_kit.model import Column, ColumnDeclaration, ForeignKey, Relation, Table
from schema_kit.names import QualifiedName
from schema_kit.plans.constraints import Ends, below, with_partitions
from schema_kit.plans.indexes import root_of
from schema_kit.steps import Plan, Step
from schema_kit.steps.archive_views import ArchiveView
from schema_kit.steps.columns import (
    AddColumn,
    AlterColumnType,
    DropColumn,
    DropNotNull,
    DropWholeTable,
    SetDefault,
)
from schema_kit.steps.constraints import AddCheck, AddForeignKey, AddNotNull, DropConstraint
from schema_kit.steps.indexes import DropIndexConcurrently, DropParentIndex
from schema_kit.steps.partitions import Analyze


def add_column(
    table: QualifiedName,
    declared: ColumnDeclaration,
    tree: Sequence[Relation],
    *,
    printed: tuple[str, str | None] = ("", None),
    rewrites: bool = False,
    fill: Plan | None = None,
    not_null: Plan | None = None,
    foreign_key: Plan | None = None,
) -> Plan:
    """Add a column without rewriting the table, or give one that exists what it lacks of the declaration.

    A default that is the same for all rows is kept in the catalog by PostgreSQL. One that changes from row to row is
    set for new rows, filled in by batches, and only then NOT NULL. A foreign key comes with the column where that has
    no value yet, and is validated afterwards where it has one.

    Args:
        table: the table.
        declared: the column.
        tree: the table, then its partitions.
        printed: how PostgreSQL prints the declared type and default.
        rewrites: whether ADD COLUMN with this default would rewrite the table.
        fill: the batches that fill the column in; none where it is missing still.
        not_null: the plan that makes it NOT NULL; none where it is missing still.
        foreign_key: the plan that makes its foreign key.

    Raises:
        DeclarationError: NOT NULL without a default.
        PlanError: no such table, or a column of that name with another type or default.
    """
    title = f"add column {declared.name} to {table}"
    root = root_of(tree, title)
    found = None if root.imagined else root.column(declared.name)
    if found:
        _refuse_other_column(table, found, declared, printed)
    if not declared.nullable and declared.default is None:
        raise DeclarationError(
            f"column {declared.name} is NOT NULL without a default: the rows of {table} would have no value. Give "
            "server_default, or add it nullable, fill it (op.update_in_batches) and use op.set_not_null_concurrently."
        )
    if rewrites and not any(index.primary for index in root.indexes) and not root.imagined:
        raise PlanError(
            f"cannot {title}: its default changes from row to row, so the rows are filled in by batches, which page "
            "through a primary key, and there is none."
        )
    if rewrites and root.distribution and root.distribution.spread:
        raise PlanError(
            f"cannot {title}: its default changes from row to row, {table} is {root.distribution.text}, and Citus has "
            "no volatile function in an UPDATE. Instead: add it without the default, set that for new rows "
            "(op.alter_column_concurrently), and let the application, or an expression of the row's own columns "
            "(op.update_in_batches), fill in the old ones."
        )
    after = foreign_key.steps if foreign_key else ()
    if found:
        missing = declared.default is not None and found.default is None and printed[1] is not None
        default = (SetDefault(table, declared.name, below(tree), declared.default),) if missing else ()
        proof = not_null.steps if not_null else ()
        if rewrites and proof and isinstance(proof[0], AddCheck | AddNotNull):
            proof, after = proof[:1], ()  # rows that were missed are looked for under it
        return Plan(title, (*default, *(fill.steps if fill else ()), *proof, *after))
    referenced = tuple(lock.table for step in after for lock in step.locks if isinstance(step, AddForeignKey))
    if rewrites:
        bare = replace(declared, default=None, nullable=True)
        return Plan(title, (AddColumn(table, declared.name, below(tree), bare, declared.default, referenced),))
    if declared.default is not None:
        alone = replace(declared, foreign_key=None)
        return Plan(title, (AddColumn(table, declared.name, below(tree), alone), *after))
    return Plan(title, (AddColumn(table, declared.name, below(tree), declared, referenced=referenced),))


def _refuse_other_column(
    table: QualifiedName, found: Column, declared: ColumnDeclaration, printed: tuple[str, str | None]
) -> None:
    if found.type != printed[0]:
        raise PlanError(f"column {declared.name} of {table} exists and is {found.type}, not {printed[0]}.")
    filled = found.default is not None or declared.default is None
    if printed[1] is not None and filled and found.default != printed[1]:
        raise PlanError(
            f"column {declared.name} of {table} exists, and its default says something else:\n"
            f"  there:    {found.default}\n  declared: {printed[1]}"
        )


def drop_column(
    table: QualifiedName,
    column: str,
    tree: Sequence[Relation],
    obstacles: Sequence[str] = (),
    ends: Ends | None = None,
    views: tuple[ArchiveView, ...] = (),
    observed: Table | None = None,
) -> Plan:
    """Drop a column: its indexes first, each without blocking sessions where PostgreSQL allows it.

    Args:
        table: the table.
        column: its column; a missing one is not an error.
        tree: the table, then its partitions.
        obstacles: why PostgreSQL would refuse to drop it.
        ends: the tables at the other end of foreign keys, with their partitions.
        views: the views over the table and its archive that show it.
        observed: the table, where there are such views.

    Raises:
        PlanError: no such table, or something stops it.
    """
    title = f"drop column {column} of {table}"
    root = root_of(tree, title)
    if root.column(column) is None:
        return Plan(title)
    refuse_for(f"cannot {title}", [*obstacles, *_decides(root, column)], then=" See to that first.")
    steps: list[Step] = []
    for index in root.indexes:
        if column in index.columns and index.constraint is None:
            name = table.sibling(index.name)
            steps.append(
                DropParentIndex(name, table, below(tree)) if root.partitioned else DropIndexConcurrently(name, table)
            )
    referenced = with_partitions((key.referenced for key in root.foreign_keys if column in key.columns), ends)
    return Plan(title, (*steps, DropColumn(table, column, below(tree), referenced, views, observed)))


def alter_column(
    table: QualifiedName,
    column: str,
    tree: Sequence[Relation],
    *,
    type_: str | None = None,
    printed_type: str | None = None,
    rewrites: tuple[bool, bool] = (False, False),
    default: tuple[str | None] | None = None,
    printed_default: str | None = None,
    nullable: bool | None = None,
    not_null: Plan | None = None,
    incoming: Sequence[ForeignKey] = (),
    ends: Ends | None = None,
    views: tuple[ArchiveView, ...] = (),
    observed: Table | None = None,
) -> Plan:
    """Change a column's type, default or NOT NULL, as far as that needs no rewrite, no scan and no new index.

    Args:
        table: the table.
        column: its column.
        tree: the table, then its partitions.
        type_: the new type, as SQL.
        printed_type: how PostgreSQL prints it.
        rewrites: whether that change rewrites the table, and whether it builds an index again.
        default: the new default in a tuple, (None,) for none; None leaves it.
        printed_default: how PostgreSQL prints the new default.
        nullable: True lets it be NULL, False forbids it, None leaves it.
        not_null: the plan that forbids it.
        incoming: the foreign keys that refer to the table.
        ends: the tables at the other end of foreign keys, with their partitions.
        views: the views over the table and its archive that show it.
        observed: the table, where there are such views.

    Raises:
        PlanError: no such table or column, or a change that PostgreSQL makes by rewriting or scanning under a lock.
    """
    title = f"alter column {column} of {table}"
    root = root_of(tree, title)
    found = root.column(column)
    if found is None:
        raise PlanError(f"cannot {title}: there is no such column.")
    steps: list[Step] = []
    if type_ is not None and found.type != printed_type:
        refuse_for(f"cannot {title}", _decides(root, column))
        _refuse_slow_change(table, column, f"{found.type} to {printed_type}", tree, rewrites)
        others = [key.referenced for key in root.foreign_keys if column in key.columns]
        others += [key.table for key in incoming if column in key.referenced_columns]
        changed = (with_partitions(others, ends), views, observed)
        steps.append(AlterColumnType(table, column, below(tree), *changed, type=type_))
    if default is not None and (root.imagined or found.default != printed_default):
        steps.append(SetDefault(table, column, below(tree), default[0]))
    if nullable and (root.imagined or found.not_null):
        steps.append(DropNotNull(table, column, below(tree)))
    steps += not_null.steps if not_null else ()
    if type_ is not None and found.type != printed_type:
        # PostgreSQL forgets what it knew of the column's values.
        steps.append(Analyze(table, below(tree)))
    return Plan(title, tuple(steps))


def _decides(root: Relation, column: str) -> tuple[str, ...]:
    """Return that Citus decides by the column where rows lie, if it does: it neither changes nor goes."""
    if root.distribution is None or root.distribution.column != column:
        return ()
    return (
        f"{column} is the distribution column of {root.name} (Citus): op.undistribute_table makes it a column like "
        "others, op.distribute_table_concurrently distributes by another one",
    )


def _refuse_slow_change(
    table: QualifiedName, column: str, change: str, tree: Sequence[Relation], rewrites: tuple[bool, bool]
) -> None:
    found = (check for relation in tree for check in relation.checks)
    checks = dict.fromkeys(check.name for check in found if column in check.columns and not check.not_null)
    why = "writes every row again" if rewrites[0] else "builds an index again" if rewrites[1] else ""
    why = why or (f"checks every row again ({', '.join(checks)})" if checks else "")
    if why:
        raise PlanError(
            f"PostgreSQL {why} to change {table}.{column} from {change}, and no other session reads or writes the "
            "table meanwhile. Instead: add a column of the new type (op.add_column_concurrently), keep it filled by a "
            "trigger, fill the old rows (op.update_in_batches), switch the application over, and drop the old one "
            "(op.drop_column_concurrently)."
        )


def drop_table(
    table: QualifiedName,
    tree: Sequence[Relation],
    incoming: Sequence[ForeignKey],
    obstacles: Sequence[str] = (),
    ends: Ends | None = None,
) -> Plan:
    """Drop a table: its foreign keys first, each in a commit of its own, so that no two tables are locked at once.

    Args:
        table: the table; a missing one is not an error.
        tree: the table, then its partitions.
        incoming: the foreign keys that refer to it.
        obstacles: why PostgreSQL would refuse to drop it.
        ends: the tables at the other end of foreign keys, with their partitions.

    Raises:
        PlanError: other tables refer to it, or something else stops it.
    """
    title = f"drop table {table}"
    if not tree:
        return Plan(title)
    others = [key for key in incoming if key.table != table]
    if others:
        names = ", ".join(f"{key.name} of {key.table}" for key in others)
        raise PlanError(f"cannot {title}: foreign keys refer to it: {names}. Drop those first.")
    refuse_for(f"cannot {title}", obstacles, then=" See to that first.")
    keys = [
        DropConstraint(table, key.name, with_partitions([key.referenced], ends), below(tree))
        for key in tree[0].foreign_keys
    ]
    return Plan(title, (*keys, DropWholeTable(table, below(tree))))
