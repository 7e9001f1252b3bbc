"""Operations on constraints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic.operations import Operations, ops

from schema_kit.model import CheckDeclaration, KeyDeclaration
from schema_kit.ops import keywords
from schema_kit.ops.clauses import deferral, foreign_key_declaration, sql_of
from schema_kit.ops.keywords import columns_of, refuse_unknown
from schema_kit.ops.naming import existing
from schema_kit.ops.operation import Task, operation, task
from schema_kit.tasks import constraints


@operation()
def create_foreign_key_concurrently(
    operations: Operations,
    constraint_name: str | None,
    source_table: str,
    referent_table: str,
    local_cols: Sequence[str | sa.ColumnElement[Any]],
    remote_cols: Sequence[str | sa.ColumnElement[Any]],
    *,
    onupdate: str | None = None,
    ondelete: str | None = None,
    deferrable: bool | None = None,
    initially: str | None = None,
    match: str | None = None,
    source_schema: str | None = None,
    referent_schema: str | None = None,
    postgresql_not_valid: bool = False,
    **dialect_kw: Any,
) -> Task:
    """Create a foreign key: at once for new rows, then proved for the old ones beside writers.

    The keywords are those of ``op.create_foreign_key``. Locks: SHARE ROW EXCLUSIVE on both tables for an instant,
    under the lock budget; then SHARE UPDATE EXCLUSIVE on the source for one scan, leaf by leaf where it is
    partitioned. Up to PostgreSQL 17 a partitioned source takes ACCESS EXCLUSIVE on the referent for an instant.

    Args:
        operations: given by Alembic.
        constraint_name: the foreign key; None leaves it to target_metadata's naming convention, or PostgreSQL's.
        source_table: the table that refers.
        referent_table: the table that is referred to.
        local_cols: columns of the first.
        remote_cols: columns of the second.
        onupdate: CASCADE, RESTRICT, SET NULL, SET DEFAULT, or NO ACTION.
        ondelete: the same.
        deferrable: whether a transaction may defer it.
        initially: DEFERRED or IMMEDIATE.
        match: FULL or SIMPLE.
        source_schema: the first table's schema; by schema_translate_map or search_path where it is left out.
        referent_schema: the second's.
        postgresql_not_valid: leave the old rows unproved; op.validate_constraint proves them later.
        dialect_kw: keywords of other databases, which are passed over.

    Raises:
        DeclarationError: a string for a list of columns, or a keyword that there is not.
        PlanError: no such table, or a foreign key of that name says something else.
        ExecutionError: rows refer to nothing; the error counts them and shows which values.
    """
    called = "create_foreign_key_concurrently"
    refuse_unknown(called, dialect_kw)
    local_cols, remote_cols = (
        columns_of(called, "local_cols", local_cols),
        columns_of(called, "remote_cols", remote_cols),
    )
    made = ops.CreateForeignKeyOp(constraint_name, source_table, referent_table, [*local_cols], [*remote_cols])
    declared = foreign_key_declaration(
        keywords.constraint_name(operations, made, constraint_name, source_table, local_cols),
        existing(operations, source_table, source_schema),
        local_cols,
        existing(operations, referent_table, referent_schema),
        remote_cols,
        onupdate=onupdate,
        ondelete=ondelete,
        deferrable=deferrable,
        initially=initially,
        match=match,
    )
    return task(constraints.create_foreign_key, declared, not postgresql_not_valid)


@operation()
def create_check_constraint_concurrently(
    operations: Operations,
    constraint_name: str | None,
    table_name: str,
    condition: str | sa.TextClause | sa.ColumnElement[Any],
    *,
    schema: str | None = None,
    postgresql_not_valid: bool = False,
    **dialect_kw: Any,
) -> Task:
    """Create a check: at once for new rows, then proved for the old ones beside writers.

    The keywords are those of ``op.create_check_constraint``. Locks: ACCESS EXCLUSIVE for an instant, under the
    lock budget; then SHARE UPDATE EXCLUSIVE for one scan, leaf by leaf where the table is partitioned.

    Args:
        operations: given by Alembic.
        constraint_name: the check; None leaves it to target_metadata's naming convention, or PostgreSQL's.
        table_name: its table.
        condition: SQL text or an expression.
        schema: the table's schema; by schema_translate_map or search_path where it is left out.
        postgresql_not_valid: leave the old rows unproved; op.validate_constraint proves them later.
        dialect_kw: keywords of other databases, which are passed over.

    Raises:
        DeclarationError: a keyword that there is not.
        PlanError: no such table, or a check of that name says something else.
        ExecutionError: rows fail it; the error counts them.
    """
    called = "create_check_constraint_concurrently"
    never = "PostgreSQL checks each row at once, and has no deferred checks"
    refuse_unknown(called, dialect_kw, {"deferrable": never, "initially": never})
    table, expression = existing(operations, table_name, schema), sql_of(condition)
    made = ops.CreateCheckConstraintOp(constraint_name, table_name, sa.text(expression.replace(":", "\\:")))
    name = keywords.constraint_name(operations, made, constraint_name, table_name, ())
    # A comment at its end takes nothing along that follows.
    expression += "\n" if "--" in expression else ""
    return task(constraints.create_check, CheckDeclaration(name, table, expression), not postgresql_not_valid)


@operation()
def create_unique_constraint_concurrently(
    operations: Operations,
    constraint_name: str | None,
    table_name: str,
    columns: Sequence[str | sa.ColumnElement[Any]],
    *,
    schema: str | None = None,
    deferrable: bool | None = None,
    initially: str | None = None,
    postgresql_nulls_not_distinct: bool = False,
    postgresql_include: Sequence[str | sa.ColumnElement[Any]] | None = None,
    **dialect_kw: Any,
) -> Task:
    """Create a unique constraint over an index that is built beside writers.

    The keywords are those of ``op.create_unique_constraint``. Locks: SHARE UPDATE EXCLUSIVE while the index is
    built; ACCESS EXCLUSIVE for an instant, under the lock budget, to make it a constraint. Partitioned tables: the
    parent's first, invalid; each partition's; then attached.

    Args:
        operations: given by Alembic.
        constraint_name: the constraint, and its index; None leaves it to the naming convention, or PostgreSQL's.
        table_name: its table.
        columns: its columns.
        schema: the table's schema; by schema_translate_map or search_path where it is left out.
        deferrable: whether a transaction may defer it.
        initially: DEFERRED or IMMEDIATE.
        postgresql_nulls_not_distinct: whether NULLs equal each other (15+).
        postgresql_include: columns stored beside the key.
        dialect_kw: keywords of other databases, which are passed over.

    Raises:
        DeclarationError: a string for a list of columns, an expression, or a keyword that there is not.
        PlanError: no such table, or something else of that name.
        ExecutionError: values occur twice; the INVALID index is replaced by the next run.
    """
    called = "create_unique_constraint_concurrently"
    refuse_unknown(called, dialect_kw)
    columns = columns_of(called, "columns", columns)
    made = ops.CreateUniqueConstraintOp(constraint_name, table_name, columns)
    declared = KeyDeclaration(
        keywords.constraint_name(operations, made, constraint_name, table_name, columns),
        existing(operations, table_name, schema),
        columns,
        deferred=deferral(deferrable, initially),
        nulls_not_distinct=postgresql_nulls_not_distinct,
        include=columns_of(called, "postgresql_include", postgresql_include) if postgresql_include else (),
    )
    return task(constraints.create_key, declared)


@operation()
def create_primary_key_concurrently(
    operations: Operations,
    constraint_name: str | None,
    table_name: str,
    columns: Sequence[str | sa.ColumnElement[Any]],
    *,
    schema: str | None = None,
    postgresql_include: Sequence[str | sa.ColumnElement[Any]] | None = None,
) -> Task:
    """Create a primary key over an index that is built beside writers; its columns are made NOT NULL first.

    The keywords are those of ``op.create_primary_key``. Locks: as set_not_null_concurrently and
    create_unique_constraint_concurrently.

    Args:
        operations: given by Alembic.
        constraint_name: the primary key, and its index; None leaves it to the naming convention, or PostgreSQL's.
        table_name: its table.
        columns: its columns.
        schema: the table's schema; by schema_translate_map or search_path where it is left out.
        postgresql_include: columns stored beside the key.

    Raises:
        DeclarationError: a string for a list of columns, or an expression.
        PlanError: no such table or column, or another primary key is there.
        ExecutionError: values are NULL or occur twice.
    """
    called, table = "create_primary_key_concurrently", existing(operations, table_name, schema)
    columns = columns_of(called, "columns", columns)
    made = ops.CreatePrimaryKeyOp(constraint_name, table_name, columns)
    name = keywords.constraint_name(operations, made, constraint_name, table_name, columns)
    include = columns_of(called, "postgresql_include", postgresql_include) if postgresql_include else ()
    return task(constraints.create_primary_key, KeyDeclaration(name, table, columns, primary=True, include=include))


@operation()
def validate_constraint(
    operations: Operations, constraint_name: str, table_name: str, *, schema: str | None = None
) -> Task:
    """Prove a check, foreign key or NOT NULL that is there but not validated, beside writers.

    Locks: SHARE UPDATE EXCLUSIVE for one scan, leaf by leaf where the table is partitioned.

    Args:
        operations: given by Alembic.
        constraint_name: the constraint.
        table_name: its table.
        schema: the table's schema; by schema_translate_map or search_path where it is left out.

    Raises:
        PlanError: no such table or constraint.
        ExecutionError: rows fail it; the error counts them.
    """
    return task(constraints.validate, constraint_name, existing(operations, table_name, schema))


@operation()
def set_not_null_concurrently(
    operations: Operations, table_name: str, column_name: str, *, schema: str | None = None
) -> Task:
    """Make a column NOT NULL: at once for new rows, then proved for the old ones beside writers.

    A validated check that says the same is taken as the proof. Locks: ACCESS EXCLUSIVE for an instant, under the
    lock budget, before and (up to PostgreSQL 17) after; SHARE UPDATE EXCLUSIVE for one scan, leaf by leaf where
    the table is partitioned. The way back is ``op.alter_column(..., nullable=True)``.

    Args:
        operations: given by Alembic.
        table_name: the table.
        column_name: its column.
        schema: the table's schema; by schema_translate_map or search_path where it is left out.

    Raises:
        PlanError: no such table or column.
        ExecutionError: rows have no value; the error counts them.
    """
    return task(constraints.set_not_null, existing(operations, table_name, schema), column_name)
