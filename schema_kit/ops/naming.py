"""Which table an operation's name means: the one that Alembic's own operation of the same words would change."""

from __future__ import annotations

import re
from collections.abc import Mapping
from copy import copy as copy_of
from functools import partial
from typing import Any

import sqlalchemy as sa
from alembic.ddl.impl import DefaultImpl
from alembic.ddl.postgresql import PostgresqlImpl
from alembic.operations import Operations
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.elements import conv

from schema_kit import execute
from schema_kit.catalog.search_path import RELATION, TYPE, schema_of
from schema_kit.errors import DeclarationError, PlanError
from schema_kit.from_sqlalchemy import from_sequences, native, own_type, sequences_of
from schema_kit.names import QualifiedName

OFFLINE_SCHEMA = "public"
"""What a name without a schema means in a script, which has no session to ask; the script begins by looking."""

SAME_SCHEMA = (
    "DO $$ BEGIN IF current_schema() IS DISTINCT FROM 'public' THEN RAISE EXCEPTION 'the default schema is %, and "
    "this script was written for public: run it with search_path = public', current_schema(); END IF; END $$"
)


def existing(operations: Operations, name: str, schema: str | None = None) -> QualifiedName:
    """Return a relation that exists: in *schema*, else where schema_translate_map or the session's search_path has it.

    Raises:
        DeclarationError: the database is not PostgreSQL, or the name cannot be one.
        PlanError: no schema of the search_path exists.
    """
    return _named(operations, name, schema, RELATION)


def existing_type(operations: Operations, name: str, schema: str | None = None) -> QualifiedName:
    """Return a type that exists, likewise."""
    return _named(operations, name, schema, TYPE)


def new(operations: Operations, name: str, schema: str | None = None) -> QualifiedName:
    """Return a relation that is to be made, whatever a later schema of the search_path has under that name."""
    return _named(operations, name, schema, None)


def placed(operations: Operations, table: sa.Table) -> None:
    """Give each table that a key of *table* refers to the schema in which it is: what stands for it is Alembic's."""
    for key in table.foreign_key_constraints:
        if key.referred_table is not table:
            name = existing(operations, key.referred_table.name, key.referred_table.schema)
            key.referred_table.schema = name.schema


def copied(operations: Operations, metadata: sa.MetaData) -> sa.MetaData:
    """Return the same tables, each in the schema in which it is to be made."""
    copy = sa.MetaData(naming_convention=metadata.naming_convention)
    schemas = {table.schema: new(operations, table.name, table.schema).schema for table in metadata.tables.values()}
    for table in metadata.tables.values():
        own = table.to_metadata(
            copy, schema=schemas[table.schema], referred_schema_fn=lambda *key: schemas.get(key[3], key[3])
        )
        own._prefixes = [*table._prefixes]  # UNLOGGED, which to_metadata leaves out
        named_as(own, table)
        for column, original in zip(own.columns, table.columns, strict=True):
            column.type = _placed_type(operations, original.type)
        from_sequences(own, partial(_placed_sequence, operations))
    copy._sequences.clear()
    for sequence in sequences_of(metadata):
        _placed_sequence(operations, sequence)._set_metadata(copy)
    return copy


def _placed_type(operations: Operations, type_: Any) -> Any:
    """Return an enum, a domain, or an array of one, in the schema in which it is to be made; any other as it is."""
    if own_type(type_) is None:
        return type_
    made = copy_of(native(type_))
    if isinstance(made, sa.ARRAY):
        made.item_type = _placed_type(operations, made.item_type)
        return made
    made.schema = existing_type(operations, str(made.name), made.schema).schema
    if isinstance(made, postgresql.DOMAIN):
        made.data_type = _placed_type(operations, made.data_type)
    return made


def _placed_sequence(operations: Operations, sequence: sa.Sequence) -> sa.Sequence:
    copy = sequence._copy()
    copy.schema = new(operations, sequence.name, sequence.schema).schema
    return copy


def named_as(own: sa.Table, original: sa.Table) -> None:
    """Give indexes and constraints the names that a convention gives the original's.

    One such as SQLAlchemy's own, ix_%(column_0_label)s, puts in the schema, which the original leaves out.
    """
    for mine, theirs in ((own.indexes, original.indexes), (own.constraints, original.constraints)):
        made = [(_made_of(one), one.name) for one in theirs if isinstance(one.name, conv)]
        names = {key: name for key, name in made if sum(other == key for other, _ in made) == 1}
        for one in mine:
            if isinstance(one.name, conv):
                one.name = names.get(_made_of(one), one.name)


def _made_of(one: Any) -> tuple[type, tuple[str, ...]]:
    return type(one), tuple(column.name for column in one.columns)


def translated(operations: Operations, schema: str | None) -> str | None:
    """Return what the connection's schema_translate_map makes of a schema that is named; None stays None."""
    return None if schema is None else _translations(operations).get(schema, schema)


def _translations(operations: Operations) -> Mapping[str | None, str | None]:
    context = operations.migration_context
    if context.as_sql or context.connection is None:
        return {}
    return context.connection.get_execution_options().get("schema_translate_map") or {}


def _named(operations: Operations, name: str, schema: str | None, query: str | None) -> QualifiedName:
    context = operations.migration_context
    refuse_elsewhere(context.dialect)
    connection = None if context.as_sql else context.connection
    schema = _translations(operations).get(schema, schema)
    if schema is not None:
        return QualifiedName(schema, name)
    if connection is None:
        if context.as_sql:
            _as_the_script_has_it(context.impl, name)
        return QualifiedName(OFFLINE_SCHEMA, name)
    try:
        return QualifiedName(schema_of(connection, name, query), name)
    except DBAPIError as error:
        raise execute.not_observed(error, connection) from error


_PATH = re.compile(
    r"(?:^|;)\s*SET\s+((?:SESSION\s+|LOCAL\s+)?search_path\s*(?:=|TO)|SCHEMA)\s*(?P<set>[^\s,;]+)"
    r"|\bset_config\s*\(\s*'search_path'\s*,\s*'(?P<called>[^',]*)|(?:^|;)\s*RESET\s+(?:search_path|ALL)\b",
    re.IGNORECASE | re.MULTILINE,
)
"""What sets the search_path of the session in which a script runs, and the first schema that it names."""


def _as_the_script_has_it(impl: DefaultImpl, name: str) -> None:
    elsewhere = impl.memo.get("schema_kit_elsewhere")
    if elsewhere is not None:
        raise PlanError(
            f"the script has set search_path to {elsewhere}, and --sql takes {name}, which has no schema, for a table "
            f"of {OFFLINE_SCHEMA}. Name its schema, or run it online."
        )
    if not impl.memo.get("schema_kit_same_schema"):
        impl.static_output(f"{SAME_SCHEMA};")
        impl.memo["schema_kit_same_schema"] = True


_BEGIN = "schema_kit_begin"


def _static_output(self: DefaultImpl, text: str) -> None:
    """What Alembic writes to a script; a search_path that is set there means other tables from now on.

    A BEGIN comes with what follows it: of a script that is refused, nothing is written.
    """
    if text == f"BEGIN{self.command_terminator}":
        self.memo[_BEGIN] = text
        return
    if begin := self.memo.pop(_BEGIN, None):
        _write(self, begin)
    for found in _PATH.finditer(text):
        first = (found["set"] or found["called"] or OFFLINE_SCHEMA).strip("'\"")
        self.memo["schema_kit_elsewhere"] = None if first in (OFFLINE_SCHEMA, "DEFAULT", "default") else first
        self.memo["schema_kit_same_schema"] = False
    _write(self, text)


_write: Any = PostgresqlImpl.static_output
PostgresqlImpl.static_output = _static_output  # type: ignore[method-assign]


def refuse_elsewhere(dialect: sa.Dialect) -> None:
    """Refuse a database that is not PostgreSQL."""
    if dialect.name != "postgresql":
        raise DeclarationError(f"schema_kit's operations are for PostgreSQL; this is {dialect.name}")
