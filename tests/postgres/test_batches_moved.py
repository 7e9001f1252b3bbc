"""Batches next to a session that changes the key of a row while a batch waits for it: no row is missed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from schema_kit import op, operations
from schema_kit.script import LockPolicy
from tests.support.database import Database
from tests.support.matrix import thinned

pytestmark = [pytest.mark.columns, pytest.mark.majors]

PATIENT = LockPolicy(first=3000, longest=5000, attempts=6)

PARTITIONED = (
    "CREATE TABLE t (id int, k int, v text DEFAULT 'old', n int DEFAULT 0, PRIMARY KEY (k, id)) PARTITION BY RANGE (k)",
    *(f"CREATE TABLE t{k} PARTITION OF t FOR VALUES FROM ({k}) TO ({k + 100})" for k in (0, 100, 200)),
)
PLAIN = ("CREATE TABLE t (id int, k int, v text DEFAULT 'old', n int DEFAULT 0, PRIMARY KEY (k, id))",)
ROWS = "INSERT INTO t SELECT i, i * 3 FROM generate_series(0, 99) i"

MOVES = {
    "behind, to another partition": (PARTITIONED, 150, 1),
    "ahead, to another partition": (PARTITIONED, 150, 290),
    "behind, in its partition": (PARTITIONED, 150, 101),
    "ahead, in its partition": (PARTITIONED, 150, 199),
    "behind": (PLAIN, 150, 1),
    "ahead": (PLAIN, 150, 299),
}


def beside(database: Database, work: Callable[[], Any], *statements: str) -> None:
    """Do it while a session that has locked a row changes its key, and then commits."""
    other = database.connect(autocommit=False)
    other.execute(f"SELECT 1 FROM t WHERE {statements[0]} FOR UPDATE".encode())
    failures: list[BaseException] = []

    def run() -> None:
        try:
            with operations(database.sqlalchemy(), policy=PATIENT):
                work()
        except BaseException as error:
            failures.append(error)

    working = threading.Thread(target=run)
    working.start()
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    for _ in range(600):
        if database.sql(waiting)[0][0]:
            break
        time.sleep(0.02)
    for statement in statements[1:]:
        other.execute(statement.encode())
    other.commit()
    working.join()
    assert not failures, failures


UPDATES: dict[str, tuple[dict[str, Any], Any]] = {
    "until WHERE is met no more": ({"v": sa.text("upper('new')")}, "v = 'old'"),
    "the same value": ({"v": "NEW"}, None),
    "the same value, WHERE is met still": ({"v": "NEW"}, "n = 0"),
}


@pytest.mark.parametrize("update", UPDATES)
@pytest.mark.parametrize("move", thinned(MOVES, "behind"))
def test_a_row_whose_key_changes_is_updated(database: Database, move: str, update: str) -> None:
    build, old, new = MOVES[move]
    database.sql(*build, ROWS)
    values, where = UPDATES[update]
    beside(
        database,
        lambda: op.update_in_batches("t", values, where=where, batch_size=30),
        f"k = {old}",
        f"UPDATE t SET k = {new} WHERE k = {old}",
    )
    assert database.sql("SELECT v, count(*) FROM t GROUP BY v") == [("NEW", 100)]
    assert database.sql("SELECT finished_at IS NOT NULL FROM schema_kit.batch_progress") == [(True,)]


@pytest.mark.parametrize("move", thinned(["behind, to another partition", "behind", "ahead"], "behind", "ahead"))
def test_what_cannot_be_known_is_counted_and_said(
    database: Database, move: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A row that is updated twice would be as wrong as one that is not."""
    caplog.set_level("INFO", "schema_kit")
    build, old, new = MOVES[move]
    database.sql(*build, ROWS)
    beside(
        database,
        lambda: op.update_in_batches("t", {"n": sa.text("n + 1")}, batch_size=30),
        f"k = {old}",
        f"UPDATE t SET k = {new} WHERE k = {old}",
    )
    counts = dict(database.sql("SELECT n, count(*) FROM t GROUP BY n"))
    assert counts.keys() <= {0, 1}
    assert counts.get(0, 0) <= 1
    if counts.get(0):
        assert "had another key, when a batch came to them" in caplog.text


@pytest.mark.parametrize("move", thinned(MOVES, "behind"))
def test_a_column_is_filled_for_rows_that_move(database: Database, move: str) -> None:
    build, old, new = MOVES[move]
    database.sql(*build, ROWS)
    column = sa.Column("u", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False)
    database.sql("ALTER TABLE t ADD COLUMN u uuid", "ALTER TABLE t ALTER COLUMN u SET DEFAULT gen_random_uuid()")
    beside(
        database,
        lambda: op.add_column_concurrently("t", column),
        f"k = {old}",
        f"UPDATE t SET k = {new} WHERE k = {old}",
    )
    assert database.sql("SELECT count(DISTINCT u), bool_and(u IS NOT NULL) FROM t") == [(100, True)]
    assert database.sql("SELECT attnotnull FROM pg_attribute WHERE attrelid = 't'::regclass AND attname = 'u'") == [
        (True,)
    ]


def test_a_row_that_was_missed_is_found_under_the_check(database: Database) -> None:
    """As an earlier version has left it: the fill says finished, and a row is NULL."""
    database.sql(*PARTITIONED, ROWS)
    column = sa.Column("u", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False)

    def add() -> None:
        with operations(database.sqlalchemy(), policy=PATIENT):
            op.add_column_concurrently("t", column)

    add()
    database.sql("ALTER TABLE t ALTER COLUMN u DROP NOT NULL", "UPDATE t SET u = NULL WHERE k = 150")
    add()
    assert database.sql("SELECT count(*) FROM t WHERE u IS NULL") == [(0,)]
    assert database.sql("SELECT attnotnull FROM pg_attribute WHERE attrelid = 't'::regclass AND attname = 'u'") == [
        (True,)
    ]
