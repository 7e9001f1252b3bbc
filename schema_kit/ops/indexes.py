"""Operations on indexes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from alembic.operations import Operations

from schema_kit.catalog import Catalog
from schema_kit.errors import PlanError
from schema_kit.model import IndexDeclaration, IndexElement
from schema_kit.names import QualifiedName, ident
from schema_kit.ops.clauses import sql_of
from schema_kit.ops.door import AnyCatalog, PlanOperation, register
from schema_kit.plans import indexes
from schema_kit.steps import Plan


@register("create_index_concurrently")
class CreateIndexConcurrentlyOp(PlanOperation):
    """Create an index beside live traffic, on a plain or a partitioned table."""

    def __init__(self, declared: IndexDeclaration) -> None:
        self.declared = declared

    @classmethod
    def create_index_concurrently(
        cls,
        operations: Operations,
        index_name: str,
        table_name: str,
        columns: Sequence[Any],
        *,
        schema: str | None = None,
        unique: bool = False,
        postgresql_using: str = "btree",
        postgresql_where: Any = None,
        postgresql_ops: Mapping[str, str] | None = None,
        postgresql_include: Sequence[str] | None = None,
        postgresql_with: Mapping[str, Any] | None = None,
        postgresql_tablespace: str | None = None,
        postgresql_nulls_not_distinct: bool = False,
    ) -> None:
        """Create an index without stopping reads or writes; an INVALID leftover of that name is replaced.

        The keywords are those of ``op.create_index``. On a partitioned table each partition's index is built
        concurrently and attached; the parent's becomes valid with the last one. Locks: SHARE UPDATE EXCLUSIVE on each
        table while its index is built; on a partitioned parent SHARE for an instant, under the lock budget.

        Args:
            operations: given by Alembic.
            index_name: the index.
            table_name: its table.
            columns: column names, or ``sa.text("created_at DESC")`` and other expressions.
            schema: the table's schema; public where it is left out.
            unique: whether keys may occur once only.
            postgresql_using: btree, gin, gist, brin, hash or another access method.
            postgresql_where: the predicate of a partial index.
            postgresql_ops: operator classes by column; found wherever their extension lives.
            postgresql_include: columns stored beside the key.
            postgresql_with: storage parameters.
            postgresql_tablespace: where it is stored.
            postgresql_nulls_not_distinct: whether NULLs equal each other in a unique index (15+).

        Raises:
            PlanError: no such table or operator class; a database whose LC_CTYPE gives trigrams of ASCII text only.
            ExecutionError: PostgreSQL refused it.
        """
        operators = dict(postgresql_ops or {})
        elements = tuple(
            IndexElement(ident(column), operators.get(column))
            if isinstance(column, str)
            else IndexElement(sql_of(column), operators.get(getattr(column, "key", None) or ""))
            for column in columns
        )
        declared = IndexDeclaration(
            index_name,
            QualifiedName(schema or "public", table_name),
            elements,
            unique=unique,
            using=postgresql_using,
            include=tuple(postgresql_include or ()),
            nulls_not_distinct=postgresql_nulls_not_distinct,
            with_=tuple((key, str(value)) for key, value in (postgresql_with or {}).items()),
            tablespace=postgresql_tablespace,
            where=None if postgresql_where is None else sql_of(postgresql_where),
        )
        operations.invoke(cls(declared))

    def plan(self, catalog: AnyCatalog) -> Plan:
        """Observe and decide."""
        declared = self.declared
        owner = None
        if isinstance(catalog, Catalog):
            owner = catalog.index_owner(declared.table.sibling(declared.name))
        if owner not in (None, declared.table):
            raise PlanError(f"index {declared.name} belongs to {owner}, not to {declared.table}. Nothing was changed.")
        classes = tuple(
            IndexElement(key.sql, key.opclass and catalog.operator_class(key.opclass, declared.using))
            for key in declared.elements
        )
        for key in classes:
            if (
                key.opclass
                and key.opclass.endswith(('gin_trgm_ops"', 'gist_trgm_ops"'))
                and not catalog.letters_have_trigrams(key.opclass)
            ):
                raise PlanError(
                    f"the LC_CTYPE of this database knows no letters beyond ASCII: pg_trgm finds no trigrams in Thai "
                    f"and others, and {declared.name} would find nothing. Nothing was changed; make the database "
                    "with LC_CTYPE C.UTF-8 or another UTF-8 locale."
                )
        return indexes.create_index(replace(declared, elements=classes), catalog.tree(declared.table))


@register("drop_index_concurrently")
class DropIndexConcurrentlyOp(PlanOperation):
    """Drop an index beside live traffic."""

    def __init__(self, index: QualifiedName, table: QualifiedName) -> None:
        self.index = index
        self.table = table

    @classmethod
    def drop_index_concurrently(
        cls, operations: Operations, index_name: str, table_name: str, *, schema: str | None = None
    ) -> None:
        """Drop an index without stopping reads or writes; one that is gone already is no error.

        Locks: SHARE UPDATE EXCLUSIVE on the table. The index of a partitioned table has no concurrent way in
        PostgreSQL: ACCESS EXCLUSIVE on the parent and each partition, for an instant, under the lock budget.

        Args:
            operations: given by Alembic.
            index_name: the index.
            table_name: its table.
            schema: the table's schema; public where it is left out.
        """
        table = QualifiedName(schema or "public", table_name)
        operations.invoke(cls(table.sibling(index_name), table))

    def plan(self, catalog: AnyCatalog) -> Plan:
        """Observe and decide."""
        return indexes.drop_index(self.index, catalog.tree(self.table))
