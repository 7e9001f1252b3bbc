"""Operations on columns, and on whole tables."""

from __future__ import annotations

from functools import partial
from typing import Any, Literal

import sqlalchemy as sa
from alembic.operations import Operations

from schema_kit.errors import DeclarationError
from schema_kit.from_sqlalchemy import column_declaration, default_sql, type_sql
from schema_kit.ops import keywords, reversing
from schema_kit.ops.keywords import refuse_unknown
from schema_kit.ops.naming import existing
from schema_kit.ops.operation import Task, operation, task
from schema_kit.tasks import columns


@operation(reversed_by=reversing.column_added)
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

    The keywords are those of ``op.add_column``. A constant default costs nothing. A volatile default
    (``gen_random_uuid()``, ``clock_timestamp()``) is set for new rows, then filled in by batches; only then the
    column becomes NOT NULL. A foreign key is part of the same statement if the column has no default, else it is
    created as by ``op.create_foreign_key_concurrently``. If a column of that name and type exists, it receives what
    is missing of the declaration.

    Locks: ACCESS EXCLUSIVE briefly, within the lock budget; SHARE ROW EXCLUSIVE on a referenced table and its
    partitions.

    Args:
        operations: given by Alembic.
        table_name: the table.
        column: the column.
        schema: the table's schema. If left out, ``schema_translate_map`` and then ``search_path`` decide.
        if_not_exists: accepted for compatibility with Alembic; always in effect.
        inline_references: accepted for compatibility with Alembic; a foreign key is part of the statement wherever
            possible.
        inline_primary_key: accepted for compatibility with Alembic; a primary key needs its own operation.

    Raises:
        DeclarationError: the column is an identity, stored generated, primary key, unique, indexed or checked
            column, has several foreign keys, or is NOT NULL without a default. The message says what to do instead.
        PlanError: the table does not exist, a column of that name has another type or default, or the type makes
            PostgreSQL rewrite the table (a domain with constraints).

    Example:
        op.add_column_concurrently(
            "orders", sa.Column("currency", sa.Text, nullable=False, server_default="EUR")
        )

    See Also:
        https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-DESC-ADD-COLUMN
        https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-NOTES
    """
    del if_not_exists, inline_references, inline_primary_key
    table = existing(operations, table_name, schema)
    key_name = keywords.column_key_name(operations, table_name, column, schema)
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
    """Drop a column, its indexes first; a column that does not exist is not an error.

    The keywords are those of ``op.drop_column``. It cannot be reversed: the values are lost. A view over a table and
    its archive (``op.create_archive_table(view=...)``) is created again without the column, in the same commit.

    Locks: SHARE UPDATE EXCLUSIVE while indexes are dropped; then ACCESS EXCLUSIVE briefly, within the lock budget,
    also on that view and on the tables that foreign keys of the column reference.

    Args:
        operations: given by Alembic.
        table_name: the table.
        column_name: its column.
        schema: the table's schema. If left out, ``schema_translate_map`` and then ``search_path`` decide.
        if_exists: accepted for compatibility with Alembic; always in effect.
        dialect_kw: keywords of other dialects; ignored.

    Raises:
        DeclarationError: a keyword is unknown.
        PlanError: the table does not exist, another view or object depends on the column, or it is part of the
            partition key.

    Example:
        op.drop_column_concurrently("orders", "note")

    See Also:
        https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-DESC-DROP-COLUMN
    """
    del if_exists
    refuse_unknown("drop_column_concurrently", dialect_kw)
    return task(columns.drop, existing(operations, table_name, schema), column_name)


_OTHER_CHANGES = {
    "comment": "op.alter_column(..., comment=...) blocks no other session; use that",
    "new_column_name": "a name that changes under a running application breaks it; op.alter_column renames at once",
    "autoincrement": "op.alter_column changes it at once",
}
_NO_DEFAULT = (sa.Identity, sa.Computed, sa.Sequence)
"""What SQLAlchemy gives as a server default, and PostgreSQL does not keep as one."""


@operation(reversed_by=reversing.column_altered)
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
    """Change a column's type, default or NOT NULL if PostgreSQL need not rewrite the table; refuse otherwise.

    The keywords are those of ``op.alter_column``. A change of type is first tried on an empty copy of the table,
    which shows whether this version of PostgreSQL rewrites the table or an index. Changes without a rewrite are
    applied: varchar made longer or changed to text, numeric with more digits. Others are refused, and the message
    says what to do instead. A view over a table and its archive is created again in the same commit.

    Locks: ACCESS EXCLUSIVE briefly, within the lock budget; SHARE UPDATE EXCLUSIVE for ``ANALYZE``; NOT NULL as by
    ``set_not_null_concurrently``.

    Args:
        operations: given by Alembic.
        table_name: the table.
        column_name: its column.
        nullable: True drops NOT NULL, False sets it.
        server_default: the new default; None drops it, False keeps it.
        type_: the new type.
        existing_type: written by autogenerate; not needed.
        existing_server_default: the same.
        existing_nullable: the same.
        existing_comment: the same.
        existing_autoincrement: the same.
        schema: the table's schema. If left out, ``schema_translate_map`` and then ``search_path`` decide.
        postgresql_using: an expression that converts values of the old type.
        dialect_kw: keywords of other dialects; ignored.

    Raises:
        DeclarationError: the default is a FetchedValue, Identity or Computed, or a keyword is unknown.
        PlanError: the table or column does not exist, or PostgreSQL would rewrite the table.
        ExecutionError: the column becomes NOT NULL and rows have NULL.

    Example:
        op.alter_column_concurrently("orders", "note", type_=sa.Text(), server_default="")

    See Also:
        https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-DESC-SET-DATA-TYPE
    """
    del existing_type, existing_server_default, existing_nullable, existing_comment, existing_autoincrement
    refuse_unknown("alter_column_concurrently", dialect_kw, _OTHER_CHANGES)
    fetched = isinstance(server_default, sa.FetchedValue) and not isinstance(server_default, sa.DefaultClause)
    if fetched or isinstance(server_default, _NO_DEFAULT):
        raise DeclarationError(
            f"column {column_name} of {table_name}: {type(server_default).__name__} is not a default that can be set. "
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
    """Drop a table, its foreign keys first, each in its own commit.

    It cannot be reversed: the rows are lost.

    Locks: ACCESS EXCLUSIVE on the table and on one referenced table at a time, briefly, within the lock budget.

    Args:
        operations: given by Alembic.
        table_name: the table; a table that does not exist is not an error.
        schema: the table's schema. If left out, ``schema_translate_map`` and then ``search_path`` decide.
        if_exists: accepted for compatibility with Alembic; always in effect.
        dialect_kw: keywords of other dialects; ignored.

    Raises:
        DeclarationError: a keyword is unknown.
        PlanError: foreign keys of other tables reference it, a view or another object depends on it, or it is a
            partition.

    Example:
        op.drop_table_concurrently("carts")

    See Also:
        https://www.postgresql.org/docs/current/sql-droptable.html
    """
    del if_exists
    refuse_unknown("drop_table_concurrently", dialect_kw)
    return task(columns.drop_table, existing(operations, table_name, schema))
