"""What the database knows of files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from schema_kit.catalog.session import observing, rows
from schema_kit.model import ArchiveFile
from schema_kit.names import QualifiedName
from schema_kit.sqlscripts import load
from schema_kit.steps import Plan
from schema_kit.steps.files import ARCHIVE_FILE, ARCHIVE_FILE_DUE, CreateArchiveFile

_FILES = f"""
SELECT file_url, table_name, table_oid::bigint, parent_table, control, lower_bound, upper_bound, format, row_count,
       byte_count, sha256, columns, written_at, dropped_at, restored_at, restored_to
FROM {ARCHIVE_FILE.sql} ORDER BY coalesce(parent_table, table_name), table_name, written_at, file_url
"""


_DUE = f"""
SELECT n.nspname, c.relname FROM {ARCHIVE_FILE_DUE.sql} d JOIN pg_class c ON c.oid = d.table_oid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE d.parent_table = %(parent)s AND NOT c.relispartition ORDER BY c.oid
"""


def exists(connection: Connection, name: QualifiedName = ARCHIVE_FILE) -> bool:
    """Whether there is a manifest."""
    with observing(connection):
        return bool(rows(connection, "SELECT to_regclass(%(n)s) IS NOT NULL", {"n": name.sql})[0][0])


def due(connection: Connection, parent: QualifiedName) -> tuple[QualifiedName, ...]:
    """What was detached from a table to be written to a file, and is there still."""
    if not exists(connection, ARCHIVE_FILE_DUE):
        return ()
    with observing(connection):
        return tuple(QualifiedName(*row) for row in rows(connection, _DUE, {"parent": str(parent)}))


def read(connection: Connection, tables: Sequence[QualifiedName] = ()) -> tuple[ArchiveFile, ...]:
    """The files of those tables, or of tables that were their partitions; all, where none is named."""
    if not exists(connection):
        return ()
    with observing(connection):
        found = [_file(row) for row in rows(connection, _FILES)]
    return tuple(file for file in found if not tables or file.table in tables or file.parent in tables)


def _file(row: Any) -> ArchiveFile:
    (
        url,
        table,
        oid,
        parent,
        control,
        lower,
        upper,
        form,
        count,
        size,
        sha256,
        columns,
        written,
        dropped,
        restored,
        to,
    ) = row
    return ArchiveFile(
        url,
        QualifiedName.parse(table),
        oid,
        QualifiedName.parse(parent) if parent else None,
        control,
        lower,
        upper,
        form,
        count,
        size,
        sha256,
        tuple((c["name"], c["type"], c["stored"], c["checksum"]) for c in columns),
        written,
        dropped,
        restored,
        QualifiedName.parse(to) if to else None,
    )


def creation(connection: Connection) -> Plan:
    """Make the manifest, where there is none."""
    there = exists(connection, ARCHIVE_FILE_DUE)  # the last that is made
    steps = () if there else (CreateArchiveFile(load("tables/archive_file.sql")),)
    return Plan("keep a manifest of files", steps)
