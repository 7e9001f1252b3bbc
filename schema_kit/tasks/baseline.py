"""What a migration pack stands on: tables that may be there already, extensions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress

from schema_kit.errors import PlanError, refuse_for
from schema_kit.model import BaselineObject, BaselineTable, Table
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


def create(database: Database, tables: tuple[BaselineTable, ...], objects: tuple[BaselineObject, ...]) -> Plan:
    """Make the tables, types and sequences that are missing, and compare the others."""
    observed = {table.table.name: database.table(table.table.name) for table in tables}
    _refuse_unknown_types(database, [table.table for table in tables if observed[table.table.name] is None], objects)
    schemas = {name.schema for name in (*observed, *(one.name for one in objects))}
    return baseline.create_baseline(
        tables,
        observed,
        {schema for schema in schemas if database.has_schema(schema)},
        database.exists(CREATED_OBJECT),
        {one: database.unlike(one) for one in objects},
        dict(_printed(database, tables, observed)),
    )


def _refuse_unknown_types(database: Database, tables: Iterable[Table], objects: Iterable[BaselineObject]) -> None:
    """Refuse columns whose type neither exists nor is made here, before anything is made."""
    made = {_bare(str(one.name)) for one in objects}
    columns = [(table, one) for table in tables for one in table.columns if _bare(one.type) not in made]
    unknown = database.unknown_types(tuple({one.type for _, one in columns}))
    refuse_for(
        "create the baseline",
        [
            f"{table.name}.{column.name} is of {column.type}, which does not exist, and SQLAlchemy does not say how to "
            f'create it: an earlier revision can, op.execute("CREATE TYPE {column.type} ...")'
            for table, column in columns
            if column.type in unknown
        ],
    )


def _bare(type_: str) -> str:
    return type_.replace('"', "").removesuffix("[]")


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


def drop(database: Database, tables: tuple[BaselineTable, ...], objects: tuple[BaselineObject, ...]) -> Plan:
    """Drop the tables that migrations made."""
    created = database.created()
    own = {table.table.name for table in tables if str(table.table.name) in created["table"]}
    there = [table for name in own if (table := database.table(name))]
    made = {table.table.name.name for table in tables} | {one.name.name for one in objects}
    made |= {sequence.name.name for table in there for sequence in table.sequences}
    schemas = {name.schema for name in (*(t.table.name for t in tables), *(one.name for one in objects))}
    return baseline.drop_baseline(
        tables,
        created,
        {name for name in own if database.exists(name) and database.has_rows(name)},
        {schema: database.relations_in(schema) - made for schema in schemas},
        database.exists(CREATED_OBJECT),
        database.alone_in_config_schema(CREATED_OBJECT),
        objects,
        {(table.name, key.name) for table in there for key in table.foreign_keys},
    )
