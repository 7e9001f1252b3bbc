"""A project of `alembic init` gets what it lacks, in each template; what is wrong with it or its server is said."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from schema_kit import embedded
from schema_kit.cli import env_py
from tests.support.database import Database
from tests.support.matrix import thinned

pytestmark = [pytest.mark.projects, pytest.mark.cli, pytest.mark.libraries]

TEMPLATES = ("generic", "async", "pyproject", "pyproject_async", "multidb")
REVISION = """
import sqlalchemy as sa
from alembic import op
revision, down_revision = {own!r}, {before!r}
def upgrade({engine}):
    {body}
def downgrade({engine}):
    pass
"""
BODIES = ('op.create_table("t", sa.Column("a", sa.Integer))', 'op.create_index_concurrently("ix", "t", ["a"])')


def ran(folder: Path, *command: str, url: str | None = None, code: int | None = 0) -> subprocess.CompletedProcess[str]:
    variables = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    variables |= {"DATABASE_URL": url} if url else {"SCHEMA_KIT_EMBEDDED": "never"}
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=folder, env=variables, capture_output=True, text=True, check=False
    )
    assert code is None or done.returncode == code, done.stdout + done.stderr
    return done


def project(folder: Path, template: str, database: Database) -> Path:
    ran(folder, "alembic", "init", "-t", template, "migrations")
    ini = folder / "alembic.ini"
    driver = "asyncpg" if "async" in template else "psycopg"
    url = database.url.replace("postgresql://", f"postgresql+{driver}://").replace("%", "%%")
    placeholder = "driver://user:pass@localhost/dbname"
    written = ini.read_text().replace(f"{placeholder}2", url).replace(placeholder, url)
    ini.write_text(written, encoding="utf-8")
    for place, body in enumerate(BODIES):
        before = f"r{place - 1}" if place else None
        engine = "engine_name" if template == "multidb" else ""
        text = REVISION.format(own=f"r{place}", before=before, body=body, engine=engine)
        (folder / "migrations" / "versions" / f"r{place}.py").write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize("template", thinned(TEMPLATES, "generic", "multidb"))
def test_a_new_project_runs_after_init(database: Database, tmp_path: Path, template: str) -> None:
    if "async" in template:
        pytest.importorskip("asyncpg")
    folder = project(tmp_path, template, database)
    shown = ran(folder, "schema_kit", "init", "--dry-run")
    assert "+import schema_kit.ops" in shown.stdout
    assert "schema_kit" not in (folder / "migrations" / "env.py").read_text()
    assert ran(folder, "schema_kit", "init").stdout == shown.stdout
    assert ran(folder, "schema_kit", "init").stdout == ""
    done = ran(folder, "alembic", "upgrade", "head")
    assert "schema_kit" in done.stderr, "the logger shows progress"
    assert database.sql("SELECT count(*) FROM pg_indexes WHERE indexname = 'ix'") == [(1,)]


def test_doctor_names_what_is_wrong(database: Database, tmp_path: Path) -> None:
    folder = project(tmp_path, "multidb", database)
    found = {
        one["code"]: one
        for one in json.loads(ran(folder, "schema_kit", "doctor", "--format", "json", url=database.url, code=4).stdout)
    }
    assert {code for code, one in found.items() if one["wrong"]} >= {"env.py", "transaction"}
    assert not found["version"]["wrong"]
    name = database.sql("SELECT current_database()")[0][0]
    role = f"sk_doctor_{name}"
    database.sql(
        f"DROP ROLE IF EXISTS {role}", f"CREATE ROLE {role} LOGIN", f"ALTER ROLE {role} SET search_path = nowhere"
    )
    try:
        url = database.url.replace("postgres@", f"{role}@")
        limited = ran(folder, "schema_kit", "doctor", url=url, code=4).stdout
        assert "CREATE SCHEMA schema_kit; GRANT USAGE, CREATE ON SCHEMA schema_kit TO" in limited
        assert "wrong  search_path" in limited
    finally:
        database.sql(f"DROP ROLE {role}")


def test_without_a_project_or_a_server(tmp_path: Path) -> None:
    refused = ran(tmp_path, "schema_kit", "init", code=3)
    assert "alembic init" in refused.stderr
    said = ran(tmp_path, "schema_kit", "doctor", code=4).stdout
    assert "SCHEMA_KIT_EMBEDDED=never" in said
    assert "Traceback" not in said


def test_an_import_of_several_lines_stays_whole(tmp_path: Path) -> None:
    ran(tmp_path, "alembic", "init", "migrations")
    environment = tmp_path / "migrations" / "env.py"
    ends = "from os import (\n    path,\n    sep,\n)\n\nconfig = context.config\n"
    environment.write_text(environment.read_text().replace("config = context.config\n", ends, 1), encoding="utf-8")
    ran(tmp_path, "schema_kit", "init")
    assert ")\n\nimport schema_kit.ops" in environment.read_text()
    compile(environment.read_text(), "env.py", "exec")


def test_an_ini_that_refers_to_the_environment_is_not_a_traceback(tmp_path: Path) -> None:
    ran(tmp_path, "alembic", "init", "migrations")
    ini = tmp_path / "alembic.ini"
    ini.write_text(ini.read_text().replace("driver://user:pass@localhost/dbname", "postgresql://%(DB_USER)s@h/d"))
    said = ran(tmp_path, "schema_kit", "doctor", code=4)
    assert "%(DB_USER)s" in said.stdout
    assert "Traceback" not in said.stderr


def test_commands_find_the_revisions_that_pyproject_names(database: Database, tmp_path: Path) -> None:
    folder = project(tmp_path, "pyproject", database)
    for of_lint in (folder, folder / "migrations", tmp_path):
        database.stack.callback(embedded.stop, of_lint / ".schema_kit_lint")
    ran(folder, "schema_kit", "init")
    for ini in (True, False):
        if not ini:
            (folder / "alembic.ini").unlink()
        (folder / "migrations" / "env.py").write_text("from schema_kit import environment\nenvironment.run()\n")
        ran(folder, "alembic", "upgrade", "head", url=database.url)
        assert "the head is r1" in ran(folder / "migrations", "schema_kit", "doctor", url=database.url).stdout
        assert "r1: clean" in ran(folder / "migrations", "schema_kit", "lint", url=database.url).stdout
    (folder / "pyproject.toml").write_text("[tool.alembic]\n=")
    assert "cannot be read" in ran(folder, "schema_kit", "lint", url=database.url, code=3).stderr
    assert "wrong  project" in ran(folder, "schema_kit", "doctor", url=database.url, code=4).stdout


WRITTEN = """
from alembic import context
def migrate(conn):
    context.configure(conn, target_metadata=None)
    context.configure(url="x")
    context.configure(connection=conn)
    context.configure(
        target_metadata=None,
        connection=é(conn)  # the last
    )
{begun}
"""


def test_an_env_that_is_written_otherwise() -> None:
    text = env_py.completed(WRITTEN.format(begun=""))
    assert text.count("transaction_per_migration=True") == 2
    assert "connection=é(conn), transaction_per_migration=True  # the last" in text
    assert env_py.completed(text) == text
    assert not env_py.begins(text)
    assert env_py.begins(WRITTEN.format(begun="with engines.one.begin() as conn:\n    migrate(conn)"))
