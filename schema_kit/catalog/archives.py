"""Policies of archives, and what is known of partitions that went."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection

from schema_kit.catalog import present
from schema_kit.catalog.nouns import noun
from schema_kit.catalog.privileges import OWNER, Right
from schema_kit.catalog.rights import missing_of, of_record
from schema_kit.catalog.session import rows
from schema_kit.catalog.table import parse_bounds
from schema_kit.model import ArchivePolicy, Moved
from schema_kit.names import QualifiedName
from schema_kit.storage import ARCHIVE_POLICY, ARCHIVED_PARTITION, COLD_ARCHIVE

_POLICIES = f"""
SELECT to_jsonb(p), to_regclass('{COLD_ARCHIVE.sql}') IS NOT NULL FROM {ARCHIVE_POLICY.sql} p ORDER BY table_name
"""

_MOVED = f"""
SELECT partition_name, table_name, archive_table, bounds, goes_to, moved_at
FROM {ARCHIVED_PARTITION.sql} ORDER BY partition_name
"""


def policies(connection: Connection) -> tuple[ArchivePolicy, ...]:
    """Return all of them. Call it while observing, where their table is."""
    return tuple(_policy(*row) for row in rows(connection, _POLICIES))


def _policy(row: dict[str, Any], beside_cold: bool) -> ArchivePolicy:
    tree = row.get("tree")
    return noun(
        ArchivePolicy,
        row,
        table=QualifiedName.parse(row["table_name"]),
        archive=QualifiedName.parse(row["archive_table"]),
        tree=None if tree is None else json.dumps(tree, sort_keys=True),
        restored=tuple(row.get("restored") or ()),
        beside_cold=beside_cold,
    )


def moved(connection: Connection) -> tuple[Moved, ...]:
    """Return what archived_partition knows. Call it while observing, where that is."""
    known = rows(connection, _MOVED)
    names = [QualifiedName.parse(row[0]) for row in known]
    now = present.read(connection, names)
    found = []
    for name, (_, table, archive, bounds, goes_to, since) in zip(names, known, strict=True):
        own, ends = now.get(name), parse_bounds(bounds)
        found.append(
            Moved(
                name,
                QualifiedName.parse(table),
                QualifiedName.parse(archive),
                *ends,
                QualifiedName.parse(goes_to),
                since,
                own.parent if own else None,
                own is not None and (own.bounds is None or parse_bounds(own.bounds) == ends),
            )
        )
    return tuple(found)


def missing_rights(connection: Connection, owned: Collection[QualifiedName]) -> tuple[str, ...]:
    """What the role lacks to write our tables, and to change tables that belong to others; each with what grants it."""
    records = [right for own in (ARCHIVE_POLICY, ARCHIVED_PARTITION) for right in of_record(connection, own)]
    needed = (*records, *(Right(name, OWNER) for name in owned))
    return missing_of(connection, needed)
