"""Through a real PgBouncer: what needs a session of its own is refused before anything is tried; the rest works."""

from __future__ import annotations

import shlex
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

import schema_kit
from schema_kit import op
from schema_kit.catalog import direct
from schema_kit.environment import connect, one_migrator
from schema_kit.errors import PlanError
from tests.support.cli import ROOT, alembic, shell
from tests.support.database import Database
from tests.support.pooler import MISSING, pooler
from tests.support.walk import CALLS, build

pytestmark = [pytest.mark.distributed, pytest.mark.cli, MISSING]

LENDS = "a pooler is between that lends a session for each transaction"
LEFT = """
SELECT (SELECT count(*) FROM pg_prepared_statements),
       (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()),
       (SELECT count(*) FROM pg_class WHERE relpersistence = 't'),
       (SELECT array_agg(name || '=' || setting ORDER BY name) FROM pg_settings WHERE source = 'session'
          AND name NOT IN ('application_name', 'client_encoding'))
"""
"""What a session has of its own, and another client would get with it; PgBouncer sets those two by itself."""


def words(name: str, folder: Path) -> list[str]:
    """A command and what stands behind it."""
    call = CALLS[name]
    given = call.words.format(folder=folder)
    return [*name.split(), *shlex.split(given)]


def engine(database: Database) -> sa.Engine:
    url = sa.make_url(database.url).set(drivername="postgresql+psycopg")
    return sa.create_engine(url, poolclass=sa.NullPool, connect_args={"prepare_threshold": None})


@pytest.fixture
def own(database: Database) -> Database:
    """A database with something for each command, and no session of the test's own on it."""
    with ExitStack() as stack:
        one = Database(database.url, stack)
        build(one)
    return Database(database.url, database.stack)


@pytest.mark.parametrize("size", [1, 3])
@pytest.mark.parametrize("rotates", [0, 1], ids=["the last one first", "in turn"])
@pytest.mark.parametrize("busy", [False, True], ids=["idle", "busy"])
def test_a_pool_of_transactions_is_found_out(database: Database, size: int, rotates: int, busy: bool) -> None:
    with pooler(database, "transaction", size, server_round_robin=rotates) as pool, ExitStack() as stack:
        others = [stack.enter_context(psycopg.connect(pool.url, autocommit=True)) for _ in range(3)]
        for other in others:
            other.execute("SELECT 1")
        if busy and size > 1:
            stack.enter_context(others[0].transaction())  # holds one of the sessions
            others[0].execute("SELECT 1")
        for _ in range(5):
            with connect(engine(pool).url, autocommit=True) as one, pytest.raises(PlanError, match=LENDS):
                direct.refuse(one, "try")


@pytest.mark.parametrize("size", [2, 4])
def test_a_pool_of_sessions_and_the_server_itself_are_not(database: Database, size: int) -> None:
    with pooler(database, "session", size) as pool:
        for url in (pool.url, database.url):
            with connect(sa.make_url(url).set(drivername="postgresql+psycopg"), autocommit=True) as connection:
                direct.refuse(connection, "try")
                direct.refuse(connection, "try")


def test_a_pool_that_has_no_second_session_says_so(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(direct, "_PATIENCE_SECONDS", 0.2)
    with pooler(database, "session", 1) as pool, connect(engine(pool).url, autocommit=True) as one:
        with pytest.raises(PlanError) as refused:
            direct.refuse(one, "try")
        assert "gave no second session" in str(refused.value)


def test_a_pool_of_statements_is_named(database: Database) -> None:
    with pooler(database, "statement") as pool:
        done = shell(pool, "partitions", "list")
        assert done.returncode == 1
        assert "transaction blocks not allowed in statement pooling mode" in done.stderr
        assert "Traceback" not in done.stderr


@pytest.mark.exhaustive
def test_each_command_works_or_is_refused(own: Database, tmp_path: Path) -> None:
    with pooler(own, "transaction", 1) as pool:
        before = None
        for name, call in CALLS.items():
            if name.startswith("advise"):
                continue
            done = shell(pool, *words(name, tmp_path))
            if call.acts:
                assert (done.returncode, LENDS in done.stderr) == (3, True), (name, done)
                assert "Name the server itself: --url" in done.stderr
                if call.dry:
                    done = shell(pool, *words(name, tmp_path), "--dry-run")
                    assert done.returncode == 0, (name, done)
            else:
                assert done.returncode in call.codes, (name, done)
            left = pool.connect().execute(LEFT).fetchone()
            assert before in (None, left), f"{name} leaves {left} for the next client"
            before = left


def test_operations_are_refused_before_they_change_anything(database: Database) -> None:
    database.sql("CREATE TABLE t (id bigint PRIMARY KEY, n int)")
    with pooler(database, "transaction") as pool, engine(pool).connect() as connection:
        with pytest.raises(PlanError, match=LENDS), schema_kit.operations(connection):
            op.create_index_concurrently("t_n", "t", ["n"])
        connection.rollback()
        with pytest.raises(PlanError, match=f"cannot migrate: {LENDS}"), one_migrator(engine(pool)):
            pass
    with pooler(database, "session", 4) as pool, engine(pool).connect() as connection:
        with schema_kit.operations(connection):
            op.create_index_concurrently("t_n", "t", ["n"])
        with one_migrator(engine(pool)) as check:
            check()
    assert database.sql("SELECT indisvalid FROM pg_index WHERE indexrelid = 't_n'::regclass") == [(True,)]


@pytest.mark.exhaustive
def test_migrations_are_refused_and_looked_at(database: Database) -> None:
    sample = ROOT / "tests" / "sample"
    with pooler(database, "transaction") as pool:
        assert alembic(pool, "current", cwd=sample).returncode == 0
        done = alembic(pool, "upgrade", "head", cwd=sample)
        assert f"cannot migrate: {LENDS}" in done.stderr + done.stdout, done
        assert "Traceback" not in done.stderr
    assert database.sql("SELECT to_regclass('alembic_version')") == [(None,)]


@pytest.mark.exhaustive
def test_workers_through_a_pool_of_sessions(own: Database) -> None:
    with pooler(own, "session", 8) as pool:
        done = shell(pool, "partitions", "maintain", "--now", "2026-05-20", "--workers", "2")
        assert done.returncode == 0, done
        done = shell(pool, *shlex.split("partitions convert s.plain --control at --interval 1mon --workers 2"))
        assert done.returncode == 0, done
    assert own.sql("SELECT count(*) FROM s.plain") == [(41,)]
