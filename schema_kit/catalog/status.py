"""Updates in batches that are not over."""

from __future__ import annotations

from sqlalchemy import Connection

from schema_kit.catalog.session import observing, rows
from schema_kit.storage import BATCH_PROGRESS


def batches_under_way(connection: Connection) -> list[str]:
    """Return each with its table and how many rows it has seen; none where batch_progress cannot be read."""
    there = (
        "SELECT 1 FROM pg_class WHERE oid = to_regclass(%(name)s) AND has_schema_privilege(relnamespace, 'USAGE') "
        "AND has_table_privilege(oid, 'SELECT')"
    )
    with observing(connection):
        if not rows(connection, there, {"name": BATCH_PROGRESS.sql}):
            return []
        found = rows(
            connection,
            f"SELECT name, table_name, rows_seen FROM {BATCH_PROGRESS.sql} WHERE finished_at IS NULL ORDER BY 1",
        )
    return [f"{name} on {table} ({seen:,} rows seen)" for name, table, seen in found]
