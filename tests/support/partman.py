"""pg_partman's functions in SQL, installed in a database of a test."""

from __future__ import annotations

from typing import Any

import psycopg

from schema_kit.ops.operation import task
from schema_kit.sqlscripts import PARTMAN
from schema_kit.tasks.partman import install
from tests.support.database import Database


def installed(database: Database, schema: str = PARTMAN) -> Database:
    """The functions, in a schema, and a schema s for tables."""
    database.run(task(install, schema))
    database.sql("CREATE SCHEMA IF NOT EXISTS s")
    return database


def children(database: Database, parent: str) -> dict[str, str]:
    """The partitions of a table with their bounds, by name, as UTC has them."""
    with psycopg.connect(database.url, autocommit=True, options="-c TimeZone=UTC") as connection:
        rows = connection.execute(
            "SELECT c.relname, pg_get_expr(c.relpartbound, c.oid) FROM pg_inherits i "
            "JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = to_regclass(%s) ORDER BY 1",
            [parent],
        ).fetchall()
    return dict(rows)


def as_role(database: Database, role: str, *statements: str, **settings: str) -> list[tuple[Any, ...]]:
    """Send statements as a role that is not a superuser, with settings of the session; the rows of the last one."""
    with psycopg.connect(database.url, autocommit=True) as connection:
        for name, value in settings.items():
            connection.execute("SELECT set_config(%s, %s, false)", [name, value])
        connection.execute(f'SET ROLE "{role}"'.encode())
        cursor = connection.cursor()
        for statement in statements:
            cursor.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []
