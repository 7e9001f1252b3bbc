"""``schema_kit health --write``: a revision of the repairs in a user's project, up and down again."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.database import Database
from tests.support.health import S, health, keys

pytestmark = [pytest.mark.health, pytest.mark.projects, pytest.mark.majors, pytest.mark.exhaustive]


def run(folder: Path, database: Database, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *words],
        cwd=folder,
        env=os.environ | {"DATABASE_URL": database.url, "PYTHONWARNINGS": "error"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_revision_of_the_repairs_goes_up_and_down(database: Database, tmp_path: Path) -> None:
    database.sql(
        f"CREATE SCHEMA {S}",
        f'CREATE TABLE {S}."p t" (id bigint, k int, v int, PRIMARY KEY (id, k)) PARTITION BY LIST (k)',
        *(f'CREATE TABLE {S}."p {n}" PARTITION OF {S}."p t" FOR VALUES IN ({n})' for n in range(3)),
        f'CREATE INDEX "v\'1" ON {S}."p t" (v, lower(\'"""\\ :x\' || v) DESC) WHERE v > 0',
        f'CREATE INDEX "v\'12" ON {S}."p t" (v, lower(\'"""\\ :x\' || v) DESC) WHERE v > 0',
        f'CREATE TABLE {S}.kid (id bigint PRIMARY KEY, a bigint, b int, FOREIGN KEY (a, b) REFERENCES {S}."p t")',
        f"ALTER TABLE {S}.kid ADD CONSTRAINT positive CHECK (a > 0) NOT VALID",
        f"CREATE TABLE {S}.bare (v int)",
    )
    assert run(tmp_path, database, "alembic", "init", "migrations").returncode == 0
    done = run(tmp_path, database, "schema_kit", "init", ".")
    assert done.returncode == 0, done.stderr
    ini = tmp_path / "alembic.ini"
    url = database.url.replace("postgresql:", "postgresql+psycopg:").replace("%", "%%")
    ini.write_text(ini.read_text().replace("driver://user:pass@localhost/dbname", url))
    before = keys(health(database))
    assert len(before) == 4
    done = run(tmp_path, database, "schema_kit", "health", "--write", "--ignore", "setting_unsafe")
    assert done.returncode == 4, done.stderr
    (file,) = (tmp_path / "migrations" / "versions").glob("*.py")
    assert file.name in done.stderr
    assert "3 repairs" in done.stderr
    assert "index_duplicate" in file.read_text()
    done = run(tmp_path, database, "alembic", "upgrade", "head")
    assert done.returncode == 0, done.stderr
    assert {code for code, _, _ in keys(health(database))} == {"primary_key_missing"}
    done = run(tmp_path, database, "alembic", "downgrade", "base")
    assert done.returncode == 0, done.stderr
    assert keys(health(database)) == before - {("constraint_not_valid", "kid", "positive")}
    assert run(tmp_path, database, "schema_kit", "health", f"{S}.bare", "--write").returncode == 0
    assert len(list((tmp_path / "migrations" / "versions").glob("*.py"))) == 1, "nothing to write, no file"
