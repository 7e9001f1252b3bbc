"""Alembic under a role with few rights: its own table, the whole pack, and roles that are taken by SET ROLE."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from schema_kit.errors import PlanError
from tests.support.archives import NOW, build
from tests.support.cli import ROOT, alembic, shell
from tests.support.database import Database
from tests.support.matrix import perform, thinned
from tests.support.projects import Project, upgrade
from tests.support.rights import Limited, limited, until_it_goes_on

pytestmark = [pytest.mark.pack, pytest.mark.majors]

CHAIN = (
    '    op.create_table("orders", sa.Column("id", sa.BigInteger, primary_key=True), sa.Column("note", sa.Text))\n',
    """
    op.create_index_concurrently("ix_note", "orders", ["note"])
    op.update_in_batches("orders", {"note": "new"})
    """,
    '    op.create_partitioned_table("events", sa.Column("id", sa.BigInteger, primary_key=True), control="id",'
    ' interval="100")\n',
)


@pytest.mark.parametrize(
    "words", thinned([("current",), ("upgrade", "head"), ("check",), ("stamp", "base")], ("current",))
)
def test_its_own_table(database: Database, words: tuple[str, ...]) -> None:
    database.sql("CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)")
    with limited(database) as some:
        done = alembic(some.own, *words)
        assert done.returncode != 0
        assert "Traceback" not in done.stderr
        assert f"lacks SELECT{'' if words[0] in ('current', 'check') else ', INSERT, UPDATE, DELETE'} on" in done.stderr
        database.sql(f"GRANT SELECT ON alembic_version TO {some.role}")
        if words[0] == "current":
            assert alembic(some.own, *words).returncode == 0


@pytest.mark.exhaustive
def test_its_own_table_that_is_not_there(database: Database) -> None:
    database.sql("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    with limited(database) as some:
        done = alembic(some.own, "upgrade", "head")
        assert f"GRANT CREATE ON SCHEMA public TO {some.role}" in done.stderr
        assert "Traceback" not in done.stderr


@pytest.mark.deep
def test_the_whole_pack(database: Database) -> None:
    with limited(database) as some:
        database.sql(f"GRANT CREATE ON SCHEMA public TO {some.role}")

        def run() -> str:
            done = alembic(some.own, "upgrade", "head", cwd=ROOT)
            return done.stderr if done.returncode else ""

        until_it_goes_on(some, run)


def noinherit(some: Limited) -> None:
    """The role is a member of the owner, and has its rights only after SET ROLE."""
    some.database.sql(f"ALTER ROLE {some.role} NOINHERIT", f"GRANT {some.owner} TO {some.role}")


def test_a_member_that_does_not_inherit_has_to_set_the_role(database: Database) -> None:
    build(database)
    with limited(database) as some:
        some.owned("s", "schema_kit")
        noinherit(some)
        database.sql(f"GRANT USAGE ON SCHEMA s, schema_kit TO {some.role}")
        database.sql(f"GRANT SELECT ON ALL TABLES IN SCHEMA s, schema_kit TO {some.role}")
        done = shell(some.url, "partitions", "create-next", "s.t", "--now", NOW)
        assert done.returncode == 3
        assert f"SET ROLE {some.owner} first" in done.stderr
        with pytest.raises(PlanError, match=f"SET ROLE {some.owner} first"):
            perform(some.own, lambda op: op.create_index_concurrently("ix", "t", ["word"], schema="s"))


@pytest.mark.parametrize("how", thinned(["the URL", "ALTER ROLE"], "the URL"))
def test_the_role_that_a_session_has_taken_is_the_one_that_counts(database: Database, how: str) -> None:
    build(database)
    with limited(database) as some:
        some.owned("s", "schema_kit")
        noinherit(some)
        if how == "ALTER ROLE":
            database.sql(f"ALTER ROLE {some.role} SET role = '{some.owner}'")
        url = some.url + (f"&options=-c%20role%3D{some.owner}" if how == "the URL" else "")
        for words in ("partitions create-next s.t", "partitions retire s.t", "partitions check"):
            done = shell(url, *words.split(), "--now", NOW)
            assert done.returncode in (0, 4), done.stderr
        owners = database.sql("SELECT DISTINCT pg_get_userbyid(relowner) FROM pg_class WHERE relname LIKE 't\\_p%'")
        assert owners == [(some.owner,)]


@pytest.mark.parametrize("driver", thinned(["psycopg", "psycopg2", "asyncpg"], "asyncpg"))
def test_under_every_driver(database: Database, driver: str, tmp_path: Path) -> None:
    with limited(database) as some:
        noinherit(some)
        database.sql(
            f"ALTER ROLE {some.role} SET role = '{some.owner}'",
            f"GRANT CREATE ON SCHEMA public TO {some.owner}",
            f'GRANT CREATE ON DATABASE "{database.sql("SELECT current_database()")[0][0]}" TO {some.owner}',
        )
        upgrade(Project("public", driver, "environment.run").write(tmp_path / "m", some.url, CHAIN))
        owners = database.sql("SELECT DISTINCT pg_get_userbyid(relowner) FROM pg_class WHERE relname ~ '^(ev|ord|ix)'")
        assert owners == [(some.owner,)]


def test_a_role_that_a_program_sets_on_its_connection(database: Database) -> None:
    import schema_kit
    from schema_kit import op

    with limited(database) as some:
        noinherit(some)
        name = database.sql("SELECT quote_ident(current_database())")[0][0]
        database.sql(
            f"GRANT CREATE ON SCHEMA public TO {some.owner}", f"GRANT CREATE ON DATABASE {name} TO {some.owner}"
        )
        engine = sa.create_engine(sa.make_url(some.url).set(drivername="postgresql+psycopg"))
        with engine.connect() as connection:
            connection.exec_driver_sql(f"SET ROLE {some.owner}")
            connection.commit()
            with schema_kit.operations(connection):
                op.create_table("t", sa.Column("id", sa.BigInteger, primary_key=True), sa.Column("v", sa.Integer))
                op.create_index_concurrently("ix", "t", ["v"])
                op.update_in_batches("t", {"v": 1})
        engine.dispose()
        with psycopg.connect(database.url) as session:
            found = session.execute("SELECT pg_get_userbyid(relowner) FROM pg_class WHERE relname = 'ix'").fetchone()
        assert found == (some.owner,)
