"""pg_partman's functions in pgTAP, and what plpgsql_check says of them, where the server has both extensions."""

from __future__ import annotations

import os
from pathlib import Path

import psycopg
import pytest

from schema_kit.sqlscripts import split
from tests.support.database import Database
from tests.support.partman import installed

pytestmark = [pytest.mark.partman, pytest.mark.majors]

FILES = sorted((Path(__file__).parents[1] / "partman").glob("*.sql"))

_CHECK = """
SELECT p.proname, c FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
CROSS JOIN LATERAL plpgsql_check_function(p.oid, CASE WHEN p.prorettype <> 'trigger'::regtype THEN 0
  ELSE ('partman.' || substr(p.proname, length('_write_') + 1))::regclass END) c
WHERE p.pronamespace = 'partman'::regnamespace AND l.lanname = 'plpgsql'
"""


def extension(database: Database, name: str, package: str) -> None:
    """Have an extension, or skip; a failure where the environment says that it exists."""
    if not database.sql(f"SELECT 1 FROM pg_available_extensions WHERE name = '{name}'"):
        if os.environ.get("SCHEMA_KIT_PARTMAN"):
            pytest.fail(f"this server has no {name}")
        pytest.skip(f"this server has no {name}: Debian's {package}")
    database.sql(f"CREATE EXTENSION {name} SCHEMA public")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_in_pgtap(database: Database, path: Path) -> None:
    extension(database, "pgtap", "postgresql-15-pgtap")
    installed(database)
    lines = []
    with psycopg.connect(database.url) as connection:
        for statement in split(path.read_text(encoding="utf-8")):
            cursor = connection.execute(statement.encode())
            lines += [str(row[0]) for row in cursor.fetchall()] if cursor.description else []
        connection.rollback()
    told = [line for line in lines if line.startswith(("ok", "not ok", "#"))]
    assert [line for line in told if not line.startswith("ok")] == []
    plan = next(line for line in lines if line.startswith("1.."))
    assert len(told) == int(plan.removeprefix("1.."))


def test_plpgsql_check_finds_nothing(database: Database) -> None:
    extension(database, "plpgsql_check", "postgresql-15-plpgsql-check")
    assert installed(database).sql(_CHECK) == []
