"""Policies of archives, and what is known of partitions that went."""

from __future__ import annotations

import json
from collections.abc import Collection
from functools import partial

from sqlalchemy import Connection

from schema_kit.catalog.privileges import OWNER, Right, missing
from schema_kit.catalog.rights import of_record
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

NOW = """
SELECT n.nspname, c.relname, pn.nspname, p.relname, pg_get_expr(c.relpartbound, c.oid)
FROM unnest(%(schemas)s::text[], %(names)s::text[]) w (schema, name) JOIN pg_namespace n ON n.nspname = w.schema
JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = w.name AND c.relkind IN ('r', 'p', 'f')
LEFT JOIN pg_inherits h ON h.inhrelid = c.oid AND c.relispartition LEFT JOIN pg_class p ON p.oid = h.inhparent
LEFT JOIN pg_namespace pn ON pn.oid = p.relnamespace
"""


def policies(connection: Connection) -> tuple[ArchivePolicy, ...]:
    """Return all of them. Call it while observing, where their table is."""
    return tuple(_policy(*row) for row in rows(connection, _POLICIES))


def _policy(row: dict[str, object], beside_cold: bool) -> ArchivePolicy:
    def text(name: str) -> str | None:
        value = row.get(name)
        return None if value is None else str(value)

    tree, restored = row.get("tree"), row.get("restored")
    return ArchivePolicy(
        QualifiedName.parse(str(row["table_name"])),
        QualifiedName.parse(str(row["archive_table"])),
        text("archive_after"),
        str(row["way"]),
        text("control"),
        text("condition"),
        text("archived_at"),
        None if tree is None else json.dumps(tree, sort_keys=True),
        tuple(map(str, restored)) if isinstance(restored, list) else (),
        None if row.get("max_rows") is None else int(str(row["max_rows"])),
        text("access_method"),
        text("cold_after"),
        beside_cold,
    )


def moved(connection: Connection) -> tuple[Moved, ...]:
    """Return what archived_partition knows. Call it while observing, where that is."""
    known = rows(connection, _MOVED)
    names = [QualifiedName.parse(row[0]) for row in known]
    at = {"schemas": [name.schema for name in names], "names": [name.name for name in names]}
    now = {QualifiedName(*row[:2]): row[2:] for row in rows(connection, NOW, at)}
    found = []
    for name, (_, table, archive, bounds, goes_to, since) in zip(names, known, strict=True):
        above_schema, above, own = now.get(name, (None, None, None))
        ends = parse_bounds(bounds)
        found.append(
            Moved(
                name,
                QualifiedName.parse(table),
                QualifiedName.parse(archive),
                *ends,
                QualifiedName.parse(goes_to),
                since,
                QualifiedName(above_schema, above) if above else None,
                name in now and (own is None or parse_bounds(own) == ends),
            )
        )
    return tuple(found)


def missing_rights(connection: Connection, owned: Collection[QualifiedName]) -> tuple[str, ...]:
    """What the role lacks to write our tables, and to change tables that belong to others; each with what grants it."""
    records = [right for own in (ARCHIVE_POLICY, ARCHIVED_PARTITION) for right in of_record(connection, own)]
    needed = (*records, *(Right(name, OWNER) for name in owned))
    return missing(partial(rows, connection), needed)
