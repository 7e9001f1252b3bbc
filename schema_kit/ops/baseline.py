"""Operations that a migration pack stands on: tables that may be there already, extensions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress

import sqlalchemy as sa
from alembic.operations import Operations

from schema_kit.errors import PlanError
from schema_kit.model import BaselineEnum, BaselineTable, Table
from schema_kit.names import QualifiedName
from schema_kit.ops.clauses import baseline_of
from schema_kit.ops.door import AnyCatalog, PlanOperation, register
from schema_kit.ops.naming import copied
from schema_kit.plans import baseline
from schema_kit.sqlscripts import load
from schema_kit.steps import Plan
from schema_kit.steps.baseline import CREATED_OBJECT

LEDGER_SCRIPT = "tables/created_object.sql"


@register("create_extension")
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


@register("drop_extension")
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
        return baseline.drop_extension(self.name, catalog.created(), catalog.alone_in_config_schema(CREATED_OBJECT))


@register("create_baseline")
class CreateBaselineOp(PlanOperation):
    """Make the tables that a pack starts from."""

    def __init__(self, tables: tuple[BaselineTable, ...], enums: tuple[BaselineEnum, ...] = ()) -> None:
        self.tables = tables
        self.enums = enums

    @classmethod
    def create_baseline(cls, operations: Operations, metadata: sa.MetaData) -> None:
        """Make each table of *metadata* where it is missing; compare it, and leave it, where it is there.

        Enums and comments come along; foreign keys in a circle are added when both tables are there. Types are
        compared as PostgreSQL prints them.

        Locks: a new foreign key takes SHARE ROW EXCLUSIVE on the table it refers to, for an instant, under the budget.

        Args:
            operations: given by Alembic.
            metadata: the tables, literally: a revision means tomorrow what it meant yesterday.

        Raises:
            PlanError: a table or an enum is there in another shape; each difference is named.
        """
        operations.invoke(cls(*baseline_of(copied(operations, metadata))))

    def plan(self, catalog: AnyCatalog) -> Plan:
        """Observe and decide."""
        observed = {table.table.name: catalog.table(table.table.name) for table in self.tables}
        schemas = {name.schema for name in (*observed, *(enum.name for enum in self.enums))}
        return baseline.create_baseline(
            self.tables,
            observed,
            {schema for schema in schemas if catalog.has_schema(schema)},
            catalog.exists(CREATED_OBJECT),
            load(LEDGER_SCRIPT),
            {enum: catalog.enum_labels(enum.name) for enum in self.enums},
            dict(_printed(catalog, self.tables, observed)),
        )


def _printed(
    catalog: AnyCatalog, tables: Iterable[BaselineTable], observed: Mapping[QualifiedName, Table | None]
) -> Iterator[tuple[tuple[QualifiedName, str], str]]:
    """How PostgreSQL prints the types that are spelled otherwise: those of extensions, enums, synonyms."""
    for table in tables:
        name = table.table.name
        if have := observed[name]:
            for column in table.table.columns:
                found = have.column(column.name)
                if found and found.type != column.type:
                    with suppress(PlanError):  # there is no such type: that is a difference
                        yield (name, column.name), catalog.column(name, column.type, None)[0]


@register("drop_baseline")
class DropBaselineOp(PlanOperation):
    """Drop the tables that a pack made."""

    def __init__(self, tables: tuple[BaselineTable, ...], enums: tuple[BaselineEnum, ...] = ()) -> None:
        self.tables = tables
        self.enums = enums

    @classmethod
    def drop_baseline(cls, operations: Operations, metadata: sa.MetaData) -> None:
        """Drop the tables that ``create_baseline`` made, if all of them are empty; leave all others.

        Args:
            operations: given by Alembic.
            metadata: the same tables.

        Raises:
            PlanError: a table that it made holds rows; nothing was dropped.
        """
        operations.invoke(cls(*baseline_of(copied(operations, metadata))))

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
            [enum.name for enum in self.enums],
            {(name, key.name) for name in own if (table := catalog.table(name)) for key in table.foreign_keys},
        )
