"""Recipes of docs/projects.md, each a project: up, nothing that autogenerate proposes, down, and other tables stay."""

from __future__ import annotations

import asyncio
import sys
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy.ext.asyncio import create_async_engine

from tests.support.database import Database
from tests.support.recipes import ran, shown, write

pytestmark = [pytest.mark.projects, pytest.mark.libraries]

STATE = (
    "SELECT c.relnamespace::regnamespace::text, c.relkind::text, count(i.indexrelid) FILTER (WHERE i.indisvalid) "
    "FROM pg_class c LEFT JOIN pg_index i ON i.indrelid = c.oid "
    "WHERE c.relname = 'orders' GROUP BY 1, 2 ORDER BY 1"
)
VERSIONED = "SELECT relnamespace::regnamespace::text FROM pg_class WHERE relname = 'alembic_version' ORDER BY 1"
BYSTANDER = (
    "CREATE TABLE orders (id bigint, at timestamptz, note text)",
    "INSERT INTO orders SELECT i, now(), 'kept' FROM generate_series(1, 9) i",
)
AS_IT_WAS = (
    "SELECT count(*), (SELECT relkind::text FROM pg_class WHERE oid = 'public.orders'::regclass) FROM public.orders"
)


def url_of(database: Database, driver: str = "psycopg") -> str:
    return database.url.replace("postgresql://", f"postgresql+{driver}://")


@contextmanager
def another(database: Database) -> Iterator[Database]:
    """A second database, with a table of that name and rows in it."""
    name = database.sql("SELECT current_database()")[0][0]
    database.sql(f"CREATE DATABASE {name}_other")
    other = Database(database.url.replace(f"/{name}", f"/{name}_other"), database.stack)
    try:
        other.sql(*BYSTANDER)
        yield other
    finally:
        database.sql(f"DROP DATABASE {name}_other WITH (FORCE)")


def test_a_schema_for_each_tenant(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path)
    (tmp_path / "migrations" / "env.py").write_text(shown("A schema for each tenant"), encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("DATABASE_URL", database.url)
    database.sql(
        *BYSTANDER,
        "CREATE TABLE tenants (name text)",
        "INSERT INTO tenants VALUES ('one'), ('Two')",
        'CREATE SCHEMA one; CREATE SCHEMA "Two"',
    )

    def config(*tenant: str) -> Config:
        made = Config(cmd_opts=Namespace(x=[f"tenant={name}" for name in tenant]))
        made.set_main_option("script_location", str(tmp_path / "migrations"))
        return made

    with monkeypatch.context() as patch:
        patch.delitem(sys.modules, "models", raising=False)
        command.upgrade(config("Two"), "r1")
        assert database.sql(STATE) == [('"Two"', "r", 2), ("public", "r", 0)]
        command.upgrade(config(), "head")
        assert database.sql(STATE) == [('"Two"', "p", 2), ("one", "p", 2), ("public", "r", 0)]
        assert database.sql(VERSIONED) == [('"Two"',), ("one",)]
        command.check(config())
        command.downgrade(config("one"), "base")
        assert database.sql(STATE) == [('"Two"', "p", 2), ("public", "r", 0)]
        del sys.modules["models"]
    assert database.sql(AS_IT_WAS) == [(9, "r")]


def environment_alone(folder: Path, given: object) -> Config:
    """A project whose env.py is environment.run; what a program hands over to it."""
    write(folder)
    env = folder / "migrations" / "env.py"
    env.write_text("from schema_kit import environment\nenvironment.run()\n", encoding="utf-8")
    config = Config(attributes={"connection": given})
    config.set_main_option("script_location", str(env.parent))
    return config


def test_a_connection_of_an_unknown_kind_is_refused(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = create_async_engine(url_of(database, "asyncpg"))
    monkeypatch.setenv("DATABASE_URL", database.url)

    async def in_a_loop() -> None:
        with pytest.raises(CommandError, match=r"an event loop is running(?s:.*)Nothing was changed"):
            command.upgrade(environment_alone(tmp_path, engine), "head")
        async with engine.connect() as connection:
            with pytest.raises(CommandError, match=r"of the type AsyncConnection(?s:.*)Nothing was changed"):
                command.upgrade(environment_alone(tmp_path, connection), "head")
        await engine.dispose()

    asyncio.run(in_a_loop())
    assert database.sql(VERSIONED) == []
    command.upgrade(environment_alone(tmp_path, engine), "head")
    assert database.sql(STATE) == [("public", "p", 2)]
    command.downgrade(environment_alone(tmp_path, engine), "base")  # by its pool again, in a loop of its own
    assert database.sql(STATE) == []


@pytest.mark.exhaustive
def test_several_databases(database: Database, tmp_path: Path) -> None:
    ran(tmp_path, "alembic", "init", "-t", "multidb", "migrations")
    write(tmp_path, "engine_name")
    env = tmp_path / "migrations" / "env.py"
    above, _, below = env.read_text(encoding="utf-8").partition("def run_migrations_online() -> None:")
    own = shown("Several databases").replace("# migrations/env.py\n", "")
    metadata = above.replace("target_metadata = {}", "import models\ntarget_metadata = {'engine1': models.metadata}")
    end = below[below.index("if context.is_offline_mode():") :]
    env.write_text(f"from schema_kit import environment\n{metadata}{own}\n\n{end}", encoding="utf-8")
    with another(database) as other:
        ini = (tmp_path / "alembic.ini").read_text(encoding="utf-8")
        for place, one in enumerate((database, other), 1):
            driver = "driver://user:pass@localhost/dbname" + ("" if place == 1 else "2")
            ini = ini.replace(f"{driver}\n", url_of(one).replace("%", "%%") + "\n")
        (tmp_path / "alembic.ini").write_text(ini, encoding="utf-8")
        with pytest.raises(AssertionError, match='relation "orders" already exists'):
            ran(tmp_path, "alembic", "upgrade", "head")
        assert database.sql(STATE) == [("public", "p", 2)]
        assert other.sql(AS_IT_WAS) == [(9, "r")]
        other.sql("DROP TABLE orders")
        ran(tmp_path, "alembic", "upgrade", "head")
        assert other.sql(STATE) == database.sql(STATE)
        ran(tmp_path, "alembic", "downgrade", "base")
        assert database.sql(STATE) == other.sql(STATE) == []


@pytest.mark.exhaustive
@pytest.mark.parametrize("driver", ["psycopg", "asyncpg"])
def test_pytest_alembic_works_on_its_own_engine(
    database: Database, tmp_path: Path, other_python: str, driver: str
) -> None:
    ran(tmp_path, "alembic", "init", "migrations")
    write(tmp_path)
    (tmp_path / "migrations" / "env.py").write_text(
        "from models import metadata\nfrom schema_kit import environment\nenvironment.run(metadata)\n", encoding="utf-8"
    )
    (tmp_path / "tests").mkdir()
    conftest = shown("pytest-alembic")
    if driver == "asyncpg":
        conftest = conftest.replace("import sqlalchemy as sa", "import sqlalchemy.ext.asyncio as sa").replace(
            "create_engine", "create_async_engine"
        )
    (tmp_path / "tests" / "conftest.py").write_text(conftest, encoding="utf-8")
    with another(database) as other:
        said = ran(
            tmp_path,
            *("pytest", "-q", "-p", "no:cacheprovider", "--test-alembic", "tests"),
            python=other_python,
            DATABASE_URL=other.url,
            TEST_DATABASE_URL=url_of(database, driver),
        )
        assert "4 passed" in said
        assert other.sql(AS_IT_WAS) == [(9, "r")]
        assert other.sql(VERSIONED) == []
    assert database.sql(VERSIONED) == [("public",)]


FLASK = """
import os
from flask import Flask
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from models import metadata
app = Flask(__name__)
app.config["SQLALCHEMY_DATABASE_URI"] = os.environ["OF_THE_APP"]
Migrate(app, SQLAlchemy(app, metadata=metadata))
"""


@pytest.mark.exhaustive
@pytest.mark.parametrize("template", ["flask", "flask-multidb"])
def test_flask_migrate(database: Database, tmp_path: Path, other_python: str, template: str) -> None:
    def flask(*arguments: str) -> str:
        return ran(tmp_path, "flask", "db", *arguments, python=other_python, OF_THE_APP=url_of(database))

    write(tmp_path, "engine_name" if "multidb" in template else "")
    (tmp_path / "app.py").write_text(FLASK, encoding="utf-8")
    for revision in (versions := tmp_path / "migrations" / "versions").iterdir():
        revision.rename(tmp_path / f"{revision.name}.later")
    versions.rmdir()
    versions.parent.rmdir()
    flask("init", "--template", template)
    for revision in tmp_path.glob("*.later"):
        revision.rename(versions / revision.stem)
    assert "+import schema_kit.ops" in ran(tmp_path, "schema_kit", "init")
    assert "env.py imports schema_kit" in ran(tmp_path, "schema_kit", "doctor", DATABASE_URL=database.url)
    said = flask("upgrade")
    assert "[schema_kit]" in said, "the logger shows progress"
    assert database.sql(STATE) == [("public", "p", 2)]
    assert "No new upgrade operations" in flask("check")
    for arguments in (("diff",), ("lint", "r1", "--url", database.url)):  # they run env.py, which asks for the app
        said = ran(tmp_path, "schema_kit", *arguments, python=other_python, OF_THE_APP=url_of(database))
        assert "r1: clean" in said or "models and database are the same" in said
    assert "No changes in schema detected" in flask("migrate")
    flask("downgrade", "base")
    assert database.sql(STATE) == []
