"""Operations on indexes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from alembic.operations import Operations

from schema_kit.errors import DeclarationError
from schema_kit.model import IndexDeclaration, IndexElement
from schema_kit.names import QualifiedName, ident
from schema_kit.ops import keywords
from schema_kit.ops.clauses import index_element, sql_of
from schema_kit.ops.keywords import columns_of, listed, refuse_blocking, refuse_unknown
from schema_kit.ops.naming import existing
from schema_kit.ops.operation import Task, operation, task
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
    """Create an index without stopping reads or writes; an INVALID leftover of that name is replaced.

    The keywords are those of ``op.create_index``. An index that is there with the same definition is left as it
    is. On a partitioned table each partition's index is built concurrently and attached; the parent's becomes
    valid with the last one. Locks: SHARE UPDATE EXCLUSIVE on each table while its index is built; on a partitioned
    parent SHARE for an instant, under the lock budget. A unique index that finds keys more than once names them.

    Args:
        operations: given by Alembic.
        index_name: the index; None leaves it to the naming convention of target_metadata.
        table_name: its table.
        columns: column names, or ``sa.text("created_at DESC")`` and other expressions, which get the parentheses
            that PostgreSQL wants.
        schema: the table's schema; by schema_translate_map or search_path where it is left out.
        unique: whether keys may occur once only.
        if_not_exists: taken for Alembic's sake; it is always so.
        postgresql_using: btree, gin, gist, brin, hash or another access method.
        postgresql_where: the predicate of a partial index.
        postgresql_ops: operator classes by column (or by the label of an expression); found wherever their
            extension lives. Parameters may follow: ``gist_trgm_ops(siglen=32)``.
        postgresql_include: columns stored beside the key.
        postgresql_with: storage parameters.
        postgresql_tablespace: where it is stored; an index that is there is not moved.
        postgresql_nulls_not_distinct: whether NULLs equal each other in a unique index (15+).
        postgresql_concurrently: as ``op.create_index`` has it; not needed, since it is always so.
        dialect_kw: keywords of other databases, which are passed over.

    Raises:
        DeclarationError: a string for the list of columns, or a keyword that there is not.
        PlanError: no such table or operator class; an index of that name with another definition; a database whose
            LC_CTYPE gives trigrams of ASCII text only.
        ExecutionError: PostgreSQL refused it.
    """
    del if_not_exists
    refuse_unknown("create_index_concurrently", dialect_kw)
    refuse_blocking("create_index_concurrently", postgresql_concurrently)
    columns = listed("create_index_concurrently", "columns", columns)
    declared = _declared(
        keywords.index_name(operations, index_name, table_name, columns),
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
    """Build an index again under another definition, without a moment in which there is none.

    The new one is built beside the old one as ``<name>__replacement``; then both change names in one commit, and
    the old one, now ``<name>__replaced``, is dropped. The comment goes over to the new one. Stopped anywhere and
    run again, it goes on. Where the index has the declared definition, nothing is done; where there is no index of
    that name, or only an INVALID one, it is created.

    Locks: those of ``create_index_concurrently`` while it is built; SHARE UPDATE EXCLUSIVE on the indexes alone
    while they change names, which nobody notices; SHARE UPDATE EXCLUSIVE on the table while the old one goes. The
    old index of a partitioned table has no concurrent way: ACCESS EXCLUSIVE on the parent and each partition, for
    an instant, under the lock budget.

    Args:
        operations: given by Alembic.
        index_name: the index; None leaves it to the naming convention of target_metadata.
        table_name: its table.
        columns: column names, or ``sa.text("created_at DESC")`` and other expressions.
        schema: the table's schema; by schema_translate_map or search_path where it is left out.
        unique: whether keys may occur once only.
        postgresql_using: btree, gin, gist, brin, hash or another access method.
        postgresql_where: the predicate of a partial index.
        postgresql_ops: operator classes by column.
        postgresql_include: columns stored beside the key.
        postgresql_with: storage parameters.
        postgresql_tablespace: where it is stored; another tablespace alone is no other definition.
        postgresql_nulls_not_distinct: whether NULLs equal each other in a unique index (15+).
        postgresql_concurrently: as ``op.create_index`` has it; not needed, since it is always so.
        dialect_kw: keywords of other databases, which are passed over.

    Raises:
        DeclarationError: a string for a list of columns, or a keyword that there is not.
        PlanError: no such table or operator class; a constraint, a foreign key or the replica identity rests on
            the index; it is the part of a partitioned one; another index has one of the two names that are needed.
        ExecutionError: PostgreSQL refused it; the old index still serves.
    """
    refuse_unknown("replace_index_concurrently", dialect_kw)
    refuse_blocking("replace_index_concurrently", postgresql_concurrently)
    columns = listed("replace_index_concurrently", "columns", columns)
    declared = _declared(
        keywords.index_name(operations, index_name, table_name, columns),
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
    """Drop an index without stopping reads or writes; one that is gone already is no error.

    Locks: SHARE UPDATE EXCLUSIVE on the table. The index of a partitioned table has no concurrent way in
    PostgreSQL: ACCESS EXCLUSIVE on the parent and each partition, for an instant, under the lock budget.

    Args:
        operations: given by Alembic.
        index_name: the index.
        table_name: its table; it may be left out.
        schema: the schema of both; by schema_translate_map or search_path where it is left out.
        if_exists: taken for Alembic's sake; it is always so.
        postgresql_concurrently: the same.
        dialect_kw: keywords of other databases, which are passed over.

    Raises:
        DeclarationError: a keyword that there is not.
        PlanError: a constraint, a foreign key or the replica identity rests on the index; it is the part of a
            partitioned one; it belongs to another table.
    """
    del if_exists
    refuse_unknown("drop_index_concurrently", dialect_kw)
    refuse_blocking("drop_index_concurrently", postgresql_concurrently)
    index = existing(operations, keywords.index_name(operations, index_name, table_name, ["x"]), schema)
    return task(indexes.drop, index, index.sibling(table_name) if table_name else None)


@operation()
def reindex_concurrently(
    operations: Operations,
    index_name: str | None = None,
    table_name: str | None = None,
    *,
    schema: str | None = None,
) -> Task:
    """Build an index again without stopping reads or writes: one that is bloated, INVALID or of an older collation.

    With a table and no index, all indexes of the table and of its TOAST table; an index of an exclusion constraint
    is passed over with a warning of PostgreSQL's. INVALID leftovers of an earlier try (``_ccnew``, ``_ccold``) are
    dropped first. What is partitioned is done partition by partition: PostgreSQL itself would first take SHARE on
    all of them, behind whoever writes.

    A reindex leaves nothing behind that could be observed: interrupted and run again, all of it is built again.
    Locks: SHARE UPDATE EXCLUSIVE on each table while its indexes are built. With ``--sql``, the statement alone.

    Args:
        operations: given by Alembic.
        index_name: the index; None for all indexes of the table.
        table_name: the table; it may be left out where an index is named.
        schema: the schema of both; by schema_translate_map or search_path where it is left out.

    Raises:
        DeclarationError: neither an index nor a table is named.
        PlanError: there is no such index or table; an index carries an exclusion constraint.
        ExecutionError: PostgreSQL refused it.
    """
    if not index_name and not table_name:
        raise DeclarationError("op.reindex_concurrently wants an index or a table (table_name=...)")
    index = existing(operations, index_name, schema) if index_name else None
    table = existing(operations, table_name, schema) if table_name else None
    return task(indexes.reindex, index, table)


def _declared(
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
