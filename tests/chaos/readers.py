"""Readers that know what they have to see: in READ COMMITTED and in REPEATABLE READ."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

import psycopg

from tests.chaos.sessions import GONE, Connection, connect
from tests.chaos.tables import APPLICATION, SHARED, STILL


@dataclass
class Reader(threading.Thread):
    """Counts rows whose number does not change, again and again.

    Args:
        url: the database.
        source: the table, or a view over it and its archive.
        still: how many rows stay untouched, and all readers see.
        repeatable: in REPEATABLE READ, twice in a transaction; each second one takes its snapshot elsewhere before.
        where: which rows those are.
    """

    url: str
    source: str
    repeatable: bool
    seed: int
    stop: threading.Event
    where: str = "who IN (0, -1)"
    still: int = STILL + SHARED
    wrong: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        super().__init__(daemon=True)
        self.random = random.Random(f"{self.seed} {self.repeatable}")
        self.sql = f"SELECT count(*) FROM {self.source} WHERE {self.where}"

    def __hash__(self) -> int:
        return id(self)

    def run(self) -> None:
        while not self.stop.is_set():
            try:
                with connect(self.url, "reader", APPLICATION) as connection:
                    while not self.stop.is_set():
                        self._snapshot(connection) if self.repeatable else self._look(connection)
                        time.sleep(self.random.uniform(0, 0.1))
            except psycopg.Error as error:
                if error.sqlstate not in GONE:
                    self.errors.append(f"reader: {error.sqlstate} {error}")
                time.sleep(0.1)

    def _count(self, connection: Connection) -> int:
        self.counts["reads"] += 1
        return int(connection.execute(self.sql.encode()).fetchall()[0][0])

    def _look(self, connection: Connection) -> None:
        if (found := self._count(connection)) != self.still:
            self.wrong.append(f"READ COMMITTED: {found} rows, not {self.still}")

    def _snapshot(self, connection: Connection) -> None:
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        elsewhere = self.random.random() < 0.5
        if elsewhere:
            connection.execute("SELECT count(*) FROM chaos.referred")
            time.sleep(self.random.uniform(0, 0.3))
        try:
            found = [self._count(connection)]
            time.sleep(self.random.uniform(0, 0.1))
            found.append(self._count(connection))
            if found != [self.still] * 2:
                self._judge(connection, found, elsewhere)
            connection.execute("COMMIT")
        except psycopg.Error as error:
            if error.sqlstate != "40001":  # it may have to try again, but never shown something else
                raise
            self.counts["reads refused"] += 1
            connection.execute("ROLLBACK")

    def _judge(self, connection: Connection, found: list[int], elsewhere: bool) -> None:
        """A snapshot from before the table changed its place is counted apart."""
        partitions = "SELECT array_agg(inhrelid ORDER BY inhrelid) FROM pg_inherits"
        before = connection.execute(partitions).fetchall()
        with connect(self.url) as fresh:
            after = fresh.execute(partitions).fetchall()
        if before != after:
            self.counts["old snapshots"] += 1
        else:
            self.wrong.append(f"REPEATABLE READ{' (began elsewhere)' if elsewhere else ''}: {found}, not {self.still}")
