"""All that PostgreSQL prints of a table, to compare what is recreated with what it replaces."""

from __future__ import annotations

from sqlalchemy import Connection

from schema_kit.catalog.session import rows
from schema_kit.fingerprints.likeness import PROPERTIES
from schema_kit.model import Property
from schema_kit.names import QualifiedName


def read(connection: Connection, table: QualifiedName) -> tuple[Property, ...]:
    """Return the properties of a table and its dependent objects; none where it is missing. Call it while observing.

    Of a partitioned table, its own; partitions are tables of their own.
    """
    return tuple(Property(*row) for row in rows(connection, PROPERTIES, {"schema": table.schema, "name": table.name}))
