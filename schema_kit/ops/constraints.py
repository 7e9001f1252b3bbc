"""Operations on constraints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from alembic.operations import Operations, ops

from schema_kit.model import CheckDeclaration, ForeignKeyDeclaration, KeyDeclaration
from schema_kit.names import QualifiedName, ident
from schema_kit.offline import EmptyDatabase
from schema_kit.ops import keywords
from schema_kit.ops.clauses import deferral, foreign_key_declaration, sql_of
from schema_kit.ops.door import AnyCatalog, PlanOperation, register
from schema_kit.ops.keywords import columns_of, refuse_unknown
from schema_kit.ops.naming import existing
from schema_kit.plans import constraints
from schema_kit.steps import Plan
from schema_kit.steps.constraints import ValidateConstraint


@register("create_foreign_key_concurrently")
class CreateForeignKeyConcurrentlyOp(PlanOperation):
    """Create a foreign key beside live traffic."""

    def __init__(self, declared: ForeignKeyDeclaration, validate: bool = True) -> None:
        self.declared = declared
        self.validate = validate

    @classmethod
    def create_foreign_key_concurrently(
        cls,
        operations: Operations,
        constraint_name: str | None,
        source_table: str,
        referent_table: str,
        local_cols: Sequence[str],
        remote_cols: Sequence[str],
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
    ) -> None:
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
        operations.invoke(cls(declared, not postgresql_not_valid))

    def plan(self, catalog: AnyCatalog) -> Plan:
        """Observe and decide."""
        plan = foreign_key_plan(catalog, self.declared)
        return plan if self.validate else _unproved(plan)


def _unproved(plan: Plan) -> Plan:
    return replace(plan, steps=tuple(step for step in plan.steps if not isinstance(step, ValidateConstraint)))


def foreign_key_plan(catalog: AnyCatalog, declared: ForeignKeyDeclaration) -> Plan:
    """The plan that makes one foreign key."""
    referenced = tuple(relation.name for relation in catalog.tree(declared.referenced)[1:])
    return constraints.create_foreign_key(declared, catalog.tree(declared.table), catalog.server_version(), referenced)


@register("create_check_constraint_concurrently")
class CreateCheckConstraintConcurrentlyOp(PlanOperation):
    """Create a check beside live traffic."""

    def __init__(self, declared: CheckDeclaration, validate: bool = True) -> None:
        self.declared = declared
        self.validate = validate

    @classmethod
    def create_check_constraint_concurrently(
        cls,
        operations: Operations,
        constraint_name: str | None,
        table_name: str,
        condition: Any,
        *,
        schema: str | None = None,
        postgresql_not_valid: bool = False,
        **dialect_kw: Any,
    ) -> None:
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
        operations.invoke(cls(CheckDeclaration(name, table, expression), not postgresql_not_valid))

    def plan(self, catalog: AnyCatalog) -> Plan:
        """Observe and decide."""
        declared, tree = self.declared, catalog.tree(self.declared.table)
        ask = bool(tree) and (tree[0].partitioned or tree[0].check(declared.name) is not None)
        definition = catalog.check_definition(declared.table, declared.expression) if ask else None
        plan = constraints.create_check(declared, tree, definition)
        return plan if self.validate else _unproved(plan)


@register("create_unique_constraint_concurrently")
class CreateUniqueConstraintConcurrentlyOp(PlanOperation):
    """Create a unique constraint beside live traffic."""

    def __init__(self, declared: KeyDeclaration) -> None:
        self.declared = declared

    @classmethod
    def create_unique_constraint_concurrently(
        cls,
        operations: Operations,
        constraint_name: str | None,
        table_name: str,
        columns: Sequence[str],
        *,
        schema: str | None = None,
        deferrable: bool | None = None,
        initially: str | None = None,
        postgresql_nulls_not_distinct: bool = False,
        postgresql_include: Sequence[str] | None = None,
        **dialect_kw: Any,
    ) -> None:
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
        operations.invoke(cls(declared))

    def plan(self, catalog: AnyCatalog) -> Plan:
        """Observe and decide."""
        return key_plan(catalog, self.declared)


def key_plan(catalog: AnyCatalog, declared: KeyDeclaration, not_null: Sequence[Plan] = ()) -> Plan:
    """The plan that makes one unique constraint or primary key."""
    tree = catalog.tree(declared.table)
    compare = constraints.bare_index_in_question(declared, tree)
    printed = catalog.index_tail(constraints.key_index(declared)) if compare else None
    owner = catalog.index_owner(declared.table.sibling(declared.name))
    return constraints.create_key(declared, tree, not_null, printed, owner)


@register("create_primary_key_concurrently")
class CreatePrimaryKeyConcurrentlyOp(PlanOperation):
    """Create a primary key beside live traffic."""

    def __init__(self, declared: KeyDeclaration) -> None:
        self.declared = declared

    @classmethod
    def create_primary_key_concurrently(
        cls,
        operations: Operations,
        constraint_name: str | None,
        table_name: str,
        columns: Sequence[str],
        *,
        schema: str | None = None,
        postgresql_include: Sequence[str] | None = None,
    ) -> None:
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
        operations.invoke(cls(KeyDeclaration(name, table, columns, primary=True, include=include)))

    def plan(self, catalog: AnyCatalog) -> Plan:
        """Observe and decide."""
        table = self.declared.table
        not_null = [not_null_plan(catalog, table, column) for column in self.declared.columns]
        return key_plan(catalog, self.declared, not_null)


@register("validate_constraint")
class ValidateConstraintOp(PlanOperation):
    """Prove a constraint that is there but not validated."""

    def __init__(self, constraint: str, table: QualifiedName) -> None:
        self.constraint = constraint
        self.table = table

    @classmethod
    def validate_constraint(
        cls, operations: Operations, constraint_name: str, table_name: str, *, schema: str | None = None
    ) -> None:
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
        operations.invoke(cls(constraint_name, existing(operations, table_name, schema)))

    def plan(self, catalog: AnyCatalog) -> Plan:
        """Observe and decide."""
        if isinstance(catalog, EmptyDatabase):
            # Ordinary operations of Alembic's may have made it, which nobody follows.
            return Plan(f"validate {self.constraint}", (ValidateConstraint(self.table, self.constraint),))
        return constraints.validate_constraint(self.constraint, self.table, catalog.tree(self.table))


@register("set_not_null_concurrently")
class SetNotNullConcurrentlyOp(PlanOperation):
    """Make a column NOT NULL beside live traffic."""

    def __init__(self, table: QualifiedName, column: str) -> None:
        self.table = table
        self.column = column

    @classmethod
    def set_not_null_concurrently(
        cls, operations: Operations, table_name: str, column_name: str, *, schema: str | None = None
    ) -> None:
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
        operations.invoke(cls(existing(operations, table_name, schema), column_name))

    def plan(self, catalog: AnyCatalog) -> Plan:
        """Observe and decide."""
        return not_null_plan(catalog, self.table, self.column)


def not_null_plan(catalog: AnyCatalog, table: QualifiedName, column: str) -> Plan:
    """The plan that makes one column NOT NULL."""
    tree = catalog.tree(table)
    found = tree[0].column(column) if tree else None
    ask = found is not None and not found.not_null
    proof = catalog.check_definition(table, f"{ident(column)} IS NOT NULL") if ask else ""
    return constraints.set_not_null(table, column, tree, proof, catalog.server_version())
