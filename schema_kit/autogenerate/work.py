"""What one run of autogenerate works on: Alembic's operations one by one, the tables as found, and what is said."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import sqlalchemy as sa
from alembic.autogenerate.api import AutogenContext
from alembic.operations import MigrateOperation, ops
from sqlalchemy.exc import CompileError, DBAPIError
from sqlalchemy.sql.elements import conv

from schema_kit.autogenerate.written import WrittenIndex, pair_of, paired
from schema_kit.catalog import Catalog
from schema_kit.catalog.compared import FoundTable, found
from schema_kit.catalog.direct import read_only
from schema_kit.errors import SchemaKitError
from schema_kit.model import IndexDeclaration
from schema_kit.ops.operation import PlanOperation
from schema_kit.tasks.indexes import classes_found

Key = tuple[str | None, str]
"""A table as Alembic names it: its schema, None for the default one, and its name."""

Value = TypeVar("Value")

SENTENCES = "schema_kit_sentences"
"""Among the options of a migration context: what was said, for `schema_kit diff`."""


@dataclass(frozen=True)
class Sentence:
    """What no operation says.

    Args:
        text: the sentence.
        difference: the models and the database differ; else it is not known whether they do.
    """

    text: str
    difference: bool = True


@dataclass
class Work:
    """The operations of one revision, and what they are judged by."""

    context: AutogenContext
    operations: list[MigrateOperation]
    """In their order, those of an existing table one by one."""
    models: dict[Key, sa.Table]
    """Those that env.py's filters leave."""
    tables: dict[Key, FoundTable]
    """The models' tables and those that operations name, where they exist."""
    printed: dict[tuple[Key, str], tuple[str, ...]] = field(default_factory=dict)
    """How PostgreSQL prints a declared index, by its name, or a check, by its text."""
    lacking: set[tuple[Key, str]] = field(default_factory=set)
    """What PostgreSQL could not print, since the same revision adds columns: it is not there yet."""
    created: set[str] = field(default_factory=set)
    """Types that the same revision creates, without quotes: a column of one cannot be tried yet."""
    changed: bool = False
    sentences: list[Sentence] = field(default_factory=list)
    _read_only: str | None = None

    @property
    def catalog(self) -> Catalog:
        """What is seen from Alembic's connection."""
        assert self.context.connection is not None
        return Catalog(self.context.connection)

    def key(self, schema: str | None, name: str) -> Key:
        """Return a table, in Alembic's words."""
        return (None if schema == self.context.dialect.default_schema_name else schema), name

    def add(self, operation: MigrateOperation) -> None:
        """One more operation, behind the others."""
        self.operations.append(operation)
        self.changed = True

    def put(self, operation: MigrateOperation, instead: Iterator[MigrateOperation] | list[MigrateOperation]) -> None:
        """Other operations, or none, in the place of one."""
        place = next(n for n, one in enumerate(self.operations) if one is operation)
        self.operations[place : place + 1] = instead
        self.changed = True

    def say(self, text: str, *, difference: bool = True) -> None:
        """Say what no operation can."""
        if (sentence := Sentence(text, difference)) not in self.sentences:
            self.sentences.append(sentence)
            logging.getLogger("schema_kit.autogenerate").warning("%s", text)

    def judged(self, what: str, ask: Callable[[], Value]) -> Value | None:
        """Return what PostgreSQL makes of a declaration, on an empty copy of its table; None if it cannot be asked."""
        if self._read_only is None:
            assert self.context.connection is not None
            self._read_only = read_only(self.context.connection)
        if self._read_only:
            reason = f"nothing can be tried on an empty copy of a table: {self._read_only}"
            self.say(f"Checks, predicates and expressions are not compared: {reason}.", difference=False)
            return None
        try:
            return ask()
        except (SchemaKitError, CompileError) as error:
            self.say(f"{what} is not compared: {error}", difference=False)
        except DBAPIError as error:
            self.say(f"{what} is not compared: {str(error.orig).strip()}", difference=False)
        return None

    def ask(self, key: Key, indexes: list[WrittenIndex], checks: list[str]) -> None:
        """Have PostgreSQL print declared indexes and checks of a table."""
        found, catalog = self.tables[key], self.catalog
        table, known = found.name, {*(one.tail for one in found.indexes), *(c.definition for c in found.constraints)}
        declared: dict[IndexDeclaration | str, tuple[str, str]] = {text: (f"check ({text})", text) for text in checks}
        for index in indexes:  # those whose operator classes exist
            what = f"index {table.sibling(index.name)}"
            seen = self.judged(what, partial(classes_found, index.declared(table), catalog))
            declared |= {seen: (what, index.name)} if seen else {}
        if not declared:
            return
        own = [one for one in declared if not isinstance(one, str)]
        answers = self.judged(f"what {table} has", lambda: catalog.several(table, own, checks, known)) or {}
        for one, answer in answers.items():
            what, name = declared[one]
            if isinstance(answer, tuple):
                self.printed[key, name] = answer
            elif self.of(ops.AddColumnOp, key):
                self.lacking.add((key, name))
            else:
                self.say(f"{what} is not compared: {answer}", difference=False)

    def included(self, thing: Any, name: str, kind: Any, key: Key, *, reflected: bool = False) -> bool:
        """Return whether env.py's filters leave it; a *reflected* thing only the database has."""
        schema, table = key
        parents: Any = {"schema_name": schema} | ({} if kind == "table" else {"table_name": table})
        return self.context.run_name_filters(name, kind, parents) and self.context.run_object_filters(
            thing, name, kind, reflected, None
        )

    def name(self, thing: sa.Constraint | sa.Index) -> str | None:
        """Return its name once it is made; one that a naming convention has made, or would change, stays as it is."""
        if thing.name is None:
            return None
        final = self.context.dialect.identifier_preparer.format_constraint(thing, _alembic_quote=False)
        if final is None:
            return None
        return conv(final) if isinstance(thing.name, conv) or str(thing.name) != str(final) else str(final)

    def existing(self) -> Iterator[tuple[Key, sa.Table, FoundTable]]:
        """Yield the models' tables that exist."""
        for key, table in self.models.items():
            if (found := self.tables.get(key)) and not self.of(ops.CreateTableOp, key):
                yield key, table, found

    def of(self, kinds: Any, key: Key) -> list[Any]:
        """Return the operations of some classes on one table."""
        return [one for one in self.operations if isinstance(one, kinds) and self.table_of(one) == key]

    def table_of(self, operation: MigrateOperation) -> Key | None:
        """Return the table that an operation of Alembic's or ours changes."""
        if isinstance(operation, PlanOperation):
            bound = operation.bound.arguments
            name = bound.get("table_name") or bound.get("source_table")
            return self.key(bound.get("schema") or bound.get("source_schema"), name) if name else None
        if isinstance(operation, ops.CreateForeignKeyOp):
            return self.key(operation.kw.get("source_schema"), operation.source_table)
        name = getattr(operation, "table_name", None)
        return self.key(getattr(operation, "schema", None), name) if name else None


def begin(context: AutogenContext, upgrade: ops.UpgradeOps, schemas: set[str | None], *, sizes: bool = False) -> Work:
    """Take Alembic's operations apart, and look at the tables.

    Args:
        context: Alembic's.
        upgrade: what it proposes.
        schemas: those that it compares.
        sizes: whether rows are estimated.
    """
    work = Work(context, list(_flat(upgrade)), {}, {})
    assert context.connection is not None
    tables = {work.key(table.schema, table.name): table for table in context.sorted_tables}
    version = (context.migration_context.version_table_schema, context.migration_context.version_table)
    work.models = {
        key: table
        for key, table in tables.items()
        if key[0] in schemas and key != version and work.included(table, table.name, "table", key)
    }
    named = {key for operation in work.operations if (key := work.table_of(operation))}
    keys = sorted(work.models.keys() | named, key=str)
    work.tables = {key: one for key, one in zip(keys, found(context.connection, keys, sizes=sizes), strict=True) if one}
    return work


def _flat(container: ops.OpContainer) -> Iterator[MigrateOperation]:
    for operation in container.ops:
        if isinstance(operation, ops.ModifyTableOps):
            yield from operation.ops
        else:
            yield operation


def finish(work: Work, upgrade: ops.UpgradeOps) -> None:
    """Give Alembic its operations back, those on one table together; ours by themselves, outside of a batch."""
    for operation in work.operations:
        if isinstance(operation, PlanOperation) and not pair_of(operation):
            with suppress(NotImplementedError):
                paired(operation, operation.reverse())
    if work.changed:
        upgrade.ops[:] = grouped(work.operations, work.table_of)


Grouping = Callable[[MigrateOperation], Key | None]
_TOP = (ops.CreateTableOp, ops.DropTableOp, ops.ExecuteSQLOp, ops.OpContainer, PlanOperation)


def grouped(operations: list[MigrateOperation], table_of: Grouping) -> list[MigrateOperation]:
    """Operations as Alembic nests them."""
    nested: list[MigrateOperation] = []
    for operation in operations:
        key = None if isinstance(operation, _TOP) or not _alembics(operation) else table_of(operation)
        last = nested[-1] if nested else None
        if key is None:
            nested.append(operation)
        elif isinstance(last, ops.ModifyTableOps) and (last.schema, last.table_name) == key:
            last.ops.append(operation)
        else:
            nested.append(ops.ModifyTableOps(key[1], [operation], schema=key[0]))
    return nested


def _alembics(operation: MigrateOperation) -> bool:
    return type(operation).__module__.startswith("alembic.")
