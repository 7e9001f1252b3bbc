"""Sessions of our own next to a connection of another driver: the same database, role and settings, or a refusal."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

import schema_kit
from schema_kit import op
from schema_kit.catalog import drivers
from schema_kit.catalog.drivers import Beside
from schema_kit.errors import PlanError
from tests.support.database import Database
from tests.support.projects import Project, upgrade

pytestmark = [pytest.mark.projects, pytest.mark.majors, pytest.mark.libraries]

asyncpg = pytest.importorskip("asyncpg")
psycopg2 = pytest.importorskip("psycopg2")

TABLE = "CREATE TABLE t (id bigint PRIMARY KEY, a text); INSERT INTO t SELECT i, 'a' FROM generate_series(1, 9) i"


def of(database: Database, driver: str, **query: str) -> sa.URL:
    return sa.make_url(database.url).set(drivername=f"postgresql+{driver}").update_query_dict(query)


def under_asyncpg(engine: Any, work: Callable[[sa.Connection], Any]) -> Any:
    """What *work* returns, run as Alembic's async template runs it."""

    async def main() -> Any:
        try:
            async with engine.connect() as connection:
                return await connection.run_sync(work)
        finally:
            await engine.dispose()

    return asyncio.run(main())


def settled(connection: sa.Connection) -> Any:
    """The session of our own next to one that has a role, a path and a setting of its own."""
    own = ("search_path = app, public", "work_mem = '7MB'", "TimeZone = 'Asia/Bangkok'", "DateStyle = 'German'")
    for setting in own:
        connection.exec_driver_sql(f"SET {setting}")
    connection.commit()
    role = connection.scalar(sa.text("SELECT rolname FROM pg_roles WHERE rolname ~ 'sk_driver_' LIMIT 1"))
    connection.exec_driver_sql(f"SET ROLE {role}")
    connection.commit()
    with Beside.of(connection).connect() as session:
        told = session.exec_driver_sql(
            "SELECT current_user, session_user, current_setting('search_path'), current_setting('work_mem'), "
            "current_setting('TimeZone'), current_setting('DateStyle'), current_database()"
        ).one()
        assert drivers.speaks_psycopg(session.dialect)
    assert not connection.in_transaction()
    return role, tuple(told)


def check_settled(database: Database, found: Any) -> None:
    name = database.sql("SELECT current_database()")[0][0]
    assert found[1] == (found[0], "postgres", "app, public", "7MB", "Asia/Bangkok", "German, DMY", name)


@pytest.mark.parametrize("driver", ["psycopg", "psycopg2", "asyncpg", "psycopg_async"])
def test_a_second_session_is_as_the_callers(database: Database, driver: str) -> None:
    role = f"sk_driver_{database.sql('SELECT current_database()')[0][0]}"
    database.sql(f"DROP ROLE IF EXISTS {role}", f"CREATE ROLE {role}", "CREATE SCHEMA app")
    try:
        if driver in ("asyncpg", "psycopg_async"):
            found = under_asyncpg(create_async_engine(of(database, driver)), settled)
        else:
            engine = sa.create_engine(of(database, driver), poolclass=sa.NullPool)
            with engine.connect() as connection:
                found = settled(connection)
        check_settled(database, found)
    finally:
        database.sql(f"DROP ROLE {role}")


ENGINES: dict[str, Callable[[Database], Any]] = {
    "options of asyncpg": lambda database: create_async_engine(
        of(database, "asyncpg", prepared_statement_cache_size="0", ssl="disable"),
        connect_args={"timeout": 10, "command_timeout": 60, "server_settings": {"work_mem": "9MB"}},
    ),
    "no TLS at all": lambda database: create_async_engine(of(database, "asyncpg"), connect_args={"ssl": False}),
    "a password that is called": lambda database: create_async_engine(
        of(database, "asyncpg"), connect_args={"password": lambda: "token"}
    ),
}


def tried(connection: sa.Connection) -> None:
    with schema_kit.operations(connection):
        op.create_index_concurrently("ix", "t", ["a"])


@pytest.mark.parametrize("engine", ENGINES)
def test_what_an_engine_connects_with_is_translated(database: Database, engine: str) -> None:
    database.sql(TABLE)
    under_asyncpg(ENGINES[engine](database), tried)
    assert database.sql("SELECT count(*) FROM pg_indexes WHERE indexname = 'ix'") == [(1,)]


def test_a_token_of_a_listener_is_asked_for(database: Database) -> None:
    database.sql(TABLE)
    engine = create_async_engine(of(database, "asyncpg"))
    asked = []

    @sa.event.listens_for(engine.sync_engine, "do_connect")
    def token(dialect: Any, record: Any, positional: Any, named: Any) -> None:
        named["password"] = "token"  # noqa: S105
        asked.append(record)

    under_asyncpg(engine, tried)
    assert None in asked  # for the session of our own
    assert database.sql("SELECT count(*) FROM pg_indexes WHERE indexname = 'ix'") == [(1,)]


def created(database: Database) -> sa.Engine:
    return sa.create_engine("postgresql+psycopg2://", creator=lambda: psycopg2.connect(database.url))


def listened(database: Database) -> sa.Engine:
    engine = sa.create_engine("postgresql+psycopg2://", poolclass=sa.NullPool)
    sa.event.listen(engine, "do_connect", lambda *_: psycopg2.connect(database.url, options="-c work_mem=9MB"))
    return engine


@pytest.mark.parametrize("made", [created, listened])
def test_a_connection_of_psycopg2_says_itself_how_it_was_made(
    database: Database, made: Callable[[Database], sa.Engine]
) -> None:
    """Its password, too: a token, say, that only a creator has."""
    name = database.sql("SELECT current_database()")[0][0]
    database.sql(TABLE)
    with (engine := made(database)).connect() as connection:
        tried(connection)
        with Beside.of(connection).connect() as session:
            assert session.exec_driver_sql("SELECT current_database()").scalar() == name
    secret = sa.create_engine("postgresql+psycopg2://", creator=lambda: Secret())
    assert "password=token" in drivers._of_psycopg2(secret)
    engine.dispose()
    assert database.sql("SELECT count(*) FROM pg_indexes WHERE indexname = 'ix'") == [(1,)]


class Secret:
    """What a connection of psycopg2 says of how it was made."""

    def __init__(self) -> None:
        self.info = SimpleNamespace(dsn_parameters={"host": "h", "of_a_later_libpq": "x"}, password="token")  # noqa: S106

    def close(self) -> None:
        pass


@pytest.mark.parametrize("per_revision", [False, True])
def test_what_cannot_be_translated_is_refused_before_anything_is_committed(
    database: Database, tmp_path: Path, per_revision: bool
) -> None:
    """A creator says nothing of how it connects: the revision before is not committed either."""
    chain = (
        '    op.create_table("t", sa.Column("a", sa.Integer))\n',
        '    op.create_index_concurrently("ix", "t", ["a"])\n',
    )
    config = Project("public", "asyncpg", "hand-written").write(tmp_path / "project", database.url, chain)
    env = tmp_path / "project" / "env.py"
    env.write_text(
        env.read_text().replace(
            "create_async_engine(url,",
            "create_async_engine('postgresql+asyncpg://', async_creator=creator,",
        ),
        encoding="utf-8",
    )
    made = f"\nimport asyncpg\nasync def creator():\n    return await asyncpg.connect({database.url!r})\n"
    env.write_text(env.read_text().replace("\nasync def main():", f"{made}\nasync def main():"), encoding="utf-8")
    config.attributes["options"] = {"transaction_per_migration": per_revision}
    with pytest.raises(PlanError, match=r"revision r01 calls op\.create_index_concurrently: .*made with a creator"):
        upgrade(config)
    assert database.sql("SELECT to_regclass('t'), to_regclass('alembic_version')") == [(None, None)]


def test_a_workers_death_ends_the_run_with_its_reason(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    database.sql("CREATE TABLE t (id bigint PRIMARY KEY, n int); INSERT INTO t SELECT i FROM generate_series(1, 99) i")

    def dies(_: Beside) -> Any:
        raise RuntimeError("no thread can be started")

    engine = sa.create_engine(of(database, "psycopg"), poolclass=sa.NullPool)
    with engine.connect() as connection:
        monkeypatch.setattr(Beside, "connect", dies)
        with pytest.raises(RuntimeError, match="no thread"), schema_kit.operations(connection):
            op.convert_to_partitioned("t", "id", "10", strategy="copy", workers=2)


@pytest.mark.parametrize(
    "value", ["it's", "back\\slash", "100%", None, True, 7, ["a", "b'c"], datetime(2026, 11, 1, tzinfo=UTC), "%(x)s"]
)
def test_values_stand_in_a_query_as_they_are(database: Database, value: Any) -> None:
    """For a driver with another style of parameters."""
    cast = "::text[]" if isinstance(value, list) else ""
    query = drivers.in_place(f"SELECT %(x)s{cast}, '%%'", {"x": value})
    with database.connect() as connection:
        found = connection.execute(query.encode()).fetchall()[0]
    assert found == (value, "%")


def test_progress_is_shown_without_a_logger(
    database: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Most alembic.ini have no logger for it, and their root's level hides what is only information."""
    monkeypatch.setattr(logging.getLogger("schema_kit"), "level", logging.NOTSET)
    monkeypatch.setattr(logging.getLogger(), "level", logging.WARNING)
    logging.getLogger("schema_kit").manager._clear_cache()  # type: ignore[attr-defined]
    database.sql(TABLE)
    chain = ('    op.create_index_concurrently("ix", "t", ["a"])\n',)
    upgrade(Project("public", "psycopg", "hand-written").write(tmp_path / "project", database.url, chain))
    assert "INFO  [schema_kit] create index ix on public.t concurrently" in capsys.readouterr().err


@pytest.mark.parametrize("driver", ["psycopg", "psycopg2"])
def test_a_session_that_only_reads_is_not_gone_past(database: Database, driver: str) -> None:
    database.sql(TABLE)
    engine = sa.create_engine(of(database, driver), poolclass=sa.NullPool)
    with engine.connect() as connection:
        connection.exec_driver_sql("SET default_transaction_read_only = on")
        connection.commit()
        with pytest.raises(PlanError, match="this session is read-only"):
            tried(connection)
    assert database.sql("SELECT count(*) FROM pg_indexes WHERE indexname = 'ix'") == [(0,)]
