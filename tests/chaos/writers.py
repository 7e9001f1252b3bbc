"""Applications: each writes by its habit, and takes down in the ledger what it has committed."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import psycopg

from tests.chaos.ledger import EACH, WRITERS, Ledger, Row
from tests.chaos.sessions import GONE, Connection, connect
from tests.chaos.tables import APPLICATION, SPAN

RECENT = 40 * 86_400
"""Seconds before the end of all rows: where writers write, so that what is archived meanwhile is not theirs."""
TRY_AGAIN = ("40001", "40P01")
PUBLICATION_DROPPED = "cache lookup failed for publication"
"""PostgreSQL's own answer (XX000) to a write that looks for the table's publications while others drop one."""


@dataclass(frozen=True)
class Habit:
    """A way to write: what stands between BEGIN and COMMIT, and how these are said."""

    work: Callable[[Writer, Connection], None]
    isolation: str = "READ COMMITTED"
    two_phase: bool = False
    since: int = 14


@dataclass
class Writer(threading.Thread):
    """One application: transactions of its habit, until it has to stop."""

    url: str
    ledger: Ledger
    number: int
    called: str
    habit: Habit
    seed: int
    stop: threading.Event
    windows: int = RECENT
    errors: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        super().__init__(daemon=True)
        self.random = random.Random(f"{self.seed} {self.number}")
        self.shape, self.table = self.ledger.shape, self.ledger.shape.table
        self.mine = {i * WRITERS + self.number - 1 for i in range(EACH)}
        self._before = self.mine
        self.next, self.serial, self.unsure = EACH * WRITERS + self.number - 1, 0, False
        self.changes: list[tuple[str, Row | None]] = []
        self.counted: list[str] = []

    def __hash__(self) -> int:
        return id(self)

    def run(self) -> None:
        while not self.stop.is_set() or self.unsure:
            try:
                with connect(self.url, "writer", APPLICATION) as connection:
                    self._settle(connection)
                    while not self.stop.is_set():
                        self._transaction(connection)
                        time.sleep(self.random.uniform(0, 0.15))
            except psycopg.Error as error:
                if error.sqlstate not in GONE:
                    self._failed(error)
                time.sleep(0.1)
            except Exception as error:
                self._failed(error)

    def _failed(self, error: Exception) -> None:
        self.errors.append(f"{self.called}: {type(error).__name__} {getattr(error, 'sqlstate', '')} {str(error)[:300]}")
        if len(self.errors) > 3:
            self.stop.set()

    def _transaction(self, connection: Connection) -> None:
        """One transaction; what it wrote is taken down once it is sure to be committed."""
        mine, self.changes, self.counted, self.serial = set(self.mine), [], [], self.serial + 1
        try:
            connection.execute(f"BEGIN ISOLATION LEVEL {self.habit.isolation}".encode())
            self.habit.work(self, connection)
            connection.execute("INSERT INTO chaos.mark VALUES (%s, %s)", (self.number, self.serial))
            self.unsure = True
            if self.habit.two_phase:
                connection.execute(f"PREPARE TRANSACTION '{self._gid}'".encode())
                time.sleep(self.random.uniform(0, 0.05))
                connection.execute(f"COMMIT PREPARED '{self._gid}'".encode())
            else:
                connection.execute("COMMIT")
            self._committed()
        except psycopg.Error as error:
            if error.sqlstate in GONE and self.unsure:
                self._before = mine
                raise
            self.mine, self.unsure = mine, False
            if error.sqlstate in GONE:
                raise
            connection.execute("ROLLBACK")
            if error.sqlstate not in TRY_AGAIN and PUBLICATION_DROPPED not in str(error):
                raise
            self.counts[error.sqlstate] += 1
        except AssertionError:
            self.mine, self.unsure = mine, False
            connection.execute("ROLLBACK")
            raise

    def _committed(self) -> None:
        self.ledger.commit(self.changes, self.counted)
        self.unsure = False
        self.counts["transactions"] += 1

    def _settle(self, connection: Connection) -> None:
        """The server went away in a COMMIT: ask whether it was one."""
        if not self.unsure:
            return
        if connection.execute("SELECT 1 FROM pg_prepared_xacts WHERE gid = %s", (self._gid,)).rowcount:
            connection.execute(f"COMMIT PREPARED '{self._gid}'".encode())
        sql = "SELECT 1 FROM chaos.mark WHERE writer = %s AND serial = %s"
        if connection.execute(sql, (self.number, self.serial)).rowcount:
            self._committed()
        else:
            self.mine, self.unsure = self._before, False

    @property
    def _gid(self) -> str:
        return f"{self.seed} {self.number} {self.serial}"

    # What habits are made of.

    def send(self, connection: Connection, sql: str, *values: Any, rows: int = 1, prepare: bool = False) -> None:
        """A statement that concerns so many rows, or something is lost."""
        sql = sql.format(t=self.table, id=f"%s::{self.shape.key}", at=f"%s::{self.shape.control}")
        found = connection.execute(sql.encode(), values, prepare=prepare).rowcount
        assert found == rows, f"{sql} {values} met {found} rows, not {rows}"

    def some(self) -> int:
        """One of its rows."""
        return self.random.choice(sorted(self.mine))

    def moment(self) -> tuple[str, int]:
        """Somewhen in the ranges in which it writes."""
        return self.shape.at(SPAN - self.random.randrange(self.windows))

    def fresh(self) -> int:
        """A number that no row had."""
        self.next += WRITERS
        return self.next

    def row(self, number: int) -> Row:
        """As it was last written, in this transaction or before."""
        key = self.shape.id(number)
        return next((row for k, row in reversed(self.changes) if k == key and row), None) or self.ledger.rows[key]

    def wrote(self, number: int, row: Row | None) -> None:
        """To be taken down: a row as it is now, or that it is gone."""
        self.changes.append((self.shape.id(number), row))
        if row is None:
            self.mine.discard(number)
        else:
            self.mine.add(number)

    def insert(self, connection: Connection, number: int) -> None:
        text, at = self.moment()
        sql = "INSERT INTO {t} (id, at, who, n, body) VALUES ({id}, {at}, %s, 1, 'new')"
        self.send(connection, sql, self.shape.id(number), text, self.number)
        self.wrote(number, (at, self.number, 1, "new"))

    def update(self, connection: Connection, number: int, *, prepare: bool = False) -> None:
        at, who, n, _ = self.row(number)
        body = f"changed {self.random.random()}"
        sql = "UPDATE {t} SET n = n + 1, body = %s WHERE id = {id}"
        self.send(connection, sql, body, self.shape.id(number), prepare=prepare)
        self.wrote(number, (at, who, n + 1, body))

    def count_up(self, connection: Connection) -> None:
        """A row that others write, too: as many increments as commits."""
        key = self.random.choice(self.ledger.shared)
        self.send(connection, "UPDATE {t} SET n = n + 1 WHERE id = {id}", key)
        self.counted.append(key)

    def delete(self, connection: Connection, number: int) -> None:
        self.send(connection, "DELETE FROM {t} WHERE id = {id}", self.shape.id(number))
        self.wrote(number, None)
