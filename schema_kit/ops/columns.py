"""Operations on columns, and on whole tables."""

from __future__ import annotations

from functools import partial
from typing import Any, Literal

import sqlalchemy as sa
from alembic.operations import Operations

from schema_kit.errors import DeclarationError
from schema_kit.ops import keywords
from schema_kit.ops.clauses import column_declaration, default_sql, type_sql
from schema_kit.ops.keywords import refuse_unknown
from schema_kit.ops.naming import existing
from schema_kit.ops.operation import Task, operation, task
from schema_kit.tasks import columns


@operation()
def add_column_concurrently(
    operations: Operations,
    table_name: str,
    column: sa.Column[Any],
    *,
    schema: str | None = None,
    if_not_exists: bool | None = None,
    inline_references: bool | None = None,
    inline_primary_key: bool | None = None,
) -> Task:
    """Add a column without rewriting the table.

    The keywords are those of ``op.add_column``. A default that is the same for all rows costs nothing. One that
    changes from row to row (``gen_random_uuid()``, ``clock_timestamp()``) is set for new rows, filled in by
    batches, and only then NOT NULL. A foreign key of the column comes with it where the column has no default,
    and by op.create_foreign_key_concurrently's steps where it has one. A column of that name and type that is
    there already gets what it lacks of the declaration. Locks: ACCESS EXCLUSIVE for an instant, under the lock
    budget; SHARE ROW EXCLUSIVE on a referenced table and its partitions.

    Args:
        operations: given by Alembic.
        table_name: the table.
        column: the column.
        schema: the table's schema; by schema_translate_map or search_path where it is left out.
        if_not_exists: as ``op.add_column`` has it; not needed, since a column that is there is no error.
        inline_references: the same; a foreign key comes with the column wherever that can be.
        inline_primary_key: the same; a primary key is an operation of its own.

    Raises:
        DeclarationError: identity, stored generated, primary key, unique, indexed, checked or with several foreign
            keys (the message says what to do instead), or NOT NULL without a default.
        PlanError: no such table, a column of that name with another type or default, or a type that makes
            PostgreSQL write every row again (a domain with constraints).
    """
    del if_not_exists, inline_references, inline_primary_key
    table = existing(operations, table_name, schema)
    key_name = keywords.column_key_name(operations, table_name, column)
    return task(columns.add, table, column_declaration(table, column, key_name, partial(existing, operations)))


@operation()
def drop_column_concurrently(
    operations: Operations,
    table_name: str,
    column_name: str,
    *,
    schema: str | None = None,
    if_exists: bool | None = None,
    **dialect_kw: Any,
) -> Task:
    """Drop a column: its indexes first, concurrently; one that is gone already is no error.

    The keywords are those of ``op.drop_column``. Locks: ACCESS EXCLUSIVE for an instant, under the lock budget;
    also on the table that a foreign key over it refers to. There is no way back: the values are gone.

    Args:
        operations: given by Alembic.
        table_name: the table.
        column_name: its column.
        schema: the table's schema; by schema_translate_map or search_path where it is left out.
        if_exists: as ``op.drop_column`` has it; not needed, since a column that is gone is no error.
        dialect_kw: keywords of other databases, which are passed over.

    Raises:
        DeclarationError: a keyword that there is not.
        PlanError: no such table, a view or something else depends on it, or it is in the partition key.
    """
    del if_exists
    refuse_unknown("drop_column_concurrently", dialect_kw)
    return task(columns.drop, existing(operations, table_name, schema), column_name)


_OTHER_CHANGES = {
    "comment": "op.alter_column(..., comment=...) keeps nobody waiting; use that",
    "new_column_name": "a name that changes under a running application breaks it; op.alter_column renames at once",
    "autoincrement": "op.alter_column changes it at once",
}
_NO_DEFAULT = (sa.Identity, sa.Computed, sa.Sequence)
"""What SQLAlchemy gives as a server default, and PostgreSQL does not keep as one."""


@operation()
def alter_column_concurrently(
    operations: Operations,
    table_name: str,
    column_name: str,
    *,
    nullable: bool | None = None,
    server_default: str | sa.TextClause | sa.ColumnElement[Any] | sa.FetchedValue | Literal[False] | None = False,
    type_: sa.types.TypeEngine[Any] | type[sa.types.TypeEngine[Any]] | None = None,
    existing_type: sa.types.TypeEngine[Any] | type[sa.types.TypeEngine[Any]] | None = None,
    existing_server_default: str
    | sa.TextClause
    | sa.ColumnElement[Any]
    | sa.FetchedValue
    | Literal[False]
    | None = False,
    existing_nullable: bool | None = None,
    existing_comment: str | None = None,
    existing_autoincrement: bool | None = None,
    schema: str | None = None,
    postgresql_using: str | None = None,
    **dialect_kw: Any,
) -> Task:
    """Change a column's type, default or NOT NULL where PostgreSQL needs no rewrite, and refuse where it does.

    The keywords are those of ``op.alter_column``. Whether a change of type rewrites the table or builds an index
    again is tried on an empty copy, so each version's own rules hold: varchar widened or made text, numeric with
    more digits, and so on are done; others are refused with what to do instead. Locks: ACCESS EXCLUSIVE for an
    instant, under the lock budget; NOT NULL as set_not_null_concurrently.

    Args:
        operations: given by Alembic.
        table_name: the table.
        column_name: its column.
        nullable: True lets it be NULL, False forbids it.
        server_default: the new default; None drops it, False leaves it.
        type_: the new type.
        existing_type: what autogenerate writes; not needed.
        existing_server_default: the same.
        existing_nullable: the same.
        existing_comment: the same.
        existing_autoincrement: the same.
        schema: the table's schema; by schema_translate_map or search_path where it is left out.
        postgresql_using: how values of the old type become those of the new one.
        dialect_kw: keywords of other databases, which are passed over.

    Raises:
        DeclarationError: a default that PostgreSQL does not keep as one (FetchedValue, Identity, Computed), or a
            keyword that there is not.
        PlanError: no such table or column, or a change that would hold a lock for as long as the table is big.
        ExecutionError: NOT NULL, and rows have no value.
    """
    del existing_type, existing_server_default, existing_nullable, existing_comment, existing_autoincrement
    refuse_unknown("alter_column_concurrently", dialect_kw, _OTHER_CHANGES)
    fetched = isinstance(server_default, sa.FetchedValue) and not isinstance(server_default, sa.DefaultClause)
    if fetched or isinstance(server_default, _NO_DEFAULT):
        raise DeclarationError(
            f"column {column_name} of {table_name}: {type(server_default).__name__} is no default that can be set. "
            "Give a text, sa.text() or a function, None to drop the default."
        )
    default = None if server_default is False else (default_sql(server_default),)
    type_text = None if type_ is None else type_sql(type_)
    using = f" USING {postgresql_using}" if postgresql_using else ""
    table = existing(operations, table_name, schema)
    return task(columns.alter, table, column_name, type_text, default, nullable, using)


@operation()
def drop_table_concurrently(
    operations: Operations,
    table_name: str,
    *,
    schema: str | None = None,
    if_exists: bool | None = None,
    **dialect_kw: Any,
) -> Task:
    """Drop a table: its foreign keys first, each in a commit and with a retry of its own.

    Locks: ACCESS EXCLUSIVE on the table and on one other at a time, for an instant, under the lock budget. There
    is no way back.

    Args:
        operations: given by Alembic.
        table_name: the table; one that is gone already is no error.
        schema: its schema; by schema_translate_map or search_path where it is left out.
        if_exists: as ``op.drop_table`` has it; not needed.
        dialect_kw: keywords of other databases, which are passed over.

    Raises:
        DeclarationError: a keyword that there is not.
        PlanError: foreign keys of other tables refer to it, a view or something else depends on it, or it is a
            partition.
    """
    del if_exists
    refuse_unknown("drop_table_concurrently", dialect_kw)
    return task(columns.drop_table, existing(operations, table_name, schema))
