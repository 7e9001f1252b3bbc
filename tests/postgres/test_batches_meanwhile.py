"""Updates in batches while others work: a second run, writers, rows that are held."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations

from schema_kit.errors import LockNotAvailable
from schema_kit.execute import Event, StepProgress, Waiting
from schema_kit.ops import Settings
from schema_kit.script import LockPolicy
from tests.support.batches import ONE_MORE, ROWS, SMALL, TABLE, counts, update
from tests.support.database import QUICK, Database
from tests.support.matrix import perform

pytestmark = [pytest.mark.columns, pytest.mark.majors]


def test_two_runs_at_once_share_the_batches(database: Database) -> None:
    rows = 1000
    database.sql(TABLE[0], f"INSERT INTO t (id) SELECT generate_series(1, {rows})")
    update(database, where="false", name="makes the table of progress")
    errors: list[BaseException] = []

    def work() -> None:
        try:
            connection = database.sqlalchemy()
            made: Any = Operations(MigrationContext.configure(connection, opts={"schema_kit": Settings(policy=QUICK)}))
            made.update_in_batches("t", ONE_MORE, **SMALL)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert counts(database) == [(1, rows)]


@pytest.mark.parametrize("isolation", ["read committed", "serializable"])
def test_writers_go_on_and_nothing_of_theirs_is_lost(database: Database, isolation: str) -> None:
    rows = 1000
    database.sql(
        TABLE[0],
        f"INSERT INTO t (id) SELECT generate_series(1, {rows})",
        f"DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_isolation = ''{isolation}''', "
        "current_database()); END $$",
    )
    stop, errors, touches = threading.Event(), list[BaseException](), [0, 0]

    def write(writer: int) -> None:
        chance = random.Random(writer)
        try:
            with psycopg.connect(database.url, autocommit=True) as connection:
                connection.execute("SET default_transaction_isolation = 'read committed'")
                while not stop.is_set():
                    key = chance.randint(1, rows)
                    connection.execute("UPDATE t SET touched = touched + 1 WHERE id = %s", [key])
                    touches[writer] += 1
                    connection.execute("DELETE FROM t WHERE id = %s", [rows + 1 + writer])
                    connection.execute("INSERT INTO t (id, n) VALUES (%s, 1)", [rows + 1 + writer])
        except BaseException as error:
            errors.append(error)

    writers = [threading.Thread(target=write, args=(writer,)) for writer in range(2)]
    for thread in writers:
        thread.start()
    update(database, where="id <= 1000")
    stop.set()
    for thread in writers:
        thread.join()
    assert errors == []
    assert database.sql("SELECT n, count(*)::int FROM t WHERE id <= 1000 GROUP BY n") == [(1, rows)]
    assert database.sql("SELECT sum(touched)::int FROM t") == [(sum(touches),)]


@contextmanager
def holding(database: Database, *ids: int) -> Iterator[psycopg.Connection[Any]]:
    other = database.connect(autocommit=False)
    other.execute("SET application_name = 'the holder'")
    other.execute("UPDATE t SET touched = touched + 1 WHERE id = ANY (%s)", [list(ids)])
    yield other
    other.rollback()


def test_a_row_that_is_held_is_waited_for_and_updated_as_it_was_left(database: Database) -> None:
    database.sql(*TABLE)
    waits: list[Waiting] = []
    with holding(database, 55) as other:

        def emit(event: Event) -> None:
            if isinstance(event, Waiting):
                waits.append(event)
                other.commit()

        perform(database, lambda op: op.update_in_batches("t", ONE_MORE, **SMALL), on=emit)
    assert "(the holder): RowExclusiveLock on public.t, idle in transaction" in waits[0].blockers[0]
    assert counts(database) == [(1, ROWS)]
    assert database.sql("SELECT touched FROM t WHERE id = 55") == [(1,)]


def test_a_row_that_is_never_let_go_ends_it_and_nothing_is_lost(database: Database) -> None:
    database.sql(*TABLE)
    with holding(database, 55), pytest.raises(LockNotAvailable, match="the holder"):
        update(database, policy=LockPolicy(first=20, longest=20, attempts=3))
    assert counts(database) == [(0, 50), (1, 50)]
    update(database)
    assert counts(database) == [(1, ROWS)]


def test_tries_are_counted_again_after_each_batch_that_came_through(database: Database) -> None:
    database.sql(*TABLE)
    with holding(database, 25) as first, holding(database, 45) as second, holding(database, 65) as third:
        holders = iter((first, second, third))

        def emit(event: Event) -> None:
            if isinstance(event, Waiting):
                next(holders).rollback()

        policy = LockPolicy(first=20, longest=20, attempts=2)
        perform(database, lambda op: op.update_in_batches("t", ONE_MORE, **SMALL), on=emit, policy=policy)
    assert counts(database) == [(1, ROWS)]


def test_no_row_stays_locked_between_batches(database: Database) -> None:
    database.sql(*TABLE)

    def emit(event: Event) -> None:
        if isinstance(event, StepProgress):
            assert database.sql("SELECT count(*)::int FROM (SELECT 1 FROM t FOR UPDATE SKIP LOCKED) t") == [(ROWS,)]
            assert database.sql("SELECT pid FROM pg_locks WHERE relation = 't'::regclass") == []

    perform(database, lambda op: op.update_in_batches("t", ONE_MORE, **SMALL), on=emit)
