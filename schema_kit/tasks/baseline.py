"""What a migration pack stands on: tables that may be there already, extensions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress

from schema_kit.errors import PlanError
from schema_kit.model import BaselineEnum, BaselineTable, Table
from schema_kit.names import QualifiedName
from schema_kit.plans import baseline
from schema_kit.steps import Plan
from schema_kit.storage import CREATED_OBJECT
from schema_kit.tasks import Database


def create_extension(database: Database, name: str) -> Plan:
    """Install an extension where it is missing."""
    return baseline.create_extension(name, database.has_extension(name), database.exists(CREATED_OBJECT))


def drop_extension(database: Database, name: str) -> Plan:
    """Drop an extension that migrations installed."""
    return baseline.drop_extension(name, database.created(), database.alone_in_config_schema(CREATED_OBJECT))


def create(database: Database, tables: tuple[BaselineTable, ...], enums: tuple[BaselineEnum, ...]) -> Plan:
    """Make the tables that are missing, and compare the others."""
    observed = {table.table.name: database.table(table.table.name) for table in tables}
    schemas = {name.schema for name in (*observed, *(enum.name for enum in enums))}
    return baseline.create_baseline(
        tables,
        observed,
        {schema for schema in schemas if database.has_schema(schema)},
        database.exists(CREATED_OBJECT),
        {enum: database.enum_labels(enum.name) for enum in enums},
        dict(_printed(database, tables, observed)),
    )


def _printed(
    database: Database, tables: Iterable[BaselineTable], observed: Mapping[QualifiedName, Table | None]
) -> Iterator[tuple[tuple[QualifiedName, str], str]]:
    """Yield how PostgreSQL prints the types that are spelled otherwise: those of extensions, enums, synonyms."""
    for table in tables:
        name = table.table.name
        if have := observed[name]:
            for column in table.table.columns:
                found = have.column(column.name)
                if found and found.type != column.type:
                    with suppress(PlanError):  # there is no such type: that is a difference
                        yield (name, column.name), database.column(name, column.type, None)[0]


def drop(database: Database, tables: tuple[BaselineTable, ...], enums: tuple[BaselineEnum, ...]) -> Plan:
    """Drop the tables that migrations made."""
    created = database.created()
    own = {table.table.name for table in tables if str(table.table.name) in created["table"]}
    made = {name for table in tables for name in (table.table.name.name, *(s.name.name for s in table.table.sequences))}
    return baseline.drop_baseline(
        tables,
        created,
        {name for name in own if database.exists(name) and database.has_rows(name)},
        {name.schema: database.relations_in(name.schema) - made for name in (t.table.name for t in tables)},
        database.exists(CREATED_OBJECT),
        database.alone_in_config_schema(CREATED_OBJECT),
        [enum.name for enum in enums],
        {(name, key.name) for name in own if (table := database.table(name)) for key in table.foreign_keys},
    )
