"""Commits of the manifest: which rows lie in which file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import ClassVar

from schema_kit.model import ArchiveFile
from schema_kit.names import QualifiedName, literal
from schema_kit.steps.partitions import CONFIG_SCHEMA
from schema_kit.steps.step import Step, Transaction

ARCHIVE_FILE = QualifiedName(CONFIG_SCHEMA, "archive_file")
ARCHIVE_FILE_DUE = QualifiedName(CONFIG_SCHEMA, "archive_file_due")


@dataclass(frozen=True)
class CreateArchiveFile(Step):
    """The manifest, from sql/tables/archive_file.sql."""

    transaction: ClassVar[Transaction] = Transaction.SHARED

    statements: tuple[str, ...]

    @property
    def summary(self) -> str:
        """Names the table."""
        return f"create {ARCHIVE_FILE}"

    def sql(self) -> tuple[str, ...]:
        """IF NOT EXISTS throughout."""
        return self.statements


@dataclass(frozen=True)
class RecordDue(Step):
    """The row that says that a partition is about to be detached for a file, so that the next run finds it again."""

    transaction: ClassVar[Transaction] = Transaction.SHARED
    once: ClassVar[bool] = True

    parent: QualifiedName
    name: QualifiedName

    @property
    def summary(self) -> str:
        """Names the partition."""
        return f"record that {self.name} leaves {self.parent} for a file"

    def sql(self) -> tuple[str, ...]:
        """One row."""
        values = (f"{literal(self.name.sql)}::pg_catalog.regclass", literal(str(self.name)), literal(str(self.parent)))
        return (
            f"INSERT INTO {ARCHIVE_FILE_DUE.sql} (table_oid, table_name, parent_table) VALUES ({', '.join(values)}) "
            "ON CONFLICT (table_oid) DO UPDATE SET (table_name, parent_table) = (excluded.table_name, "
            "excluded.parent_table)",
        )


@dataclass(frozen=True)
class RecordFile(Step):
    """The row that says what lies in a file, which is complete and was read back.

    Args:
        file: what lies where.
        drops: whether the table goes in the same commit.
    """

    transaction: ClassVar[Transaction] = Transaction.SHARED
    once: ClassVar[bool] = True

    file: ArchiveFile
    drops: bool = False

    @property
    def summary(self) -> str:
        """Names the file and the table."""
        return f"record {self.file.url} with {self.file.rows:,} rows of {self.file.table}"

    def sql(self) -> tuple[str, ...]:
        """A file that was registered before begins anew: its rows are where they are now."""
        file = self.file
        columns = [dict(zip(("name", "type", "stored", "checksum"), column, strict=True)) for column in file.columns]
        values = {
            "file_url": literal(file.url),
            "table_name": literal(str(file.table)),
            "table_oid": str(file.oid),
            "parent_table": _text(str(file.parent) if file.parent else None),
            "control": _text(file.control),
            "lower_bound": _text(file.lower),
            "upper_bound": _text(file.upper),
            "format": literal(file.format),
            "row_count": str(file.rows),
            "byte_count": str(file.bytes),
            "sha256": literal(file.sha256),
            "columns": literal(json.dumps(columns, ensure_ascii=False)),
            "dropped_at": "now()" if self.drops else "NULL",
            "restored_at": "NULL",
            "restored_to": "NULL",
        }
        anew = ", ".join(f"{name} = excluded.{name}" for name in values if name != "file_url")
        return (
            f"INSERT INTO {ARCHIVE_FILE.sql} ({', '.join(values)}) VALUES ({', '.join(values.values())}) "
            f"ON CONFLICT (file_url) DO UPDATE SET {anew}, written_at = now()",
            *((f"DELETE FROM {ARCHIVE_FILE_DUE.sql} WHERE table_oid = {file.oid}",) if self.drops else ()),
        )


@dataclass(frozen=True)
class RecordRestored(Step):
    """The rows of a file are back in the database."""

    transaction: ClassVar[Transaction] = Transaction.SHARED
    once: ClassVar[bool] = True

    url: str
    to: QualifiedName

    @property
    def summary(self) -> str:
        """Names the file and the table."""
        return f"record that the rows of {self.url} are in {self.to}"

    def sql(self) -> tuple[str, ...]:
        """One row."""
        return (
            f"UPDATE {ARCHIVE_FILE.sql} SET restored_at = now(), restored_to = {literal(str(self.to))} "
            f"WHERE file_url = {literal(self.url)}",
        )


def _text(value: str | None) -> str:
    return "NULL" if value is None else literal(value)
