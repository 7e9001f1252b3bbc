"""Operations on constraints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic.operations import Operations, ops

from schema_kit.errors import DeclarationError
from schema_kit.from_sqlalchemy import deferral, foreign_key_declaration, sql_of
from schema_kit.model import CheckDeclaration, KeyDeclaration
from schema_kit.ops import keywords, reversing
from schema_kit.ops.keywords import columns_of, refuse_unknown
from schema_kit.ops.naming import existing
from schema_kit.ops.operation import Task, nothing, operation, task
from schema_kit.tasks import constraints


@operation(reversed_by=reversing.constraint_made("foreignkey"))
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
    """Create a foreign key: enforced for new rows at once, then validated while writes continue.

    The keywords are those of ``op.create_foreign_key``.

    Locks: SHARE ROW EXCLUSIVE on both tables briefly, within the lock budget; then SHARE UPDATE EXCLUSIVE on the
    source table during one scan, partition by partition. Up to PostgreSQL 17, a partitioned source table also takes
    ACCESS EXCLUSIVE on the referenced table briefly.

    Args:
        operations: given by Alembic.
        constraint_name: the foreign key; None leaves it to the naming convention of target_metadata, or to
            PostgreSQL.
        source_table: the referencing table.
        referent_table: the referenced table.
        local_cols: columns of the referencing table.
        remote_cols: columns of the referenced table.
        onupdate: CASCADE, RESTRICT, SET NULL, SET DEFAULT or NO ACTION.
        ondelete: the same; from PostgreSQL 15 on also ``SET NULL (customer_id)``: some of the columns.
        deferrable: whether a transaction may defer the check.
        initially: DEFERRED or IMMEDIATE.
        match: FULL or SIMPLE.
        source_schema: the referencing table's schema. If left out, ``schema_translate_map`` and then
            ``search_path`` decide.
        referent_schema: the referenced table's schema.
        postgresql_not_valid: True leaves the existing rows unchecked; ``op.validate_constraint`` checks them later.
        dialect_kw: keywords of other dialects; ignored.

    Raises:
        DeclarationError: a list of columns is a string, or a keyword is unknown.
        PlanError: a table does not exist, or a foreign key of that name has another definition.
        ExecutionError: rows reference nothing; the error counts them and shows their values.

    Example:
        op.create_foreign_key_concurrently(
            "orders_customer_id_fkey", "orders", "customers", ["customer_id"], ["id"]
        )
        op.create_foreign_key_concurrently(
            "events_customer_id_fkey", "events", "customers", ["customer_id"], ["id"]
        )

    See Also:
        https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-DESC-ADD-TABLE-CONSTRAINT
    """
    called = "create_foreign_key_concurrently"
    refuse_unknown(called, dialect_kw)
    local_cols, remote_cols = (
        columns_of(called, "local_cols", local_cols),
        columns_of(called, "remote_cols", remote_cols),
    )
    schemas = {"source_schema": source_schema, "referent_schema": referent_schema}
    made = ops.CreateForeignKeyOp(
        constraint_name, source_table, referent_table, [*local_cols], [*remote_cols], **schemas
    )
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


@operation(reversed_by=reversing.constraint_made("check"))
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
    """Create a check constraint: enforced for new rows at once, then validated while writes continue.

    The keywords are those of ``op.create_check_constraint``.

    Locks: ACCESS EXCLUSIVE briefly, within the lock budget; then SHARE UPDATE EXCLUSIVE during one scan, partition
    by partition.

    Args:
        operations: given by Alembic.
        constraint_name: the check constraint; None leaves it to the naming convention of target_metadata, or to
            PostgreSQL.
        table_name: its table.
        condition: SQL text or an expression.
        schema: the table's schema. If left out, ``schema_translate_map`` and then ``search_path`` decide.
        postgresql_not_valid: True leaves the existing rows unchecked; ``op.validate_constraint`` checks them later.
        dialect_kw: keywords of other dialects; ignored.

    Raises:
        DeclarationError: a keyword is unknown.
        PlanError: the table does not exist, or a check constraint of that name has another definition.
        ExecutionError: rows violate the constraint; the error counts them.

    Example:
        op.create_check_constraint_concurrently("orders_total_check", "orders", "total >= 0")
        op.create_check_constraint_concurrently("events_kind_check", "events", "kind <> ''")

    See Also:
        https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-DESC-ADD-TABLE-CONSTRAINT
    """
    called = "create_check_constraint_concurrently"
    never = "PostgreSQL checks each row at once, and has no deferred checks"
    refuse_unknown(called, dialect_kw, {"deferrable": never, "initially": never})
    table, expression = existing(operations, table_name, schema), sql_of(condition)
    made = ops.CreateCheckConstraintOp(
        constraint_name, table_name, sa.text(expression.replace(":", "\\:")), schema=schema
    )
    name = keywords.constraint_name(operations, made, constraint_name, table_name, ())
    # A comment at its end takes nothing along that follows.
    expression += "\n" if "--" in expression else ""
    return task(constraints.create_check, CheckDeclaration(name, table, expression), not postgresql_not_valid)


@operation(reversed_by=reversing.constraint_made("unique"))
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
    """Create a unique constraint from an index that is built while writes continue.

    The keywords are those of ``op.create_unique_constraint``. On a partitioned table the parent's constraint is
    created first, invalid; then each partition's, which is attached.

    Locks: SHARE UPDATE EXCLUSIVE while the index is built; ACCESS EXCLUSIVE briefly, within the lock budget, to
    turn it into a constraint.

    Args:
        operations: given by Alembic.
        constraint_name: the constraint, and its index; None leaves it to the naming convention of target_metadata,
            or to PostgreSQL.
        table_name: its table.
        columns: its columns.
        schema: the table's schema. If left out, ``schema_translate_map`` and then ``search_path`` decide.
        deferrable: whether a transaction may defer the check.
        initially: DEFERRED or IMMEDIATE.
        postgresql_nulls_not_distinct: whether NULLs are equal (PostgreSQL 15 or later).
        postgresql_include: columns stored in addition to the key.
        dialect_kw: keywords of other dialects; ignored.

    Raises:
        DeclarationError: *columns* is a string or holds an expression, or a keyword is unknown.
        PlanError: the table does not exist, or the name is in use for something else.
        ExecutionError: rows have duplicate values; the next run replaces the INVALID index.

    Example:
        op.create_unique_constraint_concurrently("imports_source_key", "imports", ["source"])
        op.create_unique_constraint_concurrently("events_key", "events", ["id", "created_at"])

    See Also:
        https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-DESC-ADD-TABLE-CONSTRAINT
    """
    called = "create_unique_constraint_concurrently"
    refuse_unknown(called, dialect_kw)
    columns = columns_of(called, "columns", columns)
    made = ops.CreateUniqueConstraintOp(constraint_name, table_name, columns, schema=schema)
    declared = KeyDeclaration(
        keywords.constraint_name(operations, made, constraint_name, table_name, columns),
        existing(operations, table_name, schema),
        columns,
        deferred=deferral(deferrable, initially),
        nulls_not_distinct=postgresql_nulls_not_distinct,
        include=columns_of(called, "postgresql_include", postgresql_include) if postgresql_include else (),
    )
    return task(constraints.create_key, declared)


@operation(reversed_by=reversing.constraint_made("primary"))
def create_primary_key_concurrently(
    operations: Operations,
    constraint_name: str | None,
    table_name: str,
    columns: Sequence[str | sa.ColumnElement[Any]],
    *,
    schema: str | None = None,
    postgresql_include: Sequence[str | sa.ColumnElement[Any]] | None = None,
) -> Task:
    """Create a primary key from an index that is built while writes continue.

    The keywords are those of ``op.create_primary_key``. The columns become NOT NULL first.

    Locks: those of ``set_not_null_concurrently`` and ``create_unique_constraint_concurrently``.

    Args:
        operations: given by Alembic.
        constraint_name: the primary key, and its index; None leaves it to the naming convention of target_metadata,
            or to PostgreSQL.
        table_name: its table.
        columns: its columns.
        schema: the table's schema. If left out, ``schema_translate_map`` and then ``search_path`` decide.
        postgresql_include: columns stored in addition to the key.

    Raises:
        DeclarationError: *columns* is a string or holds an expression.
        PlanError: the table or a column does not exist, or the table has another primary key.
        ExecutionError: rows have NULL or duplicate values.

    Example:
        op.create_primary_key_concurrently("imports_pkey", "imports", ["id"])

    See Also:
        https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-DESC-ADD-TABLE-CONSTRAINT
    """
    called, table = "create_primary_key_concurrently", existing(operations, table_name, schema)
    columns = columns_of(called, "columns", columns)
    made = ops.CreatePrimaryKeyOp(constraint_name, table_name, columns, schema=schema)
    name = keywords.constraint_name(operations, made, constraint_name, table_name, columns)
    include = columns_of(called, "postgresql_include", postgresql_include) if postgresql_include else ()
    return task(constraints.create_primary_key, KeyDeclaration(name, table, columns, primary=True, include=include))


@operation(reversed_by=nothing)
def validate_constraint(
    operations: Operations, constraint_name: str, table_name: str, *, schema: str | None = None
) -> Task:
    """Validate a NOT VALID check, foreign key or NOT NULL constraint while writes continue.

    A constraint that is already validated is skipped.

    Locks: SHARE UPDATE EXCLUSIVE during one scan, partition by partition; for a foreign key, also ROW SHARE on the
    referenced table.

    Args:
        operations: given by Alembic.
        constraint_name: the constraint.
        table_name: its table.
        schema: the table's schema. If left out, ``schema_translate_map`` and then ``search_path`` decide.

    Raises:
        PlanError: the table or constraint does not exist.
        ExecutionError: rows violate the constraint; the error counts them.

    Example:
        op.validate_constraint("orders_placed_at_check", "orders")

    See Also:
        https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-DESC-VALIDATE-CONSTRAINT
    """
    return task(constraints.validate, constraint_name, existing(operations, table_name, schema))


@operation(reversed_by=reversing.null_forbidden)
def set_not_null_concurrently(
    operations: Operations, table_name: str, column_name: str, *, schema: str | None = None
) -> Task:
    """Make a column NOT NULL: enforced for new rows at once, then validated while writes continue.

    A validated check constraint ``column IS NOT NULL`` replaces the scan. The reverse is ``op.alter_column(...,
    nullable=True)``.

    Locks: ACCESS EXCLUSIVE briefly, within the lock budget, before the scan and, up to PostgreSQL 17, after it;
    SHARE UPDATE EXCLUSIVE during one scan, partition by partition.

    Args:
        operations: given by Alembic.
        table_name: the table.
        column_name: its column.
        schema: the table's schema. If left out, ``schema_translate_map`` and then ``search_path`` decide.

    Raises:
        PlanError: the table or column does not exist.
        ExecutionError: rows have NULL; the error counts them.

    Example:
        op.set_not_null_concurrently("orders", "customer_id")

    See Also:
        https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-DESC-SET-DROP-NOT-NULL
    """
    return task(constraints.set_not_null, existing(operations, table_name, schema), column_name)


@operation()
def drop_constraint_concurrently(
    operations: Operations,
    constraint_name: str,
    table_name: str,
    type_: str | None = None,
    *,
    schema: str | None = None,
    if_exists: bool | None = None,
) -> Task:
    """Drop a check, foreign key, unique, primary key, exclusion or NOT NULL constraint within the lock budget.

    The keywords are those of ``op.drop_constraint``. A constraint that does not exist is not an error. The columns of
    a primary key stay NOT NULL.

    Locks: ACCESS EXCLUSIVE briefly, within the lock budget, on the table and its partitions; of a foreign key, also on
    the referenced table and its partitions.

    Args:
        operations: given by Alembic.
        constraint_name: the constraint.
        table_name: its table.
        type_: ``foreignkey``, ``primary``, ``unique`` or ``check``; the naming convention of target_metadata may need
            it. PostgreSQL does not.
        schema: the table's schema. If left out, ``schema_translate_map`` and then ``search_path`` decide.
        if_exists: accepted for compatibility with Alembic; always in effect.

    Raises:
        DeclarationError: *type_* is something else.
        PlanError: the table does not exist, a foreign key or a view depends on the constraint, or it is inherited.

    Example:
        op.drop_constraint_concurrently("orders_placed_at_check", "orders")

    See Also:
        https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-DESC-DROP-CONSTRAINT
    """
    del if_exists
    if type_ not in _TYPES:
        known = ", ".join(filter(None, _TYPES))
        raise DeclarationError(f"op.drop_constraint_concurrently(type_={type_!r}): give one of {known}, or nothing.")
    name = keywords.dropped_name(operations, constraint_name, table_name, type_, schema)
    return task(constraints.drop, name, existing(operations, table_name, schema))


_TYPES = (None, "foreignkey", "primary", "unique", "check")
