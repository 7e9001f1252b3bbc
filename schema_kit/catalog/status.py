"""Updates in batches that are not over."""

from __future__ import annotations

from sqlalchemy import Connection

from schema_kit.catalog.present import readable
from schema_kit.catalog.session import observing, rows
from schema_kit.storage import BATCH_PROGRESS

_UNDER_WAY = f"SELECT name, table_name, rows_seen FROM {BATCH_PROGRESS.sql} WHERE finished_at IS NULL ORDER BY 1"


def batches_under_way(connection: Connection) -> list[str]:
    """Return each with its table and how many rows it has seen; none where batch_progress cannot be read."""
    with observing(connection):
        if not readable(connection, BATCH_PROGRESS):
            return []
        found = rows(connection, _UNDER_WAY)
    return [f"{name} on {table} ({seen:,} rows seen)" for name, table, seen in found]
