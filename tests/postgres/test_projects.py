"""In other people's projects each operation changes the table that Alembic's own would: any schema, driver, env.py.

A project's revisions call every operation once, with ordinary statements before, between and after. What its schema
becomes is what it becomes in a project of ours; a schema that only has the same names stays as it is; each statement of
the user's arrives as it was written; and the connection is as it was.
"""

from __future__ import annotations

from itertools import combinations, product
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from schema_kit import op, operations
from schema_kit.errors import PlanError
from schema_kit.ops import PlanOperation
from tests.support.database import Database
from tests.support.projects import CHAIN, SAID, TENANT, Project, described, prepared, upgrade

pytestmark = [pytest.mark.projects, pytest.mark.majors, pytest.mark.libraries]

SCHEMAS = ("public", "search_path", "schema_translate_map", "ALTER ROLE")
DRIVERS = ("psycopg", "psycopg2", "asyncpg")
ENVS = ("environment.run", "hand-written", "one_migrator", "multidb")
CELLS = list(product(SCHEMAS, DRIVERS, ENVS))
PAIRWISE = [
    (schemas, DRIVERS[(place + other + 1) % 3], env)
    for (place, schemas), (other, env) in product(enumerate(SCHEMAS), enumerate(ENVS))
]
"""Each pair of values at least once: what is tried with the oldest libraries."""
QUICK = (("search_path", "asyncpg", "environment.run"),)
PLAIN = Project("public", "psycopg", "environment.run")

_REFERENCE: dict[str, object] = {}


def became(database: Database, project: Project, folder: Path) -> list[tuple[str, ...]]:
    """What the project's schema is after the chain; everything else is looked at on the way."""
    pytest.importorskip(project.driver)
    own = "public" if project.schemas == "public" else TENANT
    with prepared(database.url, project.schemas) as url, psycopg.connect(database.url, autocommit=True) as look:
        before = described(look, "public")
        seen = upgrade(project.write(folder, url))
        (settings, *before_it), (settings_after, *after_it) = seen
        assert (set(settings) ^ set(settings_after), before_it) == (set(), after_it)
        if own != "public":
            assert described(look, "public") == before
        assert look.execute("SELECT text, count(*) FROM said.notes GROUP BY 1 ORDER BY 1").fetchall() == sorted(
            (text, sum("said.notes" in body for body in CHAIN)) for text in (SAID, "100% wool", "3")
        )
        return described(look, own)


def test_the_chain_calls_every_operation() -> None:
    chain = "".join(CHAIN)
    left_out = {one.called for one in PlanOperation.__subclasses__() if f"op.{one.called}(" not in chain}
    # Refused without the extension citus, and without another server.
    assert left_out == {
        *("distribute_table_concurrently", "undistribute_table"),
        *("create_cold_archive", "drop_cold_archive"),
    }


def cells() -> list[Any]:
    slow, pairwise = pytest.mark.exhaustive, pytest.mark.pairwise
    return [
        pytest.param(cell, marks=[slow] * (cell not in QUICK) + [pairwise] * (cell in PAIRWISE), id="-".join(cell))
        for cell in CELLS
    ]


def test_each_pair_of_values_is_tried_with_the_oldest_libraries() -> None:
    for one, other in combinations(range(3), 2):
        assert {(cell[one], cell[other]) for cell in PAIRWISE} == {(cell[one], cell[other]) for cell in CELLS}


@pytest.mark.parametrize("cell", cells())
def test_the_right_table_in_each_project(database: Database, tmp_path: Path, cell: tuple[str, str, str]) -> None:
    if not _REFERENCE:
        other = f"reference_{database.url.rpartition('/')[2].partition('?')[0]}"
        database.sql(f"CREATE DATABASE {other}")
        url = database.url.replace(database.url.rpartition("/")[2].partition("?")[0], other)
        _REFERENCE["is"] = became(Database(url, database.stack), PLAIN, tmp_path / "reference")
        database.sql(f"DROP DATABASE {other} WITH (FORCE)")
    assert became(database, Project(*cell), tmp_path / "project") == _REFERENCE["is"]


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("env", ["begun before", "begun by nobody"])
def test_a_transaction_of_the_callers_is_named(database: Database, tmp_path: Path, driver: str, env: str) -> None:
    """Alembic's own multidb template begins it; without begin_transaction() SQLAlchemy does."""
    pytest.importorskip(driver)
    chain = ('    op.create_index_concurrently("ix", "t", ["a"])\n',)
    database.sql("CREATE TABLE t (a int)")
    config = Project("public", driver, env).write(tmp_path / "project", database.url, chain)
    with pytest.raises(PlanError, match="a transaction is open on the connection"):
        upgrade(config)
    assert database.sql("SELECT count(*) FROM pg_indexes WHERE indexname = 'ix'") == [(0,)]


def test_a_schema_that_is_named_is_translated_wherever_it_is_named(database: Database) -> None:
    database.sql("CREATE SCHEMA tenant", "CREATE SCHEMA tenant_old", "CREATE TABLE tenant.t (id bigint PRIMARY KEY)")
    engine = sa.create_engine(sa.make_url(database.url).set(drivername="postgresql+psycopg"), poolclass=sa.NullPool)
    names = {"now": "tenant", "old": "tenant_old"}
    with engine.connect().execution_options(schema_translate_map=names) as connection, operations(connection):
        op.create_archive_table("t", schema="now", archive_schema="old")
    assert database.sql("SELECT to_regclass('tenant_old.t_archive')::text") == [("tenant_old.t_archive",)]
