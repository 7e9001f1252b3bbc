"""A connection of the caller's is as it was after each operation, whatever pool it comes from; so are statements."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

import schema_kit
from schema_kit import op
from schema_kit.errors import SchemaKitError
from tests.support.database import Database

pytestmark = [pytest.mark.pack, pytest.mark.majors, pytest.mark.libraries]

POOLS: dict[str, Callable[[sa.URL], sa.Engine]] = {
    "null": lambda url: sa.create_engine(url, poolclass=sa.NullPool),
    "one": lambda url: sa.create_engine(url, pool_size=1, max_overflow=0, pool_timeout=2),
    "static": lambda url: sa.create_engine(url, poolclass=sa.StaticPool),
    "assertion": lambda url: sa.create_engine(url, poolclass=sa.AssertionPool),
    "serializable": lambda url: sa.create_engine(url, poolclass=sa.NullPool, isolation_level="SERIALIZABLE"),
    "autocommit": lambda url: sa.create_engine(url, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT"),
}
TABLE = "CREATE TABLE t (id int PRIMARY KEY, a text); INSERT INTO t SELECT i, 'one' FROM generate_series(1, 3) i"


def alembics_own() -> None:
    op.add_column("t", sa.Column("b", sa.Integer))


def committing() -> None:
    op.create_index_concurrently("ix", "t", ["a"])


def joining() -> None:
    op.create_extension("pg_trgm")


def mixed() -> None:
    alembics_own()
    committing()
    joining()
    op.execute("UPDATE t SET a = '100% wool' WHERE id % 2 = 1")


def refused() -> None:
    op.create_index_concurrently("ix", "nowhere", ["a"])


def failing() -> None:
    op.create_unique_constraint_concurrently("uq", "t", ["a"])


WORK = (alembics_own, committing, joining, mixed, refused, failing)


def state(connection: sa.Connection) -> dict[str, Any]:
    """All that can be seen of a connection from outside, its session's settings among it."""
    settings = connection.exec_driver_sql(
        "SELECT name, setting FROM pg_settings WHERE name !~ '[.]' "  # plpgsql's come with its first function
        "UNION ALL SELECT 'role', current_user UNION ALL SELECT 'pid', pg_backend_pid()::text"
    ).all()
    connection.rollback()
    seen = {
        "settings": sorted(tuple(row) for row in settings),
        "options": dict(connection.get_execution_options()),
        "level": connection.get_isolation_level(),
        "autocommit": connection.connection.dbapi_connection.autocommit,  # type: ignore[union-attr]
    }
    connection.rollback()
    return seen


def url(database: Database) -> sa.URL:
    return sa.make_url(database.url).set(drivername="postgresql+psycopg")


@pytest.mark.parametrize("pool", POOLS)
def test_a_connection_comes_back_as_it_was(database: Database, pool: str) -> None:
    engine = POOLS[pool](url(database))
    try:
        with engine.connect() as connection:
            for setting in ("search_path = public, pg_temp", "lock_timeout = '7s'", "statement_timeout = '8min'"):
                connection.exec_driver_sql(f"SET {setting}")
            connection.commit()
            for work in WORK:
                database.sql("DROP TABLE IF EXISTS t CASCADE; DROP EXTENSION IF EXISTS pg_trgm", TABLE)
                before = state(connection)
                with suppress(SchemaKitError), schema_kit.operations(connection):
                    work()
                assert not connection.in_transaction()
                assert state(connection) == before, work.__name__
    finally:
        engine.dispose()


def test_a_block_keeps_what_joins_and_what_commits(database: Database) -> None:
    database.sql(TABLE)
    with POOLS["null"](url(database)).connect() as connection, schema_kit.operations(connection):
        mixed()
    assert database.sql("SELECT a FROM t ORDER BY id") == [("100% wool",), ("one",), ("100% wool",)]
    assert database.sql("SELECT to_regclass('ix')::text, (SELECT count(*) FROM pg_extension)") == [("ix", 2)]


def test_what_an_exception_leaves_is_rolled_back(database: Database) -> None:
    database.sql(TABLE)
    with POOLS["null"](url(database)).connect() as connection:
        with suppress(RuntimeError), schema_kit.operations(connection):
            alembics_own()
            raise RuntimeError
        assert not connection.in_transaction()
    assert database.sql("SELECT count(*) FROM pg_attribute WHERE attrelid = 't'::regclass AND attname = 'b'") == [(0,)]


@pytest.mark.parametrize("ended", ["commit", "rollback"])
@pytest.mark.parametrize("work", ["shared", "alembics_own", "statement", "its_own"])
def test_what_follows_a_commit_of_the_callers_is_kept_and_rolled_back_likewise(
    database: Database, work: str, ended: str
) -> None:
    database.sql(TABLE)
    kept = "SELECT to_regclass('made') IS NOT NULL"
    for fails in (True, False):
        with POOLS["null"](url(database)).connect() as connection:
            with suppress(RuntimeError), schema_kit.operations(connection):
                connection.exec_driver_sql("SELECT 1")
                getattr(connection, ended)()
                if work == "shared":
                    columns = sa.Column("id", sa.BigInteger, primary_key=True)
                    op.create_partitioned_table("made", columns, control="id", interval="10")
                elif work == "alembics_own":
                    op.create_table("made", sa.Column("id", sa.Integer))
                elif work == "statement":
                    connection.exec_driver_sql("CREATE TABLE made (id int)")
                else:
                    op.create_index_concurrently("made", "t", ["id"])
                if fails:
                    raise RuntimeError
            assert not connection.in_transaction()
        assert database.sql(kept) == [(not fails or work == "its_own",)]


STATEMENTS = """
op.execute("INSERT INTO said VALUES ('100% wool'), ('%s'), ('%%')")
op.execute("INSERT INTO said SELECT (7 % 4)::text")
op.execute("DO $$ BEGIN RAISE NOTICE 'half of %', 7; END $$")
"""
COMMITTING = 'op.create_index_concurrently("ix", "t", ["a"])\n'
SAID = [("%%",), ("%s",), ("100% wool",), ("3",)]


@pytest.fixture
def project(tmp_path: Path) -> Config:
    """What `alembic init` leaves, with README's env.py, and three revisions."""
    config = Config(tmp_path / "alembic.ini")
    command.init(config, str(tmp_path / "migrations"))
    env = "from schema_kit import environment\nenvironment.run()\n"
    (tmp_path / "migrations/env.py").write_text(env, encoding="utf-8")
    before = None
    for name, body in (("r1", STATEMENTS), ("r2", COMMITTING), ("r3", STATEMENTS)):
        text = (
            f"from schema_kit import op\nrevision, down_revision = {name!r}, {before!r}\n"
            f"def upgrade():\n{textwrap.indent(body.strip(), '    ')}\ndef downgrade():\n    pass\n"
        )
        (tmp_path / f"migrations/versions/{name}.py").write_text(text, encoding="utf-8")
        before = name
    return config


@pytest.mark.parametrize("pool", ["null", "one", "static", "assertion"])
@pytest.mark.parametrize("form", ["connection", "engine"])
def test_statements_of_the_users_arrive_as_they_are(
    database: Database, project: Config, pool: str, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@nowhere.invalid/elsewhere")
    database.sql("CREATE TABLE said (text text)", TABLE)
    engine = POOLS[pool](url(database))
    try:
        if form == "engine":
            project.attributes["connection"] = engine
            command.upgrade(project, "head")
        else:
            with engine.connect() as connection:
                before = state(connection)
                project.attributes["connection"] = connection
                command.upgrade(project, "head")
                assert state(connection) == before
    finally:
        engine.dispose()
    assert database.sql("SELECT text FROM said ORDER BY text") == sorted(2 * SAID)
    assert database.sql("SELECT version_num FROM alembic_version") == [("r3",)]


def test_offline_they_do_too(
    database: Database, project: Config, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    database.sql("CREATE TABLE said (text text)")
    capsys.readouterr()
    command.upgrade(project, "r1", sql=True)
    database.sql(*filter(None, capsys.readouterr().out.split(";\n\n")))
    assert database.sql("SELECT text FROM said ORDER BY text") == SAID


def test_what_follows_a_commit_within_the_last_revision_is_kept_with_its_stamp(
    database: Database, project: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", database.url)
    database.sql("CREATE TABLE said (text text)", TABLE)
    last = tmp_path / "migrations/versions/r3.py"
    last.write_text(
        last.read_text("utf-8").replace("upgrade():\n", "upgrade():\n    op.get_bind().commit()\n"), "utf-8"
    )
    command.upgrade(project, "head")
    assert database.sql("SELECT text FROM said ORDER BY text") == sorted(2 * SAID)
    assert database.sql("SELECT version_num FROM alembic_version") == [("r3",)]
