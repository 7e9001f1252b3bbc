"""The sample project in tests/sample/: what a user's looks like, up, down and up again, and by its offline script."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import psycopg
import pytest

import schema_kit.op
from schema_kit.sqlscripts import split
from tests.support.cli import alembic
from tests.support.database import Database
from tests.support.pack import catalog

pytestmark = [pytest.mark.pack, pytest.mark.offline, pytest.mark.majors, pytest.mark.libraries]

SAMPLE = Path(__file__).parents[1] / "sample"

MORE = """
SELECT 'enum', t.typname, e.enumlabel, (row_number() OVER (PARTITION BY t.oid ORDER BY e.enumsortorder))::text
FROM pg_enum e JOIN pg_type t ON t.oid = e.enumtypid
UNION ALL SELECT 'view', matviewname, '', definition || ispopulated FROM pg_matviews
UNION ALL SELECT 'index state', i.indexrelid::regclass::text, i.indrelid::regclass::text,
                 i.indisvalid::text || i.indisready || i.indisunique || coalesce(h.inhparent::regclass::text, '')
FROM pg_index i LEFT JOIN pg_inherits h ON h.inhrelid = i.indexrelid
WHERE i.indrelid::regclass::text !~ '^(pg_|information_schema)'
UNION ALL SELECT 'extension', extname, '', '' FROM pg_extension
UNION ALL SELECT 'table', relname, relkind::text, coalesce(pg_get_partkeydef(oid), '')
FROM pg_class WHERE relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname IN ('public', 'schema_kit'))
  AND relkind IN ('r', 'p', 'm', 'S') AND relname <> 'alembic_version'
"""


def everything(database: Database) -> set[tuple[str, ...]]:
    """The catalog, with the state of indexes, enums, views and extensions."""
    found = catalog(database) | {tuple(row) for row in database.sql(MORE)}
    return {row for row in found if not re.match("pg_(toast_)?temp_|alembic_version", row[1])}


def done(database: Database, *arguments: str) -> str:
    """Alembic in the project's folder; it has to succeed."""
    ended = alembic(database, "-x", "now=2026-11-21", *arguments, cwd=SAMPLE)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def rows(database: Database) -> list[tuple[str, int]]:
    """What is in the tables, as counts and sums."""
    return database.sql(
        "SELECT 'orders', sum(cents) FROM orders UNION ALL SELECT 'tokens', count(DISTINCT token) FROM orders "
        "UNION ALL SELECT 'events', count(*) FROM events UNION ALL SELECT 'customers', count(*) FROM customers "
        "UNION ALL SELECT 'sales', count(*) FROM sales ORDER BY 1"
    )


def test_each_operation_is_used() -> None:
    stub = ast.parse(Path(schema_kit.op.__file__).with_suffix(".pyi").read_text())
    offered = {node.name for node in stub.body if isinstance(node, ast.FunctionDef)}
    used = set()
    for revision in (SAMPLE / "migrations" / "versions").glob("*.py"):
        for node in ast.walk(ast.parse(revision.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                used.add(node.func.attr)
    of_a_cluster = {"distribute_table_concurrently", "undistribute_table"}  # refused without the extension citus
    of_two_servers = {"create_cold_archive", "drop_cold_archive"}
    assert offered - used == of_a_cluster | of_two_servers


@pytest.mark.exhaustive
def test_up_down_and_up_again(database: Database) -> None:
    empty = everything(database)
    done(database, "upgrade", "head")
    head, content = everything(database), rows(database)
    assert content == [("customers", 20), ("events", 60), ("orders", 126250), ("sales", 20), ("tokens", 100)]
    done(database, "downgrade", "base")
    left = everything(database) - empty
    # How far updates have come is remembered for good, so that none is ever repeated; so is what left its table.
    kept = re.compile("batch_progress|retired_partition|archive")
    assert {row for row in left if not kept.search(" ".join(row))} == {("schema", "schema_kit", "", "", "")}
    assert empty - everything(database) == set()
    done(database, "upgrade", "head")
    assert everything(database) == head
    assert rows(database) == content


@pytest.mark.deep
def test_each_revision_down_and_up_again(database: Database) -> None:
    done(database, "upgrade", "head")
    head = everything(database)
    done(database, "downgrade", "order_constraints")
    done(database, "upgrade", "head")
    assert everything(database) == head


@pytest.mark.exhaustive
def test_offline_script_makes_the_same_catalog(database: Database) -> None:
    script = done(database, "upgrade", "head", "--sql")
    with psycopg.connect(database.url, autocommit=True) as connection:
        for statement in split(script):
            connection.execute(statement.encode())
    offline, content = everything(database), rows(database)
    database.sql("DROP SCHEMA partman, public, schema_kit CASCADE", "CREATE SCHEMA public", "DROP PUBLICATION baskets")
    done(database, "upgrade", "head")
    assert rows(database) == content
    online = everything(database)
    assert offline - online == set()
    # The script's UPDATE is one statement, which has nothing to remember.
    assert {row for row in online - offline if "batch_progress" not in " ".join(row)} == set()
