"""Settings of a user's own (app.who) hold for each operation of a revision, in each session that sends its steps."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

import schema_kit
from schema_kit import op
from tests.support.database import Database

pytestmark = [pytest.mark.projects, pytest.mark.majors, pytest.mark.libraries]

TABLES = """
CREATE FUNCTION who() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  IF coalesce(current_setting('app.who', true), '') = '' THEN RAISE 'app.who is not set'; END IF;
  RETURN current_setting('app.who');
END $$;
CREATE FUNCTION judged(bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT length(public.who()) + $1';
CREATE FUNCTION stamped() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.by := public.who(); RETURN NEW; END';
CREATE TABLE t (id bigint PRIMARY KEY, n int, by text);
INSERT INTO t SELECT i, 0 FROM generate_series(1, 250) i;
CREATE TRIGGER stamp BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION stamped();
CREATE TABLE big (id bigint PRIMARY KEY);
INSERT INTO big SELECT generate_series(1, 250);
SET app.who = 'set-up';
CREATE INDEX ON big (judged(id));
RESET app.who;
"""
LOCAL = {
    "SET LOCAL": lambda: op.execute("SET LOCAL app.who TO 'me'"),
    "set_config": lambda: op.execute("SELECT set_config('app.who', 'me', true)"),
    "parameters": lambda: op.get_bind().execute(
        sa.text("SELECT set_config(:name, :who, true)"), {"name": "app.who", "who": "me"}
    ),
    "among others": lambda: op.execute("SELECT 1; SET LOCAL app.who = 'me'; SET LOCAL work_mem = '5MB'"),
}
READ = "SELECT coalesce(current_setting('app.who', true), '')"


def under(database: Database, driver: str, work: Callable[[sa.Connection], None]) -> None:
    url = sa.make_url(database.url).set(drivername=f"postgresql+{driver}")
    if driver == "asyncpg":

        async def main() -> None:
            async with create_async_engine(url, poolclass=sa.NullPool).connect() as connection:
                await connection.run_sync(work)

        asyncio.run(main())
    else:
        with sa.create_engine(url, poolclass=sa.NullPool).connect() as connection:
            work(connection)


def operate(connection: sa.Connection, setting: Callable[[], object]) -> None:
    with schema_kit.operations(connection):
        setting()
        op.create_index_concurrently("ix", "t", ["n"])
        op.update_in_batches("t", {"n": sa.text("1")}, batch_size=100)
        op.execute("INSERT INTO t VALUES (0, 1, who())")
        op.convert_to_partitioned("big", "id", "100", strategy="copy", workers=2)


@pytest.mark.parametrize("driver", ["psycopg", "psycopg2", "asyncpg"])
@pytest.mark.parametrize("way", LOCAL)
def test_what_is_set_for_the_transaction(database: Database, driver: str, way: str) -> None:
    if (driver, way) == ("asyncpg", "among others"):
        pytest.skip("asyncpg sends one statement at a time")
    database.sql(TABLES)

    def work(connection: sa.Connection) -> None:
        operate(connection, LOCAL[way])
        assert connection.exec_driver_sql(READ).scalar() == "", "it was for the transaction"

    under(database, driver, work)
    assert database.sql("SELECT DISTINCT by FROM t") == [("me",)]


@pytest.mark.parametrize("driver", ["psycopg", "psycopg2", "asyncpg"])
def test_what_is_set_for_the_session(database: Database, driver: str) -> None:
    database.sql(TABLES)

    def work(connection: sa.Connection) -> None:
        connection.exec_driver_sql("SET app.who = 'me'")
        connection.commit()
        operate(connection, lambda: None)
        assert connection.exec_driver_sql(READ).scalar() == "me"

    under(database, driver, work)
    assert database.sql("SELECT DISTINCT by FROM t") == [("me",)]
