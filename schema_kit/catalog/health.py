"""Findings of health that are ignored."""

from __future__ import annotations

from sqlalchemy import Connection

from schema_kit.catalog.session import rows
from schema_kit.model import IgnoredFinding
from schema_kit.storage import HEALTH_IGNORED


def ignored(connection: Connection) -> dict[IgnoredFinding, str]:
    """Return all rows of health_ignored that may be read, with their reasons. Call it while observing."""
    there = (
        "SELECT 1 FROM pg_class WHERE oid = to_regclass(%(name)s) AND has_schema_privilege(relnamespace, 'USAGE') "
        "AND has_table_privilege(oid, 'SELECT')"
    )
    if not rows(connection, there, {"name": HEALTH_IGNORED.sql}):
        return {}
    found = rows(connection, f"SELECT code, table_name, object_name, reason FROM {HEALTH_IGNORED.sql} ORDER BY 1, 2, 3")
    return {IgnoredFinding(*row[:3]): row[3] for row in found}
