"""Columns, and whole tables that go."""

from __future__ import annotations

from dataclasses import replace

from schema_kit.errors import PlanError, refuse_for
from schema_kit.model import ColumnDeclaration, Relation
from schema_kit.names import QualifiedName, ident
from schema_kit.offline import EmptyDatabase
from schema_kit.plans import columns, constraints
from schema_kit.plans.batches import run_name
from schema_kit.steps import Plan
from schema_kit.steps.batches import Change, UpdateBatch
from schema_kit.steps.columns import column_sql
from schema_kit.steps.constraints import ValidateConstraint
from schema_kit.tasks import Database, batches
from schema_kit.tasks.archive_views import showing
from schema_kit.tasks.constraints import create_foreign_key, ends, set_not_null


def add(database: Database, table: QualifiedName, declared: ColumnDeclaration) -> Plan:
    """Add a column, or give one that exists what it lacks."""
    tree = database.tree(table)
    if not tree:
        return columns.add_column(table, declared, tree)
    if declared.virtual and not database.server().virtual_columns and not isinstance(database, EmptyDatabase):
        raise PlanError(
            f"cannot add column {declared.name} to {table}: PostgreSQL has virtual generated columns from 18 on."
        )
    found = tree[0].column(declared.name) is not None
    rewrites = declared.default is not None and _rewrites(database, table, declared)
    fill = not_null = foreign_key = None
    if found:
        fill = _fill(database, table, declared) if rewrites else None
        not_null = None if declared.nullable else set_not_null(database, table, declared.name)
        proving = not_null is not None and not_null.steps and isinstance(not_null.steps[0], ValidateConstraint)
        # Under the check no row can become NULL, nor move as long as it is: one pass finds all of them.
        again = rewrites and proving and not fill
        if again and database.has_row_where(table, f"{ident(declared.name)} IS NULL"):
            fill = _fill(database, table, declared, " under its check")
    elif _rewrites(database, table, replace(declared, default=None, nullable=True)):
        raise PlanError(
            f"cannot add column {declared.name} to {table}: PostgreSQL writes every row again for a column of "
            f"{declared.type}, a domain with constraints. Instead: add it with the type that "
            "the domain is over, and the constraints by op.create_check_constraint_concurrently."
        )
    if declared.foreign_key:
        foreign_key = create_foreign_key(database, constraints.under_its_own_name(declared.foreign_key, tree[0]))
    return columns.add_column(
        table,
        declared,
        tree,
        printed=database.column(table, declared.type, declared.default),
        rewrites=rewrites,
        fill=fill,
        not_null=not_null,
        foreign_key=foreign_key,
    )


def _rewrites(database: Database, table: QualifiedName, declared: ColumnDeclaration) -> bool:
    alone = replace(declared, foreign_key=None)
    return database.rewrites(table, f"ADD COLUMN {column_sql(alone, 'schema_kit_scratch_column')}")[0]


def _fill(database: Database, table: QualifiedName, declared: ColumnDeclaration, which: str = "") -> Plan:
    assert declared.default is not None  # only a default rewrites
    change = Change(table, ((declared.name, declared.default),), f"{ident(declared.name)} IS NULL")
    batch = UpdateBatch(
        run_name(change) + which, change, (), target_seconds=0.5, max_replica_lag=10.0, max_dead_share=0.2
    )
    return batches.update(database, batch, batch_size=1000)


def drop(database: Database, table: QualifiedName, column: str) -> Plan:
    """Drop a column: its indexes first, and around it the views over the table and its archive."""
    found = database.table(table)
    views = showing(database, found, column)
    obstacles = [*database.stops_drop(table, column, but=[one.view.name for one in views])]
    for one in views:
        obstacles += (*database.stops_drop(one.view.name), *one.view.obstacles)
    return columns.drop_column(
        table, column, database.tree(table), obstacles, ends(database, table), views, found if views else None
    )


def alter(
    database: Database,
    name: QualifiedName,
    column: str,
    type_: str | None = None,
    default: tuple[str | None] | None = None,
    nullable: bool | None = None,
    using: str = "",
) -> Plan:
    """Change a column's type, default or NOT NULL, where PostgreSQL needs no rewrite.

    Args:
        database: where.
        name: the table.
        column: its column.
        type_: the new type, if it changes.
        default: the new default, in a tuple; None in it drops it.
        nullable: whether it may be NULL, if that changes.
        using: `` USING ...``, how values of the old type become those of the new one.
    """
    tree = database.tree(name)
    found = tree[0].column(column) if tree else None
    if found is None:
        return columns.alter_column(name, column, tree)
    printed_type, rewrites = None, (False, False)
    if type_ is not None:
        printed_type, _ = database.column(name, type_, None)
        if printed_type != found.type:
            trial = f"ALTER COLUMN {ident(column)} TYPE {type_}{using}"
            tried = [name, *(relation.name for relation in tree[1:] if _has_its_own(relation, tree[0]))]
            found_out = [database.rewrites(table, trial) for table in tried]
            rewrites = any(first for first, _ in found_out), any(second for _, second in found_out)
    printed_default = None
    if default and default[0] is not None:
        _, printed_default = database.column(name, type_ or found.type, default[0])
    table = database.table(name)
    views = showing(database, table, column) if type_ is not None and printed_type != found.type else ()
    for one in views:
        obstacles = (*database.stops_drop(one.view.name), *one.view.obstacles)
        refuse_for(f"cannot change the type of {column} of {name}", obstacles, then=" See to that first.")
    return columns.alter_column(
        name,
        column,
        tree,
        incoming=table.incoming if table else (),
        ends=ends(database, name),
        views=views,
        observed=table if views else None,
        type_=None if type_ is None else f"{type_}{using}",
        printed_type=printed_type,
        rewrites=rewrites,
        default=default,
        printed_default=printed_default,
        nullable=nullable,
        not_null=set_not_null(database, name, column) if nullable is False else None,
    )


def _has_its_own(partition: Relation, root: Relation) -> bool:
    """Return whether it has indexes or checks that the table has not."""
    checks = {check.name for check in root.checks}
    return any(index.parent is None for index in partition.indexes) or any(
        check.name not in checks for check in partition.checks
    )


def drop_table(database: Database, name: QualifiedName) -> Plan:
    """Drop a table: its foreign keys first."""
    table, obstacles = database.table(name), database.stops_drop(name)
    if table and table.is_partition:
        obstacles = (
            "it is a partition: detach it first (ALTER TABLE ... DETACH PARTITION ... CONCURRENTLY)",
            *obstacles,
        )
    incoming = table.incoming if table else ()
    return columns.drop_table(name, database.tree(name), incoming, obstacles, ends(database, name))
