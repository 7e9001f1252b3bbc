"""The Alembic door: operations as inert data, and what turns each into a plan.

Importing this module registers them with ``alembic.op``; `schema_kit.op` is the same, typed.

An op whose steps are commits of their own runs in Alembic's autocommit block, or in the one that is open already, and
is refused after ordinary work in the same revision: that would be committed half-way, and could not be run again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, ClassVar, TypeVar

import sqlalchemy as sa
from alembic.operations import AbstractOperations, BatchOperations, MigrateOperation, Operations
from alembic.runtime.migration import MigrationContext
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

from schema_kit import execute, report, script
from schema_kit.catalog import Catalog
from schema_kit.catalog.session import autocommits, rows
from schema_kit.errors import DeclarationError, PlanError
from schema_kit.model import (
    BaselineTable,
    Column,
    ForeignKey,
    Index,
    IndexDeclaration,
    IndexElement,
    Partitioning,
    Table,
)
from schema_kit.model import Sequence as SequenceFacts
from schema_kit.names import QualifiedName, fit, ident, idents
from schema_kit.offline import EmptyDatabase
from schema_kit.plans import baseline, conversion, indexes, partitions
from schema_kit.script import LockPolicy
from schema_kit.sqlscripts import load
from schema_kit.steps import Plan
from schema_kit.steps.baseline import CREATED_OBJECT
from schema_kit.steps.partitions import PART_CONFIG, CreatePartConfig

PART_CONFIG_SCRIPT = "partman/tables/part_config.sql"
LEDGER_SCRIPT = "tables/created_object.sql"

_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]

AnyCatalog = Catalog | EmptyDatabase


@dataclass(frozen=True)
class Settings:
    """What env.py tells the ops: pass it to ``context.configure(schema_kit=Settings(...))``.

    Args:
        now: a moment that stands for the server's clock.
        policy: lock budgets, tries and timeouts.
    """

    now: datetime | None = None
    policy: LockPolicy = field(default_factory=LockPolicy)


class PlanOperation(MigrateOperation):
    """An operation that becomes a plan, by looking at a database."""

    shared: ClassVar[bool] = False
    """All its steps may join the migration's transaction."""

    def plan(self, catalog: AnyCatalog) -> Plan:
        """Observe and decide."""
        raise NotImplementedError


OperationClass = TypeVar("OperationClass", bound=type[PlanOperation])


def _register(name: str) -> Callable[[OperationClass], OperationClass]:
    def register(cls: OperationClass) -> OperationClass:
        Operations.register_operation(name)(cls)
        Operations.implementation_for(cls, replace=True)(_perform)
        return cls

    return register


def _perform(operations: AbstractOperations, operation: PlanOperation) -> None:
    context = operations.migration_context
    if isinstance(operations, BatchOperations):
        raise DeclarationError(
            f"{type(operation).__name__} cannot stand in batch_alter_table: it would run before the batch's own "
            "operations. Put it beside the block."
        )
    if context.dialect.name != "postgresql":
        raise DeclarationError(f"schema_kit's operations are for PostgreSQL; this is {context.dialect.name}")
    settings = context.opts.get("schema_kit") or Settings()
    if context.as_sql:
        _write(context, operation, settings)
        return
    connection = context.connection
    assert connection is not None  # only offline has none

    def decide() -> Plan:
        return operation.plan(Catalog(_current(context), settings.now))

    if operation.shared and not autocommits(connection):
        execute.run_shared(connection, decide(), settings.policy, report.to_logging)
    elif autocommits(connection):
        execute.run(connection, decide, settings.policy, report.to_logging)
    else:
        _refuse_after_ordinary_work(context, operation)
        with context.autocommit_block():
            execute.run(_current(context), decide, settings.policy, report.to_logging)
        context.opts["schema_kit_committed"] = True


def _current(context: MigrationContext) -> sa.Connection:
    assert context.connection is not None  # only offline has none
    return context.connection


def has_written(context: MigrationContext) -> bool:
    """Whether the transaction that is open has written something."""
    return bool(rows(_current(context), "SELECT pg_current_xact_id_if_assigned() IS NOT NULL")[0][0])


def _refuse_after_ordinary_work(context: MigrationContext, operation: PlanOperation) -> None:
    # Only environment.run sets it: elsewhere earlier revisions may share the transaction, and their work with it.
    if context.opts.get("schema_kit_clean") and has_written(context):
        raise PlanError(
            f"{type(operation).__name__} commits on its own, and this revision has done ordinary work before it, which "
            "would be committed half-way and could not be run again. Nothing of this revision was kept; put the two "
            "kinds of operations into two revisions."
        )


def _write(context: MigrationContext, operation: PlanOperation, settings: Settings) -> None:
    memo = context.impl.memo
    if "schema_kit" not in memo:
        memo["schema_kit"] = EmptyDatabase(settings.now)
    database: EmptyDatabase = memo["schema_kit"]
    plan = operation.plan(database)
    lines: list[str] = []
    for step in plan.steps:
        lines.append(f"-- {step.summary}")
        if operation.shared:
            lines += [f"{statement};" for statement in step.sql()]
        else:
            lines += [f"{statement};" for statement in script.render(step, settings.policy)]
        database.apply(step)
    if operation.shared:
        context.impl.static_output("\n".join(lines))
    else:
        with context.autocommit_block():
            context.impl.static_output("\n".join(lines) + "\n")


# Indexes


@_register("create_index_concurrently")
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
            else IndexElement(_sql(column), operators.get(getattr(column, "key", None) or ""))
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
            where=None if postgresql_where is None else _sql(postgresql_where),
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


@_register("drop_index_concurrently")
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


# Partitions


@_register("create_part_config")
class CreatePartConfigOp(PlanOperation):
    """Make the table of partition policies."""

    shared = True

    @classmethod
    def create_part_config(cls, operations: Operations) -> None:
        """Make ``schema_kit.part_config``, where policies live, if it is missing. Joins the migration's transaction."""
        operations.invoke(cls())

    def plan(self, catalog: AnyCatalog) -> Plan:
        """Observe and decide."""
        if catalog.exists(PART_CONFIG):
            return Plan("create part_config")
        return Plan("create part_config", (CreatePartConfig(load(PART_CONFIG_SCRIPT)),))


@_register("drop_part_config")
class DropPartConfigOp(PlanOperation):
    """Drop the table of partition policies."""

    shared = True

    @classmethod
    def drop_part_config(cls, operations: Operations) -> None:
        """Drop ``schema_kit.part_config``, once it holds no policy. Joins the migration's transaction.

        Raises:
            PlanError: it holds policies.
        """
        operations.invoke(cls())

    def plan(self, catalog: AnyCatalog) -> Plan:
        """Observe and decide."""
        count = int(catalog.has_rows(PART_CONFIG)) if catalog.exists(PART_CONFIG) else 0
        return partitions.drop_part_config(
            bool(count), catalog.exists(PART_CONFIG), catalog.alone_in_config_schema(PART_CONFIG)
        )


@_register("convert_to_partitioned")
class ConvertToPartitionedOp(PlanOperation):
    """Partition a table that is in use."""

    def __init__(self, policy: Partitioning, incoming: conversion.IncomingForeignKeys) -> None:
        self.policy = policy
        self.incoming = incoming

    @classmethod
    def convert_to_partitioned(
        cls,
        operations: Operations,
        table_name: str,
        control: str,
        interval: str,
        *,
        schema: str | None = None,
        timezone: str = "UTC",
        premake: int = 4,
        incoming_foreign_keys: conversion.IncomingForeignKeys = "refuse",
    ) -> None:
        """Partition a populated table by range of time, without copying a row: it becomes the first partition.

        Its primary key gets the control column as its last. What belongs to the table comes along: identity and
        sequences, defaults, checks, indexes, foreign keys, triggers, row security, grants, comments, views. The
        policy is registered in part_config. Locks: ACCESS EXCLUSIVE for an instant to add a check, then for the one
        short commit of the swap (milliseconds, whatever the size), each under the lock budget; scans and index builds
        run beside writers.

        Args:
            operations: given by Alembic.
            table_name: the table.
            control: the column that decides: timestamptz, timestamp or date.
            interval: the width of a partition: ``1 month``, ``7 days``, ``1 year``.
            schema: its schema; public where it is left out.
            timezone: an IANA name; partitions begin at its midnight.
            premake: how many partitions are kept ahead of the current one.
            incoming_foreign_keys: ``refuse``, ``drop``, or ``composite``: the referring table gets the key column
                too, and a trigger that fills it.

        Raises:
            PlanError: something belongs to the table or depends on it that cannot move with it; it is named.
            LockNotAvailable: the locks were not to be had; who holds them is named.
        """
        parent = QualifiedName(schema or "public", table_name)
        policy = Partitioning(parent, control, interval, timezone, premake)
        policy = Partitioning(parent, control, policy.cut.text, timezone, premake)
        operations.invoke(cls(policy, incoming_foreign_keys))

    def plan(self, catalog: AnyCatalog) -> Plan:
        """Observe and decide."""
        seen = catalog.conversion(self.policy, self.incoming == "composite")
        return conversion.convert(self.policy, seen, self.incoming, load(PART_CONFIG_SCRIPT))


@_register("unpartition")
class UnpartitionOp(PlanOperation):
    """Make a partitioned table plain again."""

    def __init__(self, parent: QualifiedName) -> None:
        self.parent = parent

    @classmethod
    def unpartition(cls, operations: Operations, table_name: str, *, schema: str | None = None) -> None:
        """Make a partitioned table plain again: its first partition takes in the rows of the others.

        It blocks: ACCESS EXCLUSIVE on the table and its partitions for as long as those rows need to move (those of
        the first partition do not move). The primary key loses the control column; policies, key columns and triggers
        that the conversion made go.

        Args:
            operations: given by Alembic.
            table_name: the table.
            schema: its schema; public where it is left out.

        Raises:
            PlanError: something depends on it that cannot move with it; it is named.
        """
        operations.invoke(cls(QualifiedName(schema or "public", table_name)))

    def plan(self, catalog: AnyCatalog) -> Plan:
        """Observe and decide."""
        if isinstance(catalog, EmptyDatabase):
            raise PlanError(
                f"--sql cannot write the way back of {self.parent}: it depends on what is there. Run it online."
            )
        table = catalog.table(self.parent)
        control = table.partitioned_by[0] if table and table.partitioned_by else ""
        policy = catalog.policy(self.parent)
        seen = catalog.conversion(Partitioning(self.parent, control, "1 month"), composite=bool(control))
        first = next((p.name for p in table.partitions if not p.default), None) if table else None
        heir = catalog.table(first) if first else None
        return conversion.unpartition(self.parent, seen, heir, policy is not None)


# What a pack stands on


@_register("create_extension")
class CreateExtensionOp(PlanOperation):
    """Install an extension where it is missing."""

    shared = True

    def __init__(self, name: str) -> None:
        self.name = name

    @classmethod
    def create_extension(cls, operations: Operations, name: str) -> None:
        """Install an extension where it is missing, and remember that. Joins the migration's transaction.

        Args:
            operations: given by Alembic.
            name: the extension.
        """
        operations.invoke(cls(name))

    def plan(self, catalog: AnyCatalog) -> Plan:
        """Observe and decide."""
        return baseline.create_extension(
            self.name, catalog.has_extension(self.name), catalog.exists(CREATED_OBJECT), load(LEDGER_SCRIPT)
        )


@_register("drop_extension")
class DropExtensionOp(PlanOperation):
    """Drop an extension that migrations installed."""

    shared = True

    def __init__(self, name: str) -> None:
        self.name = name

    @classmethod
    def drop_extension(cls, operations: Operations, name: str) -> None:
        """Drop an extension that ``create_extension`` installed; leave one that was there before.

        Args:
            operations: given by Alembic.
            name: the extension.
        """
        operations.invoke(cls(name))

    def plan(self, catalog: AnyCatalog) -> Plan:
        """Observe and decide."""
        return baseline.drop_extension(self.name, catalog.created())


@_register("create_baseline")
class CreateBaselineOp(PlanOperation):
    """Make the tables that a pack starts from."""

    def __init__(self, tables: tuple[BaselineTable, ...]) -> None:
        self.tables = tables

    @classmethod
    def create_baseline(cls, operations: Operations, metadata: sa.MetaData) -> None:
        """Make each table of *metadata* where it is missing; compare it, and leave it, where it is there.

        Locks: a new foreign key takes SHARE ROW EXCLUSIVE on the table it refers to, for an instant, under the budget.

        Args:
            operations: given by Alembic.
            metadata: the tables, literally: a revision means tomorrow what it meant yesterday.

        Raises:
            PlanError: a table is there in another shape; each difference is named.
        """
        operations.invoke(cls(tuple(map(_baseline_table, metadata.sorted_tables))))

    def plan(self, catalog: AnyCatalog) -> Plan:
        """Observe and decide."""
        observed = {table.table.name: catalog.table(table.table.name) for table in self.tables}
        schemas = {name.schema for name in observed if catalog.has_schema(name.schema)}
        return baseline.create_baseline(
            self.tables, observed, schemas, catalog.exists(CREATED_OBJECT), load(LEDGER_SCRIPT)
        )


@_register("drop_baseline")
class DropBaselineOp(PlanOperation):
    """Drop the tables that a pack made."""

    def __init__(self, tables: tuple[BaselineTable, ...]) -> None:
        self.tables = tables

    @classmethod
    def drop_baseline(cls, operations: Operations, metadata: sa.MetaData) -> None:
        """Drop the tables that ``create_baseline`` made, if all of them are empty; leave all others.

        Args:
            operations: given by Alembic.
            metadata: the same tables.

        Raises:
            PlanError: a table that it made holds rows; nothing was dropped.
        """
        operations.invoke(cls(tuple(map(_baseline_table, metadata.sorted_tables))))

    def plan(self, catalog: AnyCatalog) -> Plan:
        """Observe and decide."""
        created = catalog.created()
        own = {table.table.name for table in self.tables if str(table.table.name) in created["table"]}
        made = {
            name
            for table in self.tables
            for name in (table.table.name.name, *(s.name.name for s in table.table.sequences))
        }
        return baseline.drop_baseline(
            self.tables,
            created,
            {name for name in own if catalog.exists(name) and catalog.has_rows(name)},
            {name.schema: catalog.relations_in(name.schema) - made for name in (t.table.name for t in self.tables)},
            catalog.exists(CREATED_OBJECT),
            catalog.alone_in_config_schema(CREATED_OBJECT),
        )


# From SQLAlchemy's objects to the nouns


def _sql(clause: Any) -> str:
    """A string as it is, an expression with its literals in place."""
    if isinstance(clause, str):
        return clause
    if isinstance(clause, sa.TextClause):
        return clause.text
    return str(clause.compile(dialect=_DIALECT, compile_kwargs={"literal_binds": True, "include_table": False}))


_SPELLINGS = {
    "varchar": "character varying",
    "char": "character",
    "float": "double precision",
    "decimal": "numeric",
}


def _type(column: sa.Column[Any]) -> str:
    """A column's type as format_type spells it."""
    text = column.type.compile(dialect=_DIALECT).lower().replace(", ", ",")
    bare, bracket, rest = text.partition("(")
    return _SPELLINGS.get(bare, bare) + bracket + rest


def _baseline_table(table: sa.Table) -> BaselineTable:
    name = QualifiedName(table.schema or "public", table.name)
    key = tuple(column.name for column in table.primary_key.columns)
    create = [str(CreateTable(table).compile(dialect=_DIALECT)).strip()]
    create += [
        str(CreateIndex(index).compile(dialect=_DIALECT)) for index in sorted(table.indexes, key=lambda i: i.name or "")
    ]
    unique = [c for c in table.constraints if isinstance(c, sa.UniqueConstraint)]
    noun = Table(
        name,
        tuple(
            Column(
                c.name,
                _type(c),
                not c.nullable,
                None,
                ("a" if c.identity.always else "d") if c.identity else "",
            )
            for c in table.columns
        ),
        primary_key=key,
        indexes=(
            Index(
                str(table.primary_key.name or fit(table.name, "_pkey")),
                f"btree ({idents(key)})",
                key,
                True,
                True,
            ),
            *(_unique_index(constraint) for constraint in unique),
        ),
        foreign_keys=tuple(_foreign_key(name, key) for key in table.foreign_key_constraints),
        sequences=tuple(
            SequenceFacts(name.sibling(f"{table.name}_{c.name}_seq"), c.name, True, "START WITH 1")
            for c in table.columns
            if c.identity
        ),
    )
    return BaselineTable(noun, tuple(create))


def _unique_index(constraint: sa.UniqueConstraint) -> Index:
    columns = tuple(column.name for column in constraint.columns)
    return Index(
        str(constraint.name),
        f"btree ({idents(columns)})",
        columns,
        True,
        constraint=f"UNIQUE ({idents(columns)})",
    )


def _foreign_key(table: QualifiedName, constraint: sa.ForeignKeyConstraint) -> ForeignKey:
    to = constraint.referred_table
    referenced = QualifiedName(to.schema or "public", to.name)
    columns = tuple(column.name for column in constraint.columns)
    targets = tuple(element.column.name for element in constraint.elements)
    action = f" ON DELETE {constraint.ondelete}" if constraint.ondelete else ""
    letters = {"CASCADE": "c", "RESTRICT": "r", "SET NULL": "n", "SET DEFAULT": "d"}
    return ForeignKey(
        str(constraint.name or fit(f"{table.name}_{'_'.join(columns)}", "_fkey")),
        table,
        columns,
        referenced,
        targets,
        f"FOREIGN KEY ({idents(columns)}) REFERENCES {referenced.sql} ({idents(targets)}){action}",
        on_delete=letters.get((constraint.ondelete or "").upper(), "a"),
    )
