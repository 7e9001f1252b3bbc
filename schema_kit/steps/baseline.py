"""Commits that make what is missing, remember that they made it, and drop only that."""

from __future__ import annotations

from dataclasses import dataclass

from schema_kit.model import BaselineObject, BaselineTable, ForeignKey
from schema_kit.names import QualifiedName, ident, literal
from schema_kit.steps.step import Lock, LockMode, OnTable, SharedStep, Step, refuse_sql
from schema_kit.storage import CREATED_OBJECT


def _remember(kind: str, name: str) -> str:
    return (
        f"INSERT INTO {CREATED_OBJECT.sql} (kind, name) VALUES ({literal(kind)}, {literal(name)}) "
        "ON CONFLICT DO NOTHING"
    )


def _forget(kind: str, name: str) -> str:
    return f"DELETE FROM {CREATED_OBJECT.sql} WHERE kind = {literal(kind)} AND name = {literal(name)}"


@dataclass(frozen=True)
class CreateSchema(Step):
    """A schema that was missing."""

    says = "create schema {self.schema}"

    schema: str

    def sql(self) -> tuple[str, ...]:
        """The schema and its line in the ledger, in one commit."""
        return (f"CREATE SCHEMA {ident(self.schema)}", _remember("schema", self.schema))


@dataclass(frozen=True)
class DropSchema(Step):
    """A schema that was made here and is empty again; one that holds something else is left, and forgotten."""

    schema: str
    empty: bool

    @property
    def summary(self) -> str:
        """Names it."""
        return f"drop schema {self.schema}" if self.empty else f"leave schema {self.schema}: others use it"

    def sql(self) -> tuple[str, ...]:
        """RESTRICT."""
        drop = (f"DROP SCHEMA {ident(self.schema)}",) if self.empty else ()
        return (*drop, _forget("schema", self.schema))


@dataclass(frozen=True)
class CreateObject(Step):
    """A type or a sequence that was missing."""

    says = "create {self.made.kind} {self.made.name}"

    made: BaselineObject

    @property
    def locks(self) -> tuple[Lock, ...]:
        """Only migrations read it."""
        return (Lock(LockMode.ACCESS_EXCLUSIVE, CREATED_OBJECT),)

    def sql(self) -> tuple[str, ...]:
        """The object and its line in the ledger, in one commit; a ledger of before may know neither."""
        return (
            self.made.create_sql(self.made.name),
            f"ALTER TABLE {CREATED_OBJECT.sql} DROP CONSTRAINT IF EXISTS created_object_kind_check",
            _remember(ledger_kind(self.made), str(self.made.name)),
        )


@dataclass(frozen=True)
class DropObject(Step):
    """A type or a sequence that was made here."""

    says = "drop {self.made.kind} {self.made.name}"

    made: BaselineObject

    def sql(self) -> tuple[str, ...]:
        """RESTRICT: a column that still uses it stops this."""
        return (
            f"DROP {self.made.word} IF EXISTS {self.made.name.sql}",
            _forget(ledger_kind(self.made), str(self.made.name)),
        )


def ledger_kind(made: BaselineObject) -> str:
    """Return the kind under which the ledger has it."""
    return "sequence" if made.kind == "sequence" else "type"


@dataclass(frozen=True)
class CreateTable(Step):
    """A plain table that was missing, and foreign keys of tables that were made before it.

    Args:
        table: the table.
        closing: those foreign keys, and the statements that add them.
    """

    says = "create table {self.table.table.name}"

    table: BaselineTable
    closing: tuple[tuple[ForeignKey, str], ...] = ()

    @property
    def locks(self) -> tuple[Lock, ...]:
        """A foreign key stops writes to the table that it refers to briefly."""
        later = {key.name for key, _ in self.table.later}
        ends = {key.referenced for key in self.table.table.foreign_keys if key.name not in later}
        ends |= {end for key, _ in self.closing for end in (key.table, key.referenced)}
        found = sorted(ends - {self.table.table.name})
        return tuple(Lock(LockMode.SHARE_ROW_EXCLUSIVE, table) for table in found)

    def sql(self) -> tuple[str, ...]:
        """The table and its line in the ledger, in one commit."""
        closing = tuple(statement for _, statement in self.closing)
        return (*self.table.create, *closing, _remember("table", str(self.table.table.name)))


@dataclass(frozen=True)
class DropTable(OnTable):
    """A table that was made here, and that is empty: looked at again under the lock."""

    says = "drop the empty table {self.table}"

    table: QualifiedName
    others: tuple[QualifiedName, ...]
    """Foreign keys make DROP lock the tables at their other end."""

    def sql(self) -> tuple[str, ...]:
        """A row that came in meanwhile stops it."""
        filled = f"EXISTS (SELECT 1 FROM {self.table.sql})"
        return (
            refuse_sql(filled, "object_in_use", f"{self.table} holds rows"),
            f"DROP TABLE {self.table.sql}",
            _forget("table", str(self.table)),
        )


@dataclass(frozen=True)
class CreateExtension(SharedStep):
    """An extension that was missing, in the schema public."""

    says = "create extension {self.extension}"

    extension: str

    def sql(self) -> tuple[str, ...]:
        """The extension and its line in the ledger, in one commit."""
        return (
            f"CREATE EXTENSION {ident(self.extension)} SCHEMA public",
            _remember("extension", self.extension),
        )


@dataclass(frozen=True)
class DropExtension(SharedStep):
    """An extension that was made here."""

    says = "drop extension {self.extension}"

    extension: str

    def sql(self) -> tuple[str, ...]:
        """RESTRICT: what still uses it stops this."""
        return (f"DROP EXTENSION {ident(self.extension)}", _forget("extension", self.extension))
