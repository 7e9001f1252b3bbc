"""The pack in migrations/, up and down over a populated database."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psycopg

from tests.postgres.conftest import Database

ROOT = Path(__file__).parents[2]

CATALOG = """
SELECT 'column', n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod) || a.attnotnull || a.attidentity::text
       || coalesce(pg_get_expr(d.adbin, d.adrelid), '')
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'v', 'S')
UNION ALL SELECT 'index', schemaname, tablename, indexname, indexdef FROM pg_indexes
UNION ALL SELECT 'constraint', n.nspname, c.relname, k.conname, pg_get_constraintdef(k.oid) || k.convalidated
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
UNION ALL SELECT 'trigger', n.nspname, c.relname, t.tgname, pg_get_triggerdef(t.oid)
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE NOT t.tgisinternal
UNION ALL SELECT 'partition', n.nspname, c.relname, '', pg_get_expr(c.relpartbound, c.oid)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relispartition AND c.relkind = 'r'
UNION ALL SELECT 'function', n.nspname, p.proname, '', p.prosrc
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
UNION ALL SELECT 'schema', nspname, '', '', '' FROM pg_namespace
UNION ALL SELECT 'comment', '', coalesce(c.relname, ''), d.objsubid::text, d.description
FROM pg_description d LEFT JOIN pg_class c ON c.oid = d.objoid AND d.classoid = 'pg_class'::regclass
"""


def catalog(database: Database) -> set[tuple[str, ...]]:
    """All that a user can see of the schemas that are not PostgreSQL's."""
    rows = database.sql(
        f"SELECT * FROM ({CATALOG}) x (kind, schema, relation, name, definition) "
        "WHERE schema NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND relation <> 'alembic_version' "
        "AND (kind <> 'comment' OR relation <> '')"
    )
    return set(rows)


def content(database: Database) -> dict[str, tuple[int, int]]:
    """Rows, and an order-independent checksum of the baseline's columns, for each table of the five systems."""
    from migrations.versions.baseline import metadata

    found = {}
    with psycopg.connect(database.url) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for table in metadata.sorted_tables:
            columns = ", ".join(f't."{column.name}"' for column in table.columns)
            name = f'"{table.schema}"."{table.name}"'
            checksum = f"coalesce(sum(hashtextextended(ROW({columns})::text, 0)::numeric), 0)::text"
            row = connection.execute(f"SELECT count(*), {checksum} FROM {name} t".encode()).fetchone()
            assert row is not None
            found[name] = row
    return found


def alembic(database: Database, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Alembic as a user runs it."""
    return subprocess.run(
        [sys.executable, "-m", "alembic", "-x", f"url={database.url}", *arguments],
        cwd=ROOT,
        env=os.environ | {"PYTHONWARNINGS": "error"},
        capture_output=True,
        text=True,
        check=False,
    )


def migrate(database: Database, *arguments: str) -> str:
    """Alembic, which has to succeed."""
    done = alembic(database, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stderr


def test_empty_up_and_down_leaves_nothing(database: Database) -> None:
    before = catalog(database)
    migrate(database, "upgrade", "head")
    assert "No new upgrade operations" in alembic(database, "check").stdout + alembic(database, "check").stderr
    migrate(database, "downgrade", "base")
    assert catalog(database) == before


def test_offline_script_makes_the_same_catalog(database: Database) -> None:
    script = alembic(database, "-x", "now=2026-11-21", "upgrade", "head", "--sql")
    assert script.returncode == 0, script.stderr
    with psycopg.connect(database.url, autocommit=True) as connection:
        from schema_kit.sqlscripts import split

        for statement in split(script.stdout):
            connection.execute(statement.encode())
    offline = catalog(database)
    migrate(database, "downgrade", "base")
    migrate(database, "-x", "now=2026-11-21", "upgrade", "head")
    assert offline == catalog(database)
