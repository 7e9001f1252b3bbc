"""What has a name that stands for something else than it should."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from schema_kit.catalog.session import rows
from schema_kit.errors import PlanError
from schema_kit.names import QualifiedName

_KIND = """
SELECT CASE WHEN c.relpersistence = 't' AND c.relkind IN ('r', 'p') THEN 'a temporary table'
            WHEN n.nspname IN ('pg_catalog', 'information_schema') AND c.relkind = 'r'
            THEN 'a table of the system catalog'
            ELSE (CASE c.relkind WHEN 'r' THEN 'a table' WHEN 'p' THEN 'a partitioned table' WHEN 'v' THEN 'a view'
                  WHEN 'm' THEN 'a materialized view' WHEN 'f' THEN 'a foreign table' WHEN 'S' THEN 'a sequence'
                  WHEN 'i' THEN 'an index' WHEN 'I' THEN 'a partitioned index' WHEN 'c' THEN 'a composite type'
                  WHEN 't' THEN 'a TOAST table' ELSE 'something else' END) END
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = to_regclass(%(name)s)
"""


def kind(connection: Connection, name: QualifiedName) -> str:
    """Return what the relation of that name is; empty where there is none. Call it while observing."""
    found = rows(connection, _KIND, {"name": name.sql})
    return str(found[0][0]) if found else ""


def refuse_others(connection: Connection, name: QualifiedName, wanted: str = "a table") -> None:
    """Raise, naming the kind of what has the name, where that is not a user's table. Call it while observing.

    Raises:
        PlanError: something else has the name.
    """
    found = kind(connection, name)
    if found and found not in (("a table", "a partitioned table") if wanted == "a table" else (wanted,)):
        raise PlanError(f"{name} is {found}, and this is for {wanted}.")


def found(connection: Connection, query: str, name: QualifiedName, **values: object) -> Any:
    """Return the row of a user's table, of a query by its %(schema)s and %(name)s; None where there is no such table.

    Raises:
        PlanError: something else has the name.
    """
    seen = rows(connection, query, {"schema": name.schema, "name": name.name, **values})
    if seen and not of_the_system(name):
        return seen[0]
    refuse_others(connection, name)
    return None


def of_the_system(name: QualifiedName) -> bool:
    """Return whether the name is one of PostgreSQL's own schemas', those of temporary tables among them."""
    return name.schema.startswith("pg_") or name.schema == "information_schema"
