"""What has now the names that records remember."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from schema_kit.catalog.session import rows
from schema_kit.names import QualifiedName

_PRESENT = """
SELECT n.nspname, c.relname, c.oid::bigint, pg_get_expr(c.relpartbound, c.oid), pn.nspname, p.relname
FROM unnest(%(schemas)s::text[], %(names)s::text[]) w (schema, name) JOIN pg_namespace n ON n.nspname = w.schema
JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = w.name AND c.relkind IN ('r', 'p', 'f')
LEFT JOIN pg_inherits h ON h.inhrelid = c.oid AND c.relispartition LEFT JOIN pg_class p ON p.oid = h.inhparent
LEFT JOIN pg_namespace pn ON pn.oid = p.relnamespace
"""

_READABLE = """
SELECT n.nspname, c.relname
FROM unnest(%(schemas)s::text[], %(names)s::text[]) w (schema, name) JOIN pg_namespace n ON n.nspname = w.schema
JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = w.name
WHERE has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')
"""


@dataclass(frozen=True, slots=True)
class Present:
    """A table that exists.

    Args:
        oid: its oid.
        bounds: as a partition, as PostgreSQL prints them.
        parent: the table whose partition it is.
    """

    oid: int
    bounds: str | None
    parent: QualifiedName | None


def read(connection: Connection, names: Sequence[QualifiedName]) -> dict[QualifiedName, Present]:
    """Return those of the tables that exist, partitions and foreign tables among them. Call it while observing."""
    return {
        QualifiedName(schema, name): Present(oid, bounds, QualifiedName(above, parent) if parent else None)
        for schema, name, oid, bounds, above, parent in rows(connection, _PRESENT, in_arrays(names))
    }


def readable(connection: Connection, *tables: QualifiedName) -> frozenset[QualifiedName]:
    """Return those of the tables that exist and that the current role may read. Call it while observing."""
    return frozenset(QualifiedName(*row) for row in rows(connection, _READABLE, in_arrays(tables)))


def in_arrays(names: Sequence[QualifiedName]) -> dict[str, list[str]]:
    """Return schemas and names, as a query takes several of them."""
    return {"schemas": [name.schema for name in names], "names": [name.name for name in names]}
