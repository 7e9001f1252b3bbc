"""The pack's first command fills its empty tables where no database was named; with a URL only when it is asked to."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from migrations.sample.first import ROWS
from migrations.sample.rows import TABLES
from tests.support.cli import ROOT, alembic
from tests.support.database import Database

pytestmark = [pytest.mark.pack]

NAMED = {"DATABASE_URL", "SCHEMA_KIT_PG_DATA"}


def counted(database: Database) -> int:
    return sum(int(database.sql(f"SELECT count(*) FROM {table.name}")[0][0]) for table in TABLES)


NONE = [
    pytest.param((), 0, marks=pytest.mark.exhaustive),
    pytest.param(("-x", "sample=no"), 0, marks=pytest.mark.exhaustive),
]


@pytest.mark.parametrize(("words", "rows"), [*NONE, (("-x", "sample=yes"), ROWS)])
def test_with_a_url(database: Database, words: tuple[str, ...], rows: int) -> None:
    done = alembic(database, *words, "upgrade", "baseline")
    assert done.returncode == 0, done.stderr
    assert counted(database) == rows
    assert ("sample rows" in done.stderr) is bool(rows)


@pytest.mark.exhaustive
def test_what_a_user_wrote_is_not_mixed_with_it_and_stays(database: Database) -> None:
    assert alembic(database, "upgrade", "baseline").returncode == 0
    database.sql("INSERT INTO telegram_bots.settings (key) VALUES ('mine')")
    database.sql("DELETE FROM alembic_version")
    done = alembic(database, "-x", "sample=yes", "upgrade", "baseline")
    assert done.returncode == 0, done.stderr
    assert "no sample rows: only empty tables are filled, and these have rows: telegram_bots.settings" in done.stderr
    assert counted(database) == 1


def test_what_is_neither_yes_nor_no(database: Database) -> None:
    done = alembic(database, "-x", "sample=maybe", "upgrade", "baseline")
    assert done.returncode != 0
    assert "-x sample=maybe: write yes or no" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.deep
def test_on_the_embedded_server(tmp_path: Path) -> None:
    """Down and up again keeps what was written; nothing is filled twice."""
    names = {name: value for name, value in os.environ.items() if name not in NAMED}

    def run(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", *words],
            cwd=ROOT,
            env={**names, "SCHEMA_KIT_PG_DATA": str(tmp_path / "pg")},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode in (0, 4), done.stderr
        return done.stdout + done.stderr

    try:
        assert f"{ROWS:,} sample rows" in run("alembic", "upgrade", "head")
        shown = run("schema_kit", "partitions", "check")
        assert "archive_overdue" in shown
        count = ("schema_kit", "db", "psql", "-Atc", "SELECT count(*) FROM telegram_bots.messages")
        before = run(*count).split()[0]
        run("schema_kit", "db", "psql", "-c", "INSERT INTO telegram_bots.settings (key) VALUES ('mine')")
        run("alembic", "downgrade", "baseline")
        assert "sample rows" not in run("alembic", "upgrade", "head")
        assert run(*count).split()[0] == before
        mine = "SELECT count(*) FROM telegram_bots.settings WHERE key = 'mine'"
        found = run("schema_kit", "db", "psql", "-Atc", mine)
        assert found.split()[0] == "1"
    finally:
        run("schema_kit", "db", "reset", "--yes")
