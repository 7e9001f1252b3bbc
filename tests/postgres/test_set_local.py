"""What SET LOCAL has set holds for each operation of a revision, though each commits; then it is gone, as it should."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

import schema_kit
from schema_kit import op
from schema_kit.errors import PlanError, SchemaKitError
from tests.support.database import Database
from tests.support.projects import Project, upgrade

pytestmark = [pytest.mark.projects, pytest.mark.majors, pytest.mark.libraries]

TABLES = """
CREATE SCHEMA tenant;
CREATE TABLE t (id bigint PRIMARY KEY, a text);
CREATE TABLE tenant.t (id bigint PRIMARY KEY, a text);
"""
WAYS = ("SET LOCAL search_path = tenant, public", "SELECT set_config('search_path', 'tenant, public', true)")
INDEXES = """
SELECT indexrelid::regclass::text, pg_get_userbyid(c.relowner) FROM pg_index JOIN pg_class c ON c.oid = indexrelid
WHERE c.relname ~ '^ix' ORDER BY 1
"""
STATE = "SELECT current_setting('search_path'), current_user, current_setting('work_mem')"


def several(connection: sa.Connection, *local: str) -> None:
    """Operations that commit, with Alembic's own between them, under what is set for the transaction."""
    before = connection.exec_driver_sql(STATE).one()
    connection.rollback()
    with schema_kit.operations(connection):
        for statement in local:
            op.execute(statement)
        op.create_index_concurrently("ix1", "t", ["a"])
        op.create_index("ix2", "t", ["a"])
        op.create_index_concurrently("ix3", "t", ["a"])
        op.create_index("ix4", "t", ["a"])
    assert connection.exec_driver_sql(STATE).one() == before
    connection.rollback()


def under(database: Database, driver: str, work: Callable[[sa.Connection], None], **options: Any) -> None:
    url = sa.make_url(database.url).set(drivername=f"postgresql+{driver}")
    if driver == "asyncpg":

        async def main() -> None:
            engine = create_async_engine(url, poolclass=sa.NullPool, **options)
            async with engine.connect() as connection:
                await connection.run_sync(work)

        asyncio.run(main())
    else:
        with sa.create_engine(url, poolclass=sa.NullPool, **options).connect() as connection:
            work(connection)


@pytest.mark.parametrize("driver", ["psycopg", "psycopg2", "asyncpg"])
@pytest.mark.parametrize("way", WAYS)
def test_a_path_of_the_transaction_holds_for_all_of_it(database: Database, driver: str, way: str) -> None:
    database.sql(TABLES)
    under(database, driver, lambda connection: several(connection, way, "SET LOCAL work_mem = '7MB'"))
    assert [name for name, _ in database.sql(INDEXES)] == [f"tenant.ix{n}" for n in (1, 2, 3, 4)]


@pytest.mark.parametrize("driver", ["psycopg", "psycopg2", "asyncpg"])
def test_a_role_of_the_transaction_does_too(database: Database, driver: str) -> None:
    role = f"sk_local_{database.sql('SELECT current_database()')[0][0]}"
    database.sql(
        TABLES, f"CREATE ROLE {role}", f"ALTER TABLE t OWNER TO {role}", f"GRANT ALL ON SCHEMA public TO {role}"
    )
    try:
        under(database, driver, lambda connection: several(connection, f"SET LOCAL ROLE {role}"))
        assert database.sql(INDEXES) == [(f"ix{n}", role) for n in (1, 2, 3, 4)]
    finally:
        database.sql(f"DROP OWNED BY {role} CASCADE", f"DROP ROLE {role}")


@pytest.mark.parametrize("env", ["environment.run", "hand-written"])
def test_the_next_revision_begins_without_it(database: Database, tmp_path: Path, env: str) -> None:
    database.sql(TABLES)
    chain = (
        f'    op.execute("{WAYS[0]}")\n    op.create_index_concurrently("ix1", "t", ["a"])\n'
        '    op.create_index_concurrently("ix2", "t", ["a"])\n',
        '    op.create_index_concurrently("ix3", "t", ["a"])\n',
    )
    config = Project("public", "psycopg", env).write(tmp_path / "project", database.url, chain)
    if env == "hand-written":
        config.attributes["options"] = {"transaction_per_migration": True}
    upgrade(config)
    assert [name for name, _ in database.sql(INDEXES)] == ["ix3", "tenant.ix1", "tenant.ix2"]


def unique(connection: sa.Connection) -> None:
    with schema_kit.operations(connection):
        op.execute(WAYS[0])
        op.create_unique_constraint_concurrently("uq", "t", ["a"])


def test_after_an_error_the_session_is_as_it_was(database: Database) -> None:
    database.sql(TABLES, "INSERT INTO tenant.t VALUES (1, 'x'), (2, 'x')")

    def fail(connection: sa.Connection) -> None:
        before = connection.exec_driver_sql(STATE).one()
        connection.rollback()
        with pytest.raises(SchemaKitError, match=r"tenant\.t"):
            unique(connection)
        assert connection.exec_driver_sql(STATE).one() == before

    under(database, "psycopg", fail)


@pytest.mark.parametrize("driver", ["psycopg", "psycopg2", "asyncpg"])
def test_a_connection_that_is_read_only_is_not_written_on(database: Database, driver: str) -> None:
    database.sql(TABLES)
    with pytest.raises(PlanError, match="the connection is read-only"):
        under(database, driver, several, execution_options={"postgresql_readonly": True})
    assert database.sql(INDEXES) == []


def test_a_savepoint_of_the_callers_is_named(database: Database) -> None:
    database.sql(TABLES)

    def within(connection: sa.Connection) -> None:
        with schema_kit.operations(connection), connection.begin_nested():
            op.create_index_concurrently("ix1", "t", ["a"])

    with pytest.raises(PlanError, match="a transaction is open"):
        under(database, "psycopg", within)
    assert database.sql(INDEXES) == []


@pytest.mark.parametrize("threshold", [0, 1])
def test_what_psycopg_prepares_changes_nothing(database: Database, threshold: int) -> None:
    database.sql(TABLES)

    def work(connection: sa.Connection) -> None:
        several(connection, WAYS[0])
        raw: Any = connection.connection.driver_connection
        assert raw.prepare_threshold == threshold

    under(database, "psycopg", work, connect_args={"prepare_threshold": threshold})
    assert len(database.sql(INDEXES)) == 4
