"""Operations on indexes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from alembic.operations import Operations

from schema_kit.errors import DeclarationError
from schema_kit.from_sqlalchemy import index_element, sql_of
from schema_kit.model import IndexDeclaration, IndexElement
from schema_kit.names import QualifiedName, ident
from schema_kit.ops import keywords
from schema_kit.ops.keywords import columns_of, listed, refuse_blocking, refuse_unknown
from schema_kit.ops.naming import existing
from schema_kit.ops.operation import Task, nothing, operation, task
from schema_kit.tasks import indexes


@operation(reversed_by="drop_index_concurrently")
def create_index_concurrently(
    operations: Operations,
    index_name: str | None,
    table_name: str,
    columns: Sequence[str | sa.TextClause | sa.ColumnElement[Any]],
    *,
    schema: str | None = None,
    unique: bool = False,
    if_not_exists: bool | None = None,
    postgresql_using: str = "btree",
    postgresql_where: str | sa.TextClause | sa.ColumnElement[Any] | None = None,
    postgresql_ops: Mapping[str, str] | None = None,
    postgresql_include: Sequence[str | sa.ColumnElement[Any]] | None = None,
    postgresql_with: Mapping[str, Any] | None = None,
    postgresql_tablespace: str | None = None,
    postgresql_nulls_not_distinct: bool = False,
    postgresql_concurrently: bool | None = None,
    **dialect_kw: Any,
) -> Task:
    """Create an index without blocking reads or writes; an INVALID index of that name is replaced.

    The keywords are those of ``op.create_index``. An index that already has this definition is kept. On a
    partitioned table, each partition's index is built concurrently and attached; the parent's index becomes valid
    with the last one. If a unique index fails, the error names the duplicate keys.

    Locks: SHARE UPDATE EXCLUSIVE on each table while its index is built; on a partitioned parent, SHARE briefly,
    within the lock budget.

    Args:
        operations: given by Alembic.
        index_name: the index; None leaves it to the naming convention of target_metadata.
        table_name: its table.
        columns: column names, or ``sa.text("created_at DESC")`` and other expressions. Parentheses are added where
            PostgreSQL requires them.
        schema: the table's schema. If left out, ``schema_translate_map`` and then ``search_path`` decide.
        unique: whether the index is unique.
        if_not_exists: accepted for compatibility with Alembic; always in effect.
        postgresql_using: the access method: btree, gin, gist, brin, hash or another one.
        postgresql_where: the predicate of a partial index.
        postgresql_ops: operator classes by column, or by the label of an expression; they are found in any schema.
            Parameters may follow: ``gist_trgm_ops(siglen=32)``.
        postgresql_include: columns stored in addition to the key.
        postgresql_with: storage parameters.
        postgresql_tablespace: the tablespace of a new index; an existing index is not moved.
        postgresql_nulls_not_distinct: whether a unique index treats NULLs as equal (PostgreSQL 15 or later).
        postgresql_concurrently: accepted for compatibility with ``op.create_index``; always in effect.
        dialect_kw: keywords of other dialects; ignored.

    Raises:
        DeclarationError: *columns* is a string, or a keyword is unknown.
        PlanError: the table or operator class does not exist; an index of that name has another definition; or the
            LC_CTYPE of the database limits trigrams to ASCII.
        ExecutionError: PostgreSQL refused a statement.

    Example:
        op.create_index_concurrently("ix_orders_customer", "orders", ["customer_id"])
        op.create_index_concurrently("ix_events_created_at", "events", ["created_at"])

    See Also:
        https://www.postgresql.org/docs/current/sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY
    """
    del if_not_exists
    refuse_unknown("create_index_concurrently", dialect_kw)
    refuse_blocking("create_index_concurrently", postgresql_concurrently)
    columns = listed("create_index_concurrently", "columns", columns)
    declared = declaration(
        keywords.index_name(operations, index_name, table_name, columns, schema),
        existing(operations, table_name, schema),
        columns,
        unique=unique,
        using=postgresql_using,
        where=postgresql_where,
        operators=postgresql_ops,
        include=postgresql_include,
        with_=postgresql_with,
        tablespace=postgresql_tablespace,
        nulls_not_distinct=postgresql_nulls_not_distinct,
    )
    return task(indexes.create, declared)


@operation()
def replace_index_concurrently(
    operations: Operations,
    index_name: str | None,
    table_name: str,
    columns: Sequence[str | sa.TextClause | sa.ColumnElement[Any]],
    *,
    schema: str | None = None,
    unique: bool = False,
    postgresql_using: str = "btree",
    postgresql_where: str | sa.TextClause | sa.ColumnElement[Any] | None = None,
    postgresql_ops: Mapping[str, str] | None = None,
    postgresql_include: Sequence[str | sa.ColumnElement[Any]] | None = None,
    postgresql_with: Mapping[str, Any] | None = None,
    postgresql_tablespace: str | None = None,
    postgresql_nulls_not_distinct: bool = False,
    postgresql_concurrently: bool | None = None,
    **dialect_kw: Any,
) -> Task:
    """Give an index another definition; queries can use an index at every moment.

    The new index is built as ``<name>__replacement``. One commit then swaps the names, and the old index, now
    ``<name>__replaced``, is dropped. The comment moves to the new index. If the index already has the definition,
    nothing is done. If it does not exist or is INVALID, it is created.

    Locks: those of ``create_index_concurrently`` during the build; SHARE UPDATE EXCLUSIVE on the two indexes while
    the names change; SHARE UPDATE EXCLUSIVE on the table while the old index is dropped. PostgreSQL cannot drop the
    index of a partitioned table concurrently: ACCESS EXCLUSIVE on the parent and each partition briefly, within the
    lock budget.

    Args:
        operations: given by Alembic.
        index_name: the index; None leaves it to the naming convention of target_metadata.
        table_name: its table.
        columns: column names, or ``sa.text("created_at DESC")`` and other expressions.
        schema: the table's schema. If left out, ``schema_translate_map`` and then ``search_path`` decide.
        unique: whether the index is unique.
        postgresql_using: the access method: btree, gin, gist, brin, hash or another one.
        postgresql_where: the predicate of a partial index.
        postgresql_ops: operator classes by column.
        postgresql_include: columns stored in addition to the key.
        postgresql_with: storage parameters.
        postgresql_tablespace: the tablespace of the new index; by default that of the old one, on each partition.
            A different tablespace alone replaces nothing.
        postgresql_nulls_not_distinct: whether a unique index treats NULLs as equal (PostgreSQL 15 or later).
        postgresql_concurrently: accepted for compatibility with ``op.create_index``; always in effect.
        dialect_kw: keywords of other dialects; ignored.

    Raises:
        DeclarationError: *columns* is a string, or a keyword is unknown.
        PlanError: the table or operator class does not exist; a constraint, a foreign key or the replica identity
            uses the index; it is part of a partitioned index; or another index has one of the two names.
        ExecutionError: PostgreSQL refused a statement; the old index is still in use.

    Example:
        op.replace_index_concurrently("ix_orders_placed_at", "orders", ["placed_at", "id"])

    See Also:
        https://www.postgresql.org/docs/current/sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY
        https://www.postgresql.org/docs/current/sql-alterindex.html
    """
    refuse_unknown("replace_index_concurrently", dialect_kw)
    refuse_blocking("replace_index_concurrently", postgresql_concurrently)
    columns = listed("replace_index_concurrently", "columns", columns)
    declared = declaration(
        keywords.index_name(operations, index_name, table_name, columns, schema),
        existing(operations, table_name, schema),
        columns,
        unique=unique,
        using=postgresql_using,
        where=postgresql_where,
        operators=postgresql_ops,
        include=postgresql_include,
        with_=postgresql_with,
        tablespace=postgresql_tablespace,
        nulls_not_distinct=postgresql_nulls_not_distinct,
    )
    return task(indexes.replaced, declared)


@operation()
def drop_index_concurrently(
    operations: Operations,
    index_name: str,
    table_name: str | None = None,
    *,
    schema: str | None = None,
    if_exists: bool | None = None,
    postgresql_concurrently: bool | None = None,
    **dialect_kw: Any,
) -> Task:
    """Drop an index without blocking reads or writes; an index that does not exist is not an error.

    Locks: SHARE UPDATE EXCLUSIVE on the table. PostgreSQL cannot drop the index of a partitioned table
    concurrently: ACCESS EXCLUSIVE on the parent and each partition briefly, within the lock budget.

    Args:
        operations: given by Alembic.
        index_name: the index.
        table_name: its table; optional.
        schema: the schema of both. If left out, ``schema_translate_map`` and then ``search_path`` decide.
        if_exists: accepted for compatibility with Alembic; always in effect.
        postgresql_concurrently: the same.
        dialect_kw: keywords of other dialects; ignored.

    Raises:
        DeclarationError: a keyword is unknown.
        PlanError: a constraint, a foreign key or the replica identity uses the index; it is part of a partitioned
            index; or it belongs to another table.

    Example:
        op.drop_index_concurrently("ix_orders_note", "orders")
        op.drop_index_concurrently("ix_events_kind", "events")

    See Also:
        https://www.postgresql.org/docs/current/sql-dropindex.html
    """
    del if_exists
    refuse_unknown("drop_index_concurrently", dialect_kw)
    refuse_blocking("drop_index_concurrently", postgresql_concurrently)
    index = existing(operations, keywords.index_name(operations, index_name, table_name, ["x"], schema), schema)
    return task(indexes.drop, index, index.sibling(table_name) if table_name else None)


@operation(reversed_by=nothing)
def reindex_concurrently(
    operations: Operations,
    index_name: str | None = None,
    table_name: str | None = None,
    *,
    schema: str | None = None,
) -> Task:
    """Rebuild an index, or all indexes of a table, without blocking reads or writes.

    Use it for an index that is bloated, INVALID or built under an older collation. With a table and no index, all
    indexes of the table and of its TOAST table are rebuilt; PostgreSQL skips the index of an exclusion constraint
    with a warning. INVALID indexes that an interrupted run left (``_ccnew``, ``_ccold``) are dropped first. A
    partitioned table or index is rebuilt partition by partition: PostgreSQL's own statement would first take SHARE
    on all partitions, and wait for every writer.

    A finished reindex leaves no trace in the catalog, so every run rebuilds everything. With ``--sql`` the script
    holds the plain statement.

    Locks: SHARE UPDATE EXCLUSIVE on each table while its indexes are built.

    Args:
        operations: given by Alembic.
        index_name: the index; None for all indexes of the table.
        table_name: the table; optional if an index is named.
        schema: the schema of both. If left out, ``schema_translate_map`` and then ``search_path`` decide.

    Raises:
        DeclarationError: neither an index nor a table is named.
        PlanError: the index or table does not exist, or the index belongs to an exclusion constraint.
        ExecutionError: PostgreSQL refused a statement.

    Example:
        op.reindex_concurrently("ix_orders_placed_at", "orders")
        op.reindex_concurrently(table_name="events")

    See Also:
        https://www.postgresql.org/docs/current/sql-reindex.html#SQL-REINDEX-CONCURRENTLY
    """
    if not index_name and not table_name:
        raise DeclarationError("op.reindex_concurrently requires an index or a table (table_name=...)")
    index = existing(operations, index_name, schema) if index_name else None
    table = existing(operations, table_name, schema) if table_name else None
    return task(indexes.reindex, index, table)


def declaration(
    name: str,
    table: QualifiedName,
    columns: Sequence[Any],
    *,
    unique: bool,
    using: str,
    where: Any,
    operators: Mapping[str, str] | None,
    include: Sequence[Any] | None,
    with_: Mapping[str, Any] | None,
    tablespace: str | None,
    nulls_not_distinct: bool,
) -> IndexDeclaration:
    """Return the index that op.create_index_concurrently's words declare."""
    return IndexDeclaration(
        name,
        table,
        tuple(_element(column, operators or {}) for column in columns),
        unique=unique,
        using=using.lower(),
        include=columns_of("create_index_concurrently", "postgresql_include", include) if include else (),
        nulls_not_distinct=nulls_not_distinct,
        with_=tuple((key, str(value)) for key, value in (with_ or {}).items()),
        tablespace=tablespace,
        where=None if where is None else sql_of(where),
    )


def _element(column: Any, operators: Mapping[str, str]) -> IndexElement:
    if isinstance(column, str):
        return IndexElement(ident(column), operators.get(column))
    sql, order = index_element(column)
    while isinstance(column, sa.UnaryExpression):
        column = column.element  # a DESC is known by the name of a
    return IndexElement(sql, operators.get(getattr(column, "key", None) or ""), order)
