"""Applications that write a table, and the same into a control table in the same transactions.

What they did is right if both hold the same at the end. Each writer keeps to ids of its own, so that whatever error it
meets is not another writer's doing.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg

from tests.support.database import Database

WRITERS = 6
ROWS = 20_000
BEGAN = "2026-01-01 00:00:00+00"
SPAN = 5 * 31 * 24 * 3600
"""Seconds over which rows are spread."""
STILL = 5_000
"""Rows that stay untouched, so that a reader knows how many there are."""


def rows(table: str) -> str:
    """Rows for ids 1 to ROWS, and the rows that stay as they are with ids below 0."""
    at = f"timestamptz '{BEGAN}' + (i * 7919 % {SPAN}) * interval '1 second'"
    columns = "(id, at, body, amount, word)"
    return (
        f"INSERT INTO {table} {columns} SELECT i, {at}, 'body ' || i, i * 1.5, 'w' || i % 100 "
        f"FROM generate_series(1, {ROWS}) i UNION ALL "
        f"SELECT -i, {at}, 'still', 0, NULL FROM generate_series(1, {STILL}) i"
    )


@dataclass
class Application(threading.Thread):
    """One that writes in transactions of its own."""

    database: Database
    table: str
    control: str
    number: int
    stop: threading.Event
    on_conflict: str = "(id, at)"
    error: BaseException | None = None
    longest: float = 0.0
    transactions: int = 0
    kinds: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        super().__init__(daemon=True)
        self.random = random.Random(self.number)
        self.mine = dict.fromkeys(range(self.number + 1, ROWS + 1, WRITERS))
        self.next = ROWS + 1 + self.number
        self.gone: list[int] = []

    def __hash__(self) -> int:
        return id(self)

    def run(self) -> None:
        try:
            with psycopg.connect(self.database.url, prepare_threshold=2) as connection:
                connection.execute("SET statement_timeout = '20s'")
                while not self.stop.is_set():
                    self._transaction(connection)
                    self.transactions += 1
        except BaseException as error:
            self.error = error

    def _transaction(self, connection: psycopg.Connection[Any]) -> None:
        before, next_, gone = dict(self.mine), self.next, list(self.gone)
        rolled_back = self.random.random() < 0.1
        for _ in range(self.random.choice((1, 1, 2, 5))):
            self._operation(connection)
        if self.random.random() < 0.04:
            time.sleep(self.random.uniform(0.2, 2))
        if rolled_back:
            connection.rollback()
            self.mine, self.next, self.gone = before, next_, gone
        else:
            connection.commit()
        time.sleep(self.random.uniform(0, 0.01))

    def _operation(self, connection: psycopg.Connection[Any]) -> None:
        kind = self.random.choice(list(_KINDS))
        self.kinds.add(kind)
        _KINDS[kind](self, connection)

    def both(self, connection: psycopg.Connection[Any], sql: str, *values: Any, rows: int = 1) -> None:
        """The same statement on the table and on the control table."""
        for table in (self.table, self.control):
            began = time.monotonic()
            found = connection.execute(sql.format(t=table, conflict=self._conflict(table)).encode(), values).rowcount
            self.longest = max(self.longest, time.monotonic() - began)
            assert found == rows, f"{sql} {values}: {found} rows of {table}, not {rows}"

    def _conflict(self, table: str) -> str:
        return self.on_conflict

    def some(self) -> int:
        return self.random.choice(list(self.mine))

    def moment(self) -> str:
        return f"{self.random.randrange(SPAN)} seconds"

    def insert(self, connection: psycopg.Connection[Any], id_: int | None = None) -> None:
        if id_ is None:
            id_, self.next = self.next, self.next + WRITERS
        at = f"timestamptz '{BEGAN}' + %s::interval"
        self.both(
            connection,
            f"INSERT INTO {{t}} (id, at, body, amount, word) VALUES (%s, {at}, %s, %s, %s)",
            id_,
            self.moment(),
            f"new {id_}",
            self.random.random(),
            "w",
        )
        self.mine[id_] = None

    def update(self, connection: psycopg.Connection[Any]) -> None:
        self.both(connection, "UPDATE {t} SET body = %s WHERE id = %s", f"changed {self.random.random()}", self.some())

    def move(self, connection: psycopg.Connection[Any]) -> None:
        self.both(
            connection,
            f"UPDATE {{t}} SET at = timestamptz '{BEGAN}' + %s::interval WHERE id = %s",
            self.moment(),
            self.some(),
        )

    def change_key(self, connection: psycopg.Connection[Any]) -> None:
        old, new = self.some(), self.next
        self.next += WRITERS
        self.both(connection, "UPDATE {t} SET id = %s WHERE id = %s", new, old)
        del self.mine[old]
        self.mine[new] = None
        self.gone.append(old)

    def delete(self, connection: psycopg.Connection[Any]) -> None:
        id_ = self.some()
        self.both(connection, "DELETE FROM {t} WHERE id = %s", id_)
        del self.mine[id_]
        self.gone.append(id_)

    def insert_again(self, connection: psycopg.Connection[Any]) -> None:
        if self.gone:
            self.insert(connection, self.gone.pop())

    def upsert(self, connection: psycopg.Connection[Any]) -> None:
        if not self.on_conflict:
            return
        id_ = self.some()
        at = connection.execute(f"SELECT at FROM {self.table} WHERE id = %s".encode(), [id_]).fetchone()
        assert at is not None, f"row {id_} is not to be seen"
        self.both(
            connection,
            "INSERT INTO {t} (id, at, body, amount, word) VALUES (%s, %s, 'upserted', 1, 'u') "
            "ON CONFLICT {conflict} DO UPDATE SET body = excluded.body, amount = {t}.amount + 1".replace(
                "{t}.", "{t}."
            ),
            id_,
            at[0],
        )

    def savepoint(self, connection: psycopg.Connection[Any]) -> None:
        connection.execute("SAVEPOINT here")
        kept, next_, gone = dict(self.mine), self.next, list(self.gone)
        self.delete(connection)
        self.insert(connection)
        connection.execute("ROLLBACK TO SAVEPOINT here")
        self.mine, self.next, self.gone = kept, next_, gone
        self.update(connection)

    def lock(self, connection: psycopg.Connection[Any]) -> None:
        id_ = self.some()
        self.both(connection, "SELECT 1 FROM {t} WHERE id = %s FOR UPDATE", id_)
        self.both(connection, "UPDATE {t} SET amount = amount + 1 WHERE id = %s", id_)


_KINDS: dict[str, Callable[[Application, psycopg.Connection[Any]], None]] = {
    name: getattr(Application, name)
    for name in (
        *("insert", "update", "move", "change_key", "delete", "insert_again", "upsert", "savepoint", "lock", "update"),
    )
}


class Reader(threading.Thread):
    """Counts the untouched rows, again and again."""

    def __init__(self, database: Database, table: str, stop: threading.Event) -> None:
        super().__init__(daemon=True)
        self.connection, self.table, self.stop = database.connect(), table, stop
        self.seen: set[int] = set()
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            while not self.stop.is_set():
                sql = f"SELECT count(*) FROM {self.table} WHERE id < 0"
                self.seen.add(self.connection.execute(sql.encode()).fetchall()[0][0])
        except BaseException as error:
            self.error = error


@contextmanager
def writing(
    database: Database, table: str, control: str, on_conflict: str = "(id, at)", writers: int = WRITERS
) -> Iterator[list[Application]]:
    """Applications at work; at the end nothing failed, and both tables hold the same."""
    stop = threading.Event()
    applications = [Application(database, table, control, number, stop, on_conflict) for number in range(writers)]
    reader = Reader(database, table, stop)
    for thread in (*applications, reader):
        thread.start()
    try:
        time.sleep(0.3)
        yield applications
        time.sleep(0.3)
    finally:
        stop.set()
        for thread in (*applications, reader):
            thread.join()
    for application in applications:
        if application.error:
            raise application.error
    if reader.error:
        raise reader.error
    assert sum(application.transactions for application in applications) > 20
    assert reader.seen == {STILL}, "readers see every row at every moment"
    same(database, table, control)


def same(database: Database, table: str, control: str) -> None:
    """Both hold the same rows."""
    columns = "id, at, body, amount, word"
    for one, other in ((table, control), (control, table)):
        sql = f"SELECT {columns} FROM {one} EXCEPT ALL SELECT {columns} FROM {other} LIMIT 5"
        assert database.sql(sql) == [], f"rows of {one} that {other} has not"
