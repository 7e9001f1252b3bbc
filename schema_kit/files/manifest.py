"""What the database knows of files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from schema_kit.catalog.nouns import noun
from schema_kit.catalog.session import observing, rows
from schema_kit.model import ArchiveFile, Stored
from schema_kit.names import QualifiedName
from schema_kit.steps import Plan
from schema_kit.steps.storage import EnsureTable
from schema_kit.storage import ARCHIVE_FILE, ARCHIVE_FILE_DUE

_FILES = f"""
SELECT file_url AS url, table_name, table_oid::bigint AS oid, parent_table, control, lower_bound AS lower,
       upper_bound AS upper, format, row_count AS rows, byte_count AS bytes, sha256, columns, written_at AS written,
       dropped_at AS dropped, restored_at AS restored, restored_to
FROM {ARCHIVE_FILE.sql} ORDER BY coalesce(parent_table, table_name), table_name, written_at, file_url
"""


_DUE = f"SELECT table_name FROM {ARCHIVE_FILE_DUE.sql} WHERE parent_table = %(parent)s ORDER BY 1"

_DETACHED = """
SELECT EXISTS (
  SELECT 1 FROM pg_class WHERE oid = to_regclass(%(name)s) AND NOT relispartition AND relkind IN ('r', 'p'))
"""

_CURRENT = """
SELECT to_regclass(%(name)s) IS NOT NULL, to_regclass(%(name)s) IS NOT NULL AND NOT EXISTS (
  SELECT 1 FROM pg_attribute WHERE attrelid = to_regclass(%(name)s) AND attname = 'table_oid' AND NOT attisdropped)
"""


def exists(connection: Connection, name: QualifiedName = ARCHIVE_FILE) -> bool:
    """Return whether there is a manifest."""
    with observing(connection):
        return bool(rows(connection, "SELECT to_regclass(%(n)s) IS NOT NULL", {"n": name.sql})[0][0])


def due(connection: Connection, parent: QualifiedName) -> tuple[QualifiedName, ...]:
    """Return what was detached from a table to be written to a file, and exists still."""
    if not exists(connection, ARCHIVE_FILE_DUE):
        return ()
    with observing(connection):
        known = [QualifiedName.parse(row[0]) for row in rows(connection, _DUE, {"parent": str(parent)})]
        return tuple(name for name in known if rows(connection, _DETACHED, {"name": name.sql})[0][0])


def read(connection: Connection, tables: Sequence[QualifiedName] = ()) -> tuple[ArchiveFile, ...]:
    """Return the files of those tables, or of tables that were their partitions; all, where none is named."""
    if not exists(connection):
        return ()
    with observing(connection):
        found = [_file(row) for row in rows(connection, _FILES)]
    return tuple(file for file in found if not tables or file.table in tables or file.parent in tables)


def _file(row: Any) -> ArchiveFile:
    parse = QualifiedName.parse
    return noun(
        ArchiveFile,
        row,
        table=parse(row.table_name),
        parent=parse(row.parent_table) if row.parent_table else None,
        columns=tuple((c["name"], c["type"], c["stored"], c["checksum"]) for c in row.columns),
        restored_to=parse(row.restored_to) if row.restored_to else None,
    )


def creation(connection: Connection) -> Plan:
    """Make the manifest, where there is none, or bring it up to date."""
    with observing(connection):
        stored = Stored.of(*rows(connection, _CURRENT, {"name": ARCHIVE_FILE_DUE.sql})[0])  # the last that is made
    steps = () if stored else (EnsureTable(ARCHIVE_FILE, stored),)
    return Plan("keep a manifest of files", steps)
