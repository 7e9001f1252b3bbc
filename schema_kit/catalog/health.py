"""Findings of health that are ignored."""

from __future__ import annotations

from sqlalchemy import Connection

from schema_kit.catalog.present import readable
from schema_kit.catalog.session import rows
from schema_kit.model import IgnoredFinding
from schema_kit.storage import HEALTH_IGNORED


def ignored(connection: Connection) -> dict[IgnoredFinding, str]:
    """Return all rows of health_ignored that may be read, with their reasons. Call it while observing."""
    if not readable(connection, HEALTH_IGNORED):
        return {}
    found = rows(connection, f"SELECT code, table_name, object_name, reason FROM {HEALTH_IGNORED.sql} ORDER BY 1, 2, 3")
    return {IgnoredFinding(*row[:3]): row[3] for row in found}
