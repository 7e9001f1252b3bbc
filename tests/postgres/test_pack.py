"""The pack in migrations/, up and down over a populated database."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import date

import psycopg

from tests.benchmarks import roundtrip
from tests.benchmarks.fill import fill
from tests.support.cli import ROOT
from tests.support.database import Database

CATALOG = """
SELECT 'column', n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod) || a.attnotnull
       || a.attidentity::text
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


def content(database: Database) -> dict[str, tuple[int, str]]:
    """Rows and checksums of the five systems."""
    return roundtrip.content(database.url)


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


def filled(database: Database, rows: int = 5000) -> None:
    """The five systems at baseline, with rows in them."""
    migrate(database, "upgrade", "baseline")
    with psycopg.connect(database.url) as connection:
        fill(connection, rows, date.today())


def test_no_row_is_lost_or_changed_up_down_and_up_again(database: Database) -> None:
    filled(database)
    rows, objects = content(database), catalog(database)
    migrate(database, "upgrade", "head")
    assert content(database) == rows
    head = catalog(database)
    migrate(database, "downgrade", "baseline")
    assert content(database) == rows
    assert catalog(database) == objects
    migrate(database, "upgrade", "head")
    assert content(database) == rows
    assert catalog(database) == head


def test_each_thai_word_is_found_by_the_trigram_index(database: Database) -> None:
    filled(database)
    migrate(database, "upgrade", "head")
    with psycopg.connect(database.url) as connection:
        connection.execute("SET enable_seqscan = off")
        query = "FROM line_support.conversation WHERE message LIKE '%ขอบคุณ%'"
        plan = "\n".join(row[0] for row in connection.execute(f"EXPLAIN SELECT * {query}".encode()))
        assert "Index Cond: (message ~~ '%ขอบคุณ%'::text)" in plan
        found = connection.execute(f"SELECT count(*) {query}".encode()).fetchone()
        connection.execute("SET enable_seqscan = on; SET enable_bitmapscan = off; SET enable_indexscan = off")
        assert found == connection.execute(f"SELECT count(*) {query}".encode()).fetchone()
        assert found is not None
        assert found[0] > 0


def test_baseline_leaves_what_is_there_and_its_downgrade_too(database: Database) -> None:
    database.sql(
        "CREATE SCHEMA line_support",
        "CREATE TABLE line_support.users (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, line_user_id text "
        "NOT NULL UNIQUE, display_name text, language text NOT NULL DEFAULT 'th', "
        "created_at timestamptz NOT NULL DEFAULT now(), last_seen_at timestamptz, own_column text)",
        "INSERT INTO line_support.users (line_user_id) VALUES ('U1')",
    )
    migrate(database, "upgrade", "head")
    assert database.sql("SELECT line_user_id FROM line_support.users") == [("U1",)]
    migrate(database, "downgrade", "base")
    assert database.sql("SELECT line_user_id FROM line_support.users") == [("U1",)]
    assert database.sql("SELECT count(*) FROM pg_tables WHERE schemaname = 'line_support'") == [(1,)]


def test_baseline_names_each_difference_and_changes_nothing(database: Database) -> None:
    database.sql("CREATE SCHEMA rag_chat", "CREATE TABLE rag_chat.user_sessions (id integer, user_id text)")
    before = catalog(database)
    refused = alembic(database, "upgrade", "head")
    assert refused.returncode != 0
    assert "rag_chat.user_sessions.id is integer, expected bigint" in refused.stderr
    assert "rag_chat.user_sessions has no column session_id (uuid)" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert catalog(database) == before


def test_downgrade_below_baseline_refuses_to_drop_rows(database: Database) -> None:
    filled(database, 3000)
    before = catalog(database)
    refused = alembic(database, "downgrade", "base")
    assert refused.returncode != 0
    assert "hold rows" in refused.stderr
    assert catalog(database) == before


def test_a_killed_upgrade_is_finished_by_the_next_one(database: Database) -> None:
    """Kill -9, again and again, each time a few steps farther; then compare with an undisturbed run."""
    filled(database)
    rows, baseline = content(database), catalog(database)
    kills = 0
    while _killed_after(database, steps=15 + kills % 13, milliseconds=kills % 5 * 4):
        kills += 1
        assert kills < 200, "no progress"
    assert kills > 20
    head = catalog(database)
    assert content(database) == rows
    migrate(database, "downgrade", "baseline")
    assert catalog(database) == baseline
    migrate(database, "upgrade", "head")
    assert catalog(database) == head


def _killed_after(database: Database, steps: int, milliseconds: int) -> bool:
    """Start an upgrade and kill it a little after its *steps*-th step begins; False if it ended before that."""
    process = subprocess.Popen(
        [sys.executable, "-m", "alembic", "-x", f"url={database.url}", "upgrade", "head"],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    with process:
        seen = 0
        for line in process.stderr:
            assert "FAILED" not in line, line
            seen += "[schema_kit]" in line
            if seen >= steps:
                time.sleep(milliseconds / 1000)
                process.kill()
                return True
    assert process.returncode == 0
    return False


def test_a_second_migrator_waits_and_then_finds_nothing_to_do(database: Database) -> None:
    with database.connect() as holder:
        holder.execute("SELECT pg_advisory_lock(hashtextextended('schema_kit: one migrator at a time', 0))")
        command = [sys.executable, "-m", "alembic", "-x", f"url={database.url}", "upgrade", "head"]
        process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
        assert process.stderr is not None
        said = next(line for line in process.stderr if "another migration is running" in line)
        assert "waiting" in said
        assert database.sql("SELECT count(*) FROM pg_namespace WHERE nspname = 'line_support'") == [(0,)]
    _, rest = process.communicate()
    assert process.returncode == 0, rest
    again = migrate(database, "upgrade", "head")
    assert "Running" not in again
