"""With --sql, what Alembic's own operations do to the database that is not there: later operations of ours rest on it.

Importing it registers, for PostgreSQL alone, a listener behind Alembic's own implementation. Online nothing is kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import sqlalchemy as sa
from alembic.operations import Operations, ops
from alembic.runtime.migration import MigrationContext
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex

from schema_kit.from_sqlalchemy import (
    baseline_table,
    default_sql,
    foreign_key_declaration,
    sql_of,
    type_of,
)
from schema_kit.model import Column, Index, Partition, Sequence, Table
from schema_kit.names import QualifiedName, idents
from schema_kit.offline import EmptyDatabase, foreign_key
from schema_kit.ops.naming import OFFLINE_SCHEMA

_DIALECT = postgresql.dialect(paramstyle="named")  # type: ignore[no-untyped-call]
_PARTITIONED = re.compile(r"\s*(RANGE|LIST|HASH)\s*\((.*)\)\s*$", re.IGNORECASE | re.DOTALL)

UNFOLLOWED = "schema_kit_unfollowed"
"""In the memo of a script of a range: why it is not known what the revisions before it have made."""

Follow = Callable[..., None]
"""Takes the database, the context, the operation, and of a table what Alembic made of it."""


def database_of(context: MigrationContext, now: Any = None) -> EmptyDatabase:
    """Return the database that a script is followed in."""
    memo: dict[str, Any] = context.impl.memo
    if "schema_kit" not in memo:
        settings = context.opts.get("schema_kit")
        memo["schema_kit"] = EmptyDatabase(now or (settings.now if settings else None))
    found: EmptyDatabase = memo["schema_kit"]
    return found


def _follows(*operations: type[ops.MigrateOperation]) -> Callable[[Follow], Follow]:
    def register(follow: Follow) -> Follow:
        for one in operations:
            alembics = Operations._to_impl.dispatch(one, "default")

            def perform(self: Any, operation: Any, alembics: Callable[..., Any] = alembics) -> Any:
                result = alembics(self, operation)
                context = self.migration_context
                if context.as_sql:
                    made = (result,) if isinstance(result, sa.Table) else ()
                    follow(database_of(context), context, operation, *made)
                return result

            Operations._to_impl.dispatch_for(one, qualifier="postgresql")(perform)
        return follow

    return register


def _name(name: str, schema: str | None) -> QualifiedName:
    return QualifiedName(schema or OFFLINE_SCHEMA, name)


@_follows(ops.CreateTableOp)
def _create_table(database: EmptyDatabase, _: MigrationContext, operation: Any, made: sa.Table) -> None:
    noun = baseline_table(made, default_schema=OFFLINE_SCHEMA).table
    checks = [one for one in made.constraints if isinstance(one, sa.CheckConstraint) and one.name]
    serial = made._autoincrement_column
    if serial is not None and serial.identity is None and serial.server_default is None:
        own = noun.name.sibling(f"{made.name}_{serial.name}_seq")
        noun = replace(noun, sequences=(*noun.sequences, Sequence(own, serial.name, False, "")))
    noun = replace(noun, checks=tuple((str(one.name), f"CHECK ({sql_of(one.sqltext)})", True) for one in checks))
    noun = replace(noun, indexes=(*noun.indexes, *map(_index, made.indexes)), comment=made.comment)
    database.remember(_partitioned(noun, made.dialect_options["postgresql"]["partition_by"]))


def _partitioned(noun: Table, by: str | None) -> Table:
    found = _PARTITIONED.match(by or "")
    if found is None:
        return noun
    columns = tuple(part.strip().strip('"') for part in found[2].split(","))
    return replace(noun, partitioned_by=columns, partition_strategy=found[1][0].lower())


def _index(index: sa.Index) -> Index:
    text = str(CreateIndex(index).compile(dialect=_DIALECT))
    _, _, tail = text.partition(" USING ") if " USING " in text else (0, 0, f"btree {text[text.index('(') :]}")
    columns = tuple(one.name for one in index.expressions if isinstance(one, sa.Column))
    return Index(str(index.name), tail, columns, unique=bool(index.unique))


@_follows(ops.DropTableOp)
def _drop_table(database: EmptyDatabase, _: MigrationContext, operation: ops.DropTableOp) -> None:
    database.forget(_name(operation.table_name, operation.schema))


@_follows(ops.RenameTableOp)
def _rename_table(database: EmptyDatabase, _: MigrationContext, operation: ops.RenameTableOp) -> None:
    database.rename(_name(operation.table_name, operation.schema), operation.new_table_name)


@_follows(ops.AddColumnOp)
def _add_column(database: EmptyDatabase, _: MigrationContext, operation: ops.AddColumnOp) -> None:
    name, column = _name(operation.table_name, operation.schema), operation.column
    new = Column(column.name, type_of(column), not column.nullable, default_sql(column.server_default))
    database.add_column(name, new)
    for key in column.foreign_keys:
        *schema, referenced, target = key.target_fullname.rsplit(".", 2)
        to = _name(referenced, schema[0] if schema else None)
        _add_key(database, name, str(key.name or f"{name.name}_{column.name}_fkey"), [column.name], to, [target], key)


@_follows(ops.DropColumnOp)
def _drop_column(database: EmptyDatabase, _: MigrationContext, operation: ops.DropColumnOp) -> None:
    database.drop_column(_name(operation.table_name, operation.schema), operation.column_name)


@_follows(ops.AlterColumnOp)
def _alter_column(database: EmptyDatabase, _: MigrationContext, operation: ops.AlterColumnOp) -> None:
    changes: dict[str, Any] = {}
    if operation.modify_type is not None:
        changes["type"] = type_of(sa.Column("c", sa.types.to_instance(operation.modify_type)))
    if operation.modify_nullable is not None:
        changes["not_null"] = not operation.modify_nullable
    if operation.modify_server_default is not False:
        changes["default"] = default_sql(operation.modify_server_default)
    name = _name(operation.table_name, operation.schema)
    database.alter_column(name, operation.column_name, **changes)
    if operation.modify_name:
        database.rename_column(name, operation.column_name, operation.modify_name)


@_follows(ops.CreateIndexOp)
def _create_index(database: EmptyDatabase, context: MigrationContext, operation: ops.CreateIndexOp) -> None:
    made = _index(operation.to_index(context))
    database.add_index(_name(operation.table_name, operation.schema), made)


@_follows(ops.DropIndexOp)
def _drop_index(database: EmptyDatabase, context: MigrationContext, operation: ops.DropIndexOp) -> None:
    database.drop_index(_name(str(operation.to_index(context).name), operation.schema))


@_follows(ops.CreatePrimaryKeyOp, ops.CreateUniqueConstraintOp)
def _create_key(database: EmptyDatabase, context: MigrationContext, operation: Any) -> None:
    made, primary = operation.to_constraint(context), isinstance(operation, ops.CreatePrimaryKeyOp)
    columns = tuple(column.name for column in made.columns)
    own = _name(operation.table_name, operation.schema)
    name = str(made.name or f"{own.name}_{'pkey' if primary else '_'.join((*columns, 'key'))}")
    definition = f"{'PRIMARY KEY' if primary else 'UNIQUE'} ({idents(columns)})"
    index = Index(name, f"btree ({idents(columns)})", columns, True, primary, constraint=definition)

    database.add_index(own, index)
    if primary:
        database.change(own, lambda table: replace(table, primary_key=columns))


@_follows(ops.CreateForeignKeyOp)
def _create_foreign_key(database: EmptyDatabase, context: MigrationContext, operation: ops.CreateForeignKeyOp) -> None:
    made, kw = operation.to_constraint(context), operation.kw
    own = _name(operation.source_table, kw.get("source_schema"))
    to = _name(operation.referent_table, kw.get("referent_schema"))
    name = str(made.name or f"{own.name}_{'_'.join(operation.local_cols)}_fkey")
    _add_key(database, own, name, operation.local_cols, to, operation.remote_cols, made)


def _add_key(
    database: EmptyDatabase,
    own: QualifiedName,
    name: str,
    columns: list[str],
    to: QualifiedName,
    targets: list[str],
    given: Any,
) -> None:
    declared = foreign_key_declaration(
        name,
        own,
        columns,
        to,
        targets,
        onupdate=given.onupdate,
        ondelete=given.ondelete,
        deferrable=given.deferrable,
        initially=given.initially,
        match=given.match,
    )
    database.add_foreign_key(own, foreign_key(declared))


@_follows(ops.CreateCheckConstraintOp)
def _create_check(database: EmptyDatabase, context: MigrationContext, operation: ops.CreateCheckConstraintOp) -> None:
    made = operation.to_constraint(context)
    check = (str(made.name), f"CHECK ({sql_of(operation.condition)})", True)
    own = _name(operation.table_name, operation.schema)
    database.change(own, lambda table: replace(table, checks=(*table.checks, check)))


@_follows(ops.DropConstraintOp)
def _drop_constraint(database: EmptyDatabase, _: MigrationContext, operation: ops.DropConstraintOp) -> None:
    database.drop_constraint(_name(operation.table_name, operation.schema), str(operation.constraint_name))


def _with_part(part: Partition, table: Table) -> Table:
    return replace(table, partitions=(*table.partitions, part))


@_follows(ops.ExecuteSQLOp)
def _execute(database: EmptyDatabase, _: MigrationContext, operation: ops.ExecuteSQLOp) -> None:
    """Partitions and partitioned tables that statements make: an index of theirs is not built as a plain table's is."""
    text = operation.sqltext if isinstance(operation.sqltext, str) else str(getattr(operation.sqltext, "text", ""))
    if "PARTITION" not in text.upper():
        return
    import sqlglot
    from sqlglot import exp

    try:
        statements = sqlglot.parse(text, read="postgres")
    except sqlglot.errors.SqlglotError:
        return  # a DO block, say
    for statement in statements:
        if isinstance(statement, exp.Create) and statement.kind == "TABLE":
            table = statement.find(exp.Table)
            assert table is not None  # what is made has a name
            name = _name(table.name, table.db or None)
            of = statement.find(exp.PartitionedOfProperty)
            if of is not None and isinstance(parent := of.this, exp.Table):
                database.remember(Table(name, (), is_partition=True))
                part = Partition(name, None, None, default="DEFAULT" in of.sql("postgres").upper().split())
                own = _name(parent.name, parent.db or None)
                database.change(own, partial(_with_part, part))
            by = statement.find(exp.PartitionedByProperty)
            if by is not None:
                known = database.table(name) or Table(name, ())
                database.remember(_partitioned(known, by.this.sql("postgres")))
