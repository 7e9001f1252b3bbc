"""A table that one server publishes and another one subscribes to, and writers that go on all the time."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from schema_kit import embedded
from tests.support.database import Database

SETTINGS = {
    "fsync": "off",
    "wal_level": "logical",
    "max_connections": "50",
    "max_replication_slots": "20",
    "wal_retrieve_retry_interval": "100ms",
}

_NUMBER = count(1)


@dataclass
class Pair:
    """A database on each of two servers."""

    here: Database
    there: Database
    server: embedded.Server
    subscribed: list[str] = field(default_factory=list)

    def subscribe(self, *publications: str) -> None:
        """Let the other database subscribe, and wait until it has what exists."""
        name = f"sub_{next(_NUMBER)}"
        dbname = psycopg.conninfo.conninfo_to_dict(self.here.url)["dbname"]
        source = f"host={self.server.socket_dir} port={self.server.port} user=postgres dbname={dbname}"
        self.there.sql(f"CREATE SUBSCRIPTION {name} CONNECTION '{source}' PUBLICATION {', '.join(publications)}")
        self.subscribed.append(name)
        _until(lambda: self.there.sql("SELECT bool_and(srsubstate = 'r') FROM pg_subscription_rel")[0][0], "first rows")

    def caught_up(self) -> None:
        """Wait until the other database has applied all that was committed here before."""
        lsn = self.here.sql("SELECT pg_current_wal_insert_lsn()")[0][0]
        slots = ", ".join(f"'{name}'" for name in self.subscribed)
        ask = f"SELECT bool_and(confirmed_flush_lsn >= '{lsn}') FROM pg_replication_slots WHERE slot_name IN ({slots})"
        _until(lambda: self.here.sql(ask)[0][0], "the subscriber")

    def equal(self, columns: str = "*", where: str = "true") -> bool:
        """Whether both hold the same rows of app.t."""
        ask = f"SELECT {columns} FROM app.t WHERE {where} ORDER BY id, at"
        return self.here.sql(ask) == self.there.sql(f"SELECT {columns} FROM app.t ORDER BY id, at")

    def leave(self) -> None:
        """End the subscriptions, so that no slot is left."""
        for name in self.subscribed:
            self.there.sql(f"DROP SUBSCRIPTION {name}")


def _until(ready: Any, what: str) -> None:
    end = time.monotonic() + 30
    while not ready():
        if time.monotonic() > end:
            raise AssertionError(f"waited 30 s for {what}")
        time.sleep(0.05)


@contextmanager
def servers(folder: Path) -> Iterator[tuple[embedded.Server, embedded.Server]]:
    """Two servers, one of which publishes."""
    started = [folder / name for name in ("publisher", "subscriber")]
    try:
        here, there = (embedded.start(one, quiet=True, settings=SETTINGS) for one in started)
        yield here, there
    finally:
        for one in started:
            embedded.stop(one)


@contextmanager
def pair(both: tuple[embedded.Server, embedded.Server]) -> Iterator[Pair]:
    """A database of its own on each of them."""
    name = f"published_{next(_NUMBER)}"
    with ExitStack() as stack:
        for server in both:
            with psycopg.connect(server.url(), autocommit=True) as connection:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        here, there = (Database(server.url(name), stack) for server in both)
        found = Pair(here, there, both[0])
        try:
            yield found
        finally:
            found.leave()


@dataclass
class Writers:
    """Applications that insert, update, move and delete rows of app.t, each its own; no write may fail."""

    database: Database
    done: int = 0
    errors: list[BaseException] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def work(self) -> None:
        """One of them."""
        try:
            with psycopg.connect(self.database.url, autocommit=True) as connection:
                while not self.stop.wait(0.003):  # a log of keys that fills faster than it empties is another matter
                    own = 1000 * next(_NUMBER)
                    self.write(connection, own)
                    self.done += 1
        except BaseException as error:
            self.errors.append(error)

    def write(self, connection: psycopg.Connection[Any], own: int) -> None:
        """Five rows come; one stays, one is changed, one moves to another month, one goes, one does all of that."""
        connection.execute(
            "INSERT INTO app.t (id, at, body) SELECT %s + i, now() - i * interval '9 days', 'new' "
            "FROM generate_series(1, 5) i",
            (own,),
        )
        changed = "body = 'changed', secret = 'other'"
        connection.execute(f"UPDATE app.t SET {changed} WHERE id IN (%s, %s)", (own + 1, own + 5))
        connection.execute("UPDATE app.t SET at = at - interval '35 days' WHERE id IN (%s, %s)", (own + 2, own + 5))
        connection.execute("DELETE FROM app.t WHERE id IN (%s, %s)", (own + 3, own + 5))
        connection.execute("UPDATE app.t SET body = body || '.' WHERE id = %s", (1 + own // 1000 % 200,))

    def go_on(self, rounds: int = 20) -> None:
        """Wait until so much more is written."""
        before = self.done
        _until(lambda: self.errors or self.done >= before + rounds, "writers")


@contextmanager
def writing(database: Database, workers: int = 2) -> Iterator[Writers]:
    """Let them write all the time."""
    writers = Writers(database)
    threads = [threading.Thread(target=writers.work) for _ in range(workers)]
    for thread in threads:
        thread.start()
    try:
        writers.go_on()
        yield writers
        writers.go_on()
    finally:
        writers.stop.set()
        for thread in threads:
            thread.join()
    if writers.errors:
        raise writers.errors[0]
