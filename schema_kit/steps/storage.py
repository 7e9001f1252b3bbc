"""schema_kit's own tables, where they are missing or of an older version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from schema_kit.model import Stored
from schema_kit.names import QualifiedName, constant, ident
from schema_kit.sqlscripts import load
from schema_kit.steps.step import Lock, SharedStep, exclusive
from schema_kit.storage import ALTERED, CONFIG_SCHEMA, SCRIPTS


def upsert_sql(table: QualifiedName, values: Mapping[str, str | float | None]) -> str:
    """Write a row of an own table, which its first column identifies; bring one that exists up to date."""
    return written_sql(table, {column: constant(value) for column, value in values.items()})


def written_sql(table: QualifiedName, values: Mapping[str, str]) -> str:
    """Write a row whose values are SQL, likewise."""
    key, *others = values
    update = ", ".join(f"{column} = excluded.{column}" for column in others)
    return (
        f"INSERT INTO {table.sql} ({', '.join(values)}) VALUES ({', '.join(values.values())}) "
        f"ON CONFLICT ({key}) DO UPDATE SET {update}"
    )


@dataclass(frozen=True)
class EnsureTable(SharedStep):
    """One of schema_kit's own tables, from its file in sql/.

    Args:
        table: which one.
        stored: how it was observed.
    """

    table: QualifiedName
    stored: Stored = Stored.MISSING

    @property
    def summary(self) -> str:
        """What becomes of it."""
        return f"{'alter' if self.stored is Stored.OLDER else 'create'} {self.table}"

    @property
    def locks(self) -> tuple[Lock, ...]:
        """Of a table of an older version briefly."""
        altered = ALTERED.get(self.table, ()) if self.stored is Stored.OLDER else ()
        return exclusive(altered)

    def sql(self) -> tuple[str, ...]:
        """Each can run again."""
        return load(SCRIPTS[self.table])


def ensure(table: QualifiedName, stored: Stored) -> tuple[EnsureTable, ...]:
    """Return what makes an own table, or brings it up to date; nothing where it is as this version makes it."""
    return () if stored else (EnsureTable(table, stored),)


@dataclass(frozen=True)
class DropTables(SharedStep):
    """Own tables go that hold nothing any more, and their schema where nothing else is in it.

    Args:
        tables: which ones.
        title: what to show, where it is more than the first one's name.
        with_schema: nothing else is in it.
    """

    tables: tuple[QualifiedName, ...]
    title: str = ""
    with_schema: bool = False

    @property
    def summary(self) -> str:
        """The title, or the first table."""
        return self.title or f"drop {self.tables[0]}"

    @property
    def locks(self) -> tuple[Lock, ...]:
        """Only migrations and commands read them."""
        return exclusive(self.tables)

    def sql(self) -> tuple[str, ...]:
        """RESTRICT: nothing that depends on them is taken along."""
        drop = (f"DROP TABLE {', '.join(table.sql for table in self.tables)}",)
        return (*drop, f"DROP SCHEMA {ident(CONFIG_SCHEMA)}") if self.with_schema else drop
