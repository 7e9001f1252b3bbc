"""The pack in migrations/, up and down over a populated database."""

from __future__ import annotations

import subprocess
import sys

import psycopg
import pytest

from tests.support.cli import ROOT, alembic
from tests.support.database import Database
from tests.support.pack import catalog, content, filled, killed_after, migrate

pytestmark = [pytest.mark.pack, pytest.mark.majors, pytest.mark.libraries]


@pytest.mark.exhaustive
def test_empty_up_and_down_leaves_nothing(database: Database) -> None:
    before = catalog(database)
    migrate(database, "upgrade", "head")
    assert "No new upgrade operations" in alembic(database, "check").stdout + alembic(database, "check").stderr
    migrate(database, "downgrade", "base")
    assert catalog(database) == before


@pytest.mark.deep
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


@pytest.mark.deep
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


@pytest.mark.exhaustive
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


@pytest.mark.exhaustive
def test_baseline_leaves_what_exists_and_its_downgrade_too(database: Database) -> None:
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


@pytest.mark.exhaustive
def test_baseline_names_each_difference_and_changes_nothing(database: Database) -> None:
    database.sql("CREATE SCHEMA rag_chat", "CREATE TABLE rag_chat.user_sessions (id integer, user_id text)")
    before = catalog(database)
    refused = alembic(database, "upgrade", "head")
    assert refused.returncode != 0
    assert "rag_chat.user_sessions.id is integer, expected bigint" in refused.stderr
    assert "rag_chat.user_sessions has no column session_id (uuid)" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert catalog(database) == before


@pytest.mark.exhaustive
def test_downgrade_below_baseline_refuses_to_drop_rows(database: Database) -> None:
    filled(database, 3000)
    before = catalog(database)
    refused = alembic(database, "downgrade", "base")
    assert refused.returncode != 0
    assert "hold rows" in refused.stderr
    assert catalog(database) == before


@pytest.mark.deep
def test_a_killed_upgrade_is_finished_by_the_next_one(database: Database) -> None:
    """Kill -9, again and again, each time a few steps farther; then compare with an undisturbed run."""
    filled(database)
    rows, baseline = content(database), catalog(database)
    kills = 0
    while killed_after(database, ("upgrade", "head"), steps=15 + kills % 13, milliseconds=kills % 5 * 4):
        kills += 1
        assert kills < 200, "no progress"
    assert kills > 20
    head = catalog(database)
    assert content(database) == rows
    migrate(database, "downgrade", "baseline")
    assert catalog(database) == baseline
    migrate(database, "upgrade", "head")
    assert catalog(database) == head


@pytest.mark.deep
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
