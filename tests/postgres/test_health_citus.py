"""``schema_kit health`` where Citus keeps the rows in shards: those count, and empty shells are not blamed."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from schema_kit.catalog import Catalog, sizes
from schema_kit.health import observe
from schema_kit.health.checks import examine
from schema_kit.names import QualifiedName
from tests.support.citus import give_catalog, known_as, shard
from tests.support.database import Database

pytestmark = [pytest.mark.health, pytest.mark.majors]

T, SET, PLAIN = (QualifiedName("s", name) for name in ("t", "set", "plain"))


@pytest.fixture
def spread(database: Database) -> Database:
    """A distributed table, a partitioned one, and a plain one, with rows in the shards of the first two."""
    database.sql(
        "CREATE SCHEMA s",
        *(f"CREATE TABLE s.{name} (id bigint PRIMARY KEY, v int)" for name in ("t", "plain")),
        "CREATE TABLE s.set (id bigint PRIMARY KEY, v int) PARTITION BY RANGE (id)",
        *(f"CREATE TABLE s.set_{n} PARTITION OF s.set FOR VALUES FROM ({n}) TO ({n + 1})" for n in range(40)),
        "CREATE INDEX ON s.set (v)",
    )
    give_catalog(database)
    for name in ("t", "set", *(f"set_{n}" for n in range(40))):
        known_as(database, f"s.{name}", "id")
    for nth, name in enumerate(("t", "set_0", "set_1")):
        own = shard(database, f"s.{name}", 100 + nth)
        database.sql(f"INSERT INTO {own} SELECT {max(nth - 1, 0)}, 1" if nth else
                     f"INSERT INTO {own} SELECT i, i FROM generate_series(1, 5000) i", f"ANALYZE {own}")  # fmt: skip
    return database


def statements(connection: sa.Connection) -> list[str]:
    """What is sent over a connection from now on."""
    sent = list[str]()

    @sa.event.listens_for(connection, "before_cursor_execute")
    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        sent.append(statement)

    return sent


def test_shards_count_and_shells_are_not_blamed(spread: Database) -> None:
    connection = spread.sqlalchemy()
    seen = observe.read(connection, Catalog(connection).now())
    assert (seen.rows(T), seen.rows(SET), seen.rows(PLAIN)) == (5000, 2, 0)
    assert seen.by_name[T].bytes > 100_000
    assert seen.distributed == {T, SET}
    found = [one for one in examine(seen) if one.table in (T, SET)]
    assert found == [], "a shell is never analyzed, and its indexes are never scanned"
    whole = sizes.read(connection, "10s")
    assert whole[T].rows == 5000
    assert whole[T].bytes > 100_000


def test_a_node_that_does_not_answer_is_a_sentence(spread: Database) -> None:
    connection = spread.sqlalchemy()
    connection.exec_driver_sql("SET test.node_is_down = 'yes'")
    seen = observe.read(connection, None)
    assert any("rows are not known" in note and "s.t" in note for note in seen.notes)
    assert seen.rows(T) == 0


def test_where_there_is_no_citus_nothing_is_asked_for_it(database: Database) -> None:
    connection = database.sqlalchemy()
    sent = statements(connection)
    observe.read(connection, None)
    sizes.read(connection, "10s")
    assert sent
    assert not [one for one in sent if "pg_dist_shard" in one]
