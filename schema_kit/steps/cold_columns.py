"""Commits that give a cold archive, and its tables on the server, the columns that its archive has got."""

from __future__ import annotations

from dataclasses import dataclass

from schema_kit.model import ColdArchive, ColdColumn, ColdTable
from schema_kit.names import QualifiedName, ident, literal
from schema_kit.steps.cold import soon
from schema_kit.steps.files import TEXTS
from schema_kit.steps.step import Lock, Step, exclusive
from schema_kit.storage import COLD_PARTITION


@dataclass(frozen=True)
class AddColumnThere(Step):
    """Tables on the server get a column; their rows get the archive's default, as it reads at this moment.

    Args:
        tables: they are on one server.
        column: the column.
        default: of the archive, the same for each row; None: NULL.
    """

    settings = TEXTS
    left_behind = "Nothing has changed here; the tables on the server may have the column already."
    tables: tuple[ColdTable, ...]
    column: ColdColumn
    default: str | None = None

    @property
    def summary(self) -> str:
        """Name the server."""
        return f"add column {self.column.name} to tables on server {self.tables[0].server}"

    def sql(self) -> tuple[str, ...]:
        """The server commits all of them or none, and keeps to the lock budget; some may have the column."""
        column = self.column.there.replace("%", "%%")
        each = "; ".join(
            f"ALTER TABLE {table.name.sql.replace('%', '%%')} ADD COLUMN IF NOT EXISTS {column} DEFAULT %1$L"
            for table in self.tables
        )
        value = f"(({self.default or 'NULL'})::{self.column.type})::text"
        link, server = ident(self.tables[0].link), literal(self.tables[0].server)
        sent = f"{literal(f'SET lock_timeout = %2$L; {each}')}, {value}, pg_catalog.current_setting('lock_timeout')"
        return soon(f"SELECT {link}.dblink_exec({server}, pg_catalog.format({sent}))")


@dataclass(frozen=True)
class AddColumnsHere(Step):
    """The cold archive and its foreign tables get columns that the tables on the server have.

    Checksums of what went there stay those of the columns that it had.

    Args:
        archive: the cold archive.
        partitions: its foreign tables.
        columns: the new columns.
        had: the columns that it has.
    """

    within_budget = True  # LOCK TABLE takes no foreign tables
    says = "add columns to {self.archive.cold} and its partitions: {self.named}"

    archive: ColdArchive
    partitions: tuple[QualifiedName, ...]
    columns: tuple[ColdColumn, ...]
    had: tuple[str, ...]

    @property
    def named(self) -> str:
        """The new columns."""
        return ", ".join(column.name for column in self.columns)

    @property
    def locks(self) -> tuple[Lock, ...]:
        """Readers of the cold archive wait, briefly."""
        return exclusive((self.archive.cold, *self.partitions))

    def sql(self) -> tuple[str, ...]:
        """What is being copied back is copied again."""
        columns = ", ".join(f"ADD COLUMN {column.here}" for column in self.columns)
        had = ", ".join(map(literal, self.had))
        return (
            f"ALTER TABLE {self.archive.cold.sql} {columns}",
            f"UPDATE {COLD_PARTITION.sql} SET summed = coalesce(summed, ARRAY[{had}]), copied_at = NULL "
            f"WHERE table_name = {literal(str(self.archive.table))} AND moved_at IS NOT NULL",
        )
