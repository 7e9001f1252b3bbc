"""Operations on columns, and on whole tables."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import sqlalchemy as sa
from alembic.operations import Operations

from schema_kit.catalog import Catalog
from schema_kit.errors import DeclarationError, PlanError
from schema_kit.model import ColumnDeclaration, Relation
from schema_kit.names import QualifiedName, ident
from schema_kit.offline import EmptyDatabase
from schema_kit.ops import keywords
from schema_kit.ops.batches import UpdateInBatchesOp
from schema_kit.ops.clauses import column_declaration, default_sql, type_sql
from schema_kit.ops.constraints import foreign_key_plan, not_null_plan
from schema_kit.ops.door import AnyCatalog, PlanOperation, register
from schema_kit.ops.keywords import refuse_unknown
from schema_kit.ops.naming import existing
from schema_kit.plans import batches, columns, constraints
from schema_kit.steps import Plan
from schema_kit.steps.batches import Change, UpdateBatch
from schema_kit.steps.columns import column_sql
from schema_kit.steps.constraints import ValidateConstraint


@register("add_column_concurrently")
class AddColumnConcurrentlyOp(PlanOperation):
    """Add a column beside live traffic."""

    def __init__(self, table: QualifiedName, declared: ColumnDeclaration) -> None:
        self.table = table
        self.declared = declared

    @classmethod
    def add_column_concurrently(
        cls,
        operations: Operations,
        table_name: str,
        column: sa.Column[Any],
        *,
        schema: str | None = None,
        if_not_exists: bool | None = None,
        inline_references: bool | None = None,
        inline_primary_key: bool | None = None,
    ) -> None:
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
        operations.invoke(cls(table, column_declaration(table, column, key_name, partial(existing, operations))))

    def plan(self, catalog: AnyCatalog) -> Plan:
        """Observe and decide."""
        declared, tree = self.declared, catalog.tree(self.table)
        if not tree:
            return columns.add_column(self.table, declared, tree)
        if declared.virtual and catalog.server_version() < 180000 and not isinstance(catalog, EmptyDatabase):
            raise PlanError(
                f"cannot add column {declared.name} to {self.table}: PostgreSQL has virtual generated columns from 18 "
                "on."
            )
        found = tree[0].column(declared.name) is not None
        rewrites = declared.default is not None and self._rewrites(catalog, declared)
        fill = not_null = foreign_key = None
        if found:
            fill = _fill(self.table, declared).plan(catalog) if rewrites else None
            not_null = None if declared.nullable else not_null_plan(catalog, self.table, declared.name)
            proving = not_null is not None and not_null.steps and isinstance(not_null.steps[0], ValidateConstraint)
            # Under the check no row can become NULL, nor move as long as it is: one pass finds all of them.
            empty = f"{ident(declared.name)} IS NULL"
            again = rewrites and proving and not fill
            if again and isinstance(catalog, Catalog) and catalog.has_row_where(self.table, empty):
                fill = _fill(self.table, declared, " under its check").plan(catalog)
        elif self._rewrites(catalog, replace(declared, default=None, nullable=True)):
            raise PlanError(
                f"cannot add column {declared.name} to {self.table}: PostgreSQL writes every row again for a column of "
                f"{declared.type}, a domain with constraints. Instead: add it with the type that the domain is over, "
                "and the constraints by op.create_check_constraint_concurrently."
            )
        if declared.foreign_key:
            foreign_key = foreign_key_plan(catalog, constraints.under_its_own_name(declared.foreign_key, tree[0]))
        return columns.add_column(
            self.table,
            declared,
            tree,
            printed=catalog.column(self.table, declared.type, declared.default),
            rewrites=rewrites,
            fill=fill,
            not_null=not_null,
            foreign_key=foreign_key,
        )

    def _rewrites(self, catalog: AnyCatalog, declared: ColumnDeclaration) -> bool:
        alone = replace(declared, foreign_key=None)
        return catalog.rewrites(self.table, f"ADD COLUMN {column_sql(alone, 'schema_kit_scratch_column')}")[0]


def _fill(table: QualifiedName, declared: ColumnDeclaration, which: str = "") -> UpdateInBatchesOp:
    assert declared.default is not None  # only a default rewrites
    change = Change(table, ((declared.name, declared.default),), f"{ident(declared.name)} IS NULL")
    batch = UpdateBatch(
        batches.run_name(change) + which, change, (), target_seconds=0.5, max_replica_lag=10.0, max_dead_share=0.2
    )
    return UpdateInBatchesOp(batch, batch_size=1000)


@register("drop_column_concurrently")
class DropColumnConcurrentlyOp(PlanOperation):
    """Drop a column beside live traffic."""

    def __init__(self, table: QualifiedName, column: str) -> None:
        self.table = table
        self.column = column

    @classmethod
    def drop_column_concurrently(
        cls,
        operations: Operations,
        table_name: str,
        column_name: str,
        *,
        schema: str | None = None,
        if_exists: bool | None = None,
        **dialect_kw: Any,
    ) -> None:
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
        operations.invoke(cls(existing(operations, table_name, schema), column_name))

    def plan(self, catalog: AnyCatalog) -> Plan:
        """Observe and decide."""
        stops = _stops(catalog, self.table, self.column)
        return columns.drop_column(self.table, self.column, catalog.tree(self.table), stops, _ends(catalog, self.table))


def _ends(catalog: AnyCatalog, name: QualifiedName) -> columns.Ends:
    table = catalog.table(name)
    return {tree[0]: tree for tree in table.trees} if table else {}


_OTHER_CHANGES = {
    "comment": "op.alter_column(..., comment=...) keeps nobody waiting; use that",
    "new_column_name": "a name that changes under a running application breaks it; op.alter_column renames at once",
    "autoincrement": "op.alter_column changes it at once",
}
_NO_DEFAULT = (sa.Identity, sa.Computed, sa.Sequence)
"""What SQLAlchemy gives as a server default, and PostgreSQL does not keep as one."""


@register("alter_column_concurrently")
class AlterColumnConcurrentlyOp(PlanOperation):
    """Change a column beside live traffic, as far as PostgreSQL can."""

    def __init__(
        self,
        table: QualifiedName,
        column: str,
        type_: str | None,
        default: tuple[str | None] | None,
        nullable: bool | None,
        using: str | None = None,
    ) -> None:
        self.table = table
        self.column = column
        self.type_ = type_
        self.using = using
        self.default = default
        self.nullable = nullable

    @classmethod
    def alter_column_concurrently(
        cls,
        operations: Operations,
        table_name: str,
        column_name: str,
        *,
        nullable: bool | None = None,
        server_default: Any = False,
        type_: Any = None,
        existing_type: Any = None,
        existing_server_default: Any = False,
        existing_nullable: bool | None = None,
        existing_comment: str | None = None,
        existing_autoincrement: bool | None = None,
        schema: str | None = None,
        postgresql_using: str | None = None,
        **dialect_kw: Any,
    ) -> None:
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
        table = existing(operations, table_name, schema)
        operations.invoke(cls(table, column_name, type_text, default, nullable, postgresql_using))

    @property
    def _using(self) -> str:
        return f" USING {self.using}" if self.using else ""

    def plan(self, catalog: AnyCatalog) -> Plan:
        """Observe and decide."""
        tree = catalog.tree(self.table)
        found = tree[0].column(self.column) if tree else None
        if found is None:
            return columns.alter_column(self.table, self.column, tree)
        printed_type, rewrites = None, (False, False)
        if self.type_ is not None:
            printed_type, _ = catalog.column(self.table, self.type_, None)
            if printed_type != found.type:
                trial = f"ALTER COLUMN {ident(self.column)} TYPE {self.type_}{self._using}"
                tried = [self.table, *(relation.name for relation in tree[1:] if _has_its_own(relation, tree[0]))]
                found_out = [catalog.rewrites(table, trial) for table in tried]
                rewrites = any(first for first, _ in found_out), any(second for _, second in found_out)
        printed_default = None
        if self.default and self.default[0] is not None:
            _, printed_default = catalog.column(self.table, self.type_ or found.type, self.default[0])
        table = catalog.table(self.table)
        return columns.alter_column(
            self.table,
            self.column,
            tree,
            incoming=table.incoming if table else (),
            ends=_ends(catalog, self.table),
            type_=None if self.type_ is None else f"{self.type_}{self._using}",
            printed_type=printed_type,
            rewrites=rewrites,
            default=self.default,
            printed_default=printed_default,
            nullable=self.nullable,
            not_null=not_null_plan(catalog, self.table, self.column) if self.nullable is False else None,
        )


def _has_its_own(partition: Relation, root: Relation) -> bool:
    """Whether it has indexes or checks that the table has not."""
    checks = {check.name for check in root.checks}
    return any(index.parent is None for index in partition.indexes) or any(
        check.name not in checks for check in partition.checks
    )


@register("drop_table_concurrently")
class DropTableConcurrentlyOp(PlanOperation):
    """Drop a table without locking others together with it."""

    def __init__(self, table: QualifiedName) -> None:
        self.table = table

    @classmethod
    def drop_table_concurrently(
        cls,
        operations: Operations,
        table_name: str,
        *,
        schema: str | None = None,
        if_exists: bool | None = None,
        **dialect_kw: Any,
    ) -> None:
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
        operations.invoke(cls(existing(operations, table_name, schema)))

    def plan(self, catalog: AnyCatalog) -> Plan:
        """Observe and decide."""
        table = catalog.table(self.table)
        stops = _stops(catalog, self.table)
        if table and table.is_partition:
            stops = ("it is a partition: detach it first (ALTER TABLE ... DETACH PARTITION ... CONCURRENTLY)", *stops)
        return columns.drop_table(
            self.table, catalog.tree(self.table), table.incoming if table else (), stops, _ends(catalog, self.table)
        )


def _stops(catalog: AnyCatalog, table: QualifiedName, column: str | None = None) -> tuple[str, ...]:
    return () if isinstance(catalog, EmptyDatabase) else catalog.stops_drop(table, column)
