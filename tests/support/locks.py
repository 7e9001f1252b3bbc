"""Sessions that hold locks, that wait for them, and that notice how long others hold them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.support.database import Database

OF_THIS_DATABASE = "database = (SELECT oid FROM pg_database WHERE datname = current_database())"
"""Of pg_locks, which shows those of other tests, too."""


def wait_until(condition: Callable[[], object]) -> None:
    """Poll; a test that waits for half a minute in vain has failed."""
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end, "it never came to this"
        time.sleep(0.01)


def waiting(database: Database) -> None:
    """Come back when the command waits for a lock."""
    end = time.monotonic() + 30
    asked = """SELECT 1 FROM pg_stat_activity WHERE application_name = 'schema_kit' AND wait_event_type = 'Lock'
               AND datname = current_database()"""
    while not database.sql(asked):
        assert time.monotonic() < end
        time.sleep(0.01)


@contextmanager
def busy(database: Database, *statements: str, seconds: float = 0.4) -> Iterator[None]:
    """A session holds locks in an open transaction, for a while after another has begun to wait for it."""
    other, done = database.connect(autocommit=False), threading.Event()
    for statement in statements:
        other.execute(statement.encode())
    waiters = f"SELECT 1 FROM pg_stat_activity WHERE {other.info.backend_pid} = ANY (pg_blocking_pids(pid))"

    def end() -> None:
        late = time.monotonic() + 5
        with database.connect() as watcher:
            while not (done.wait(0.02) or watcher.execute(waiters.encode()).fetchone() or time.monotonic() > late):
                pass
        done.wait(seconds)
        other.rollback()

    ender = threading.Thread(target=end)
    ender.start()
    try:
        yield
    finally:
        done.set()
        ender.join()


HELD_SECONDS = 1.0
"""A short time, on a machine that is busy with other tests."""


class Probe(threading.Thread):
    """Another session of the application, which reads and writes and notes how long that took."""

    def __init__(self, database: Database) -> None:
        super().__init__()
        self.connection = database.connect()
        self.ended = threading.Event()
        self.longest, self.rounds = 0.0, 0

    def run(self) -> None:
        while not self.ended.is_set():
            began = time.monotonic()
            self.connection.execute("UPDATE s.t SET k = k WHERE false")
            self.connection.execute("SELECT 1 FROM s.t LIMIT 1")
            self.connection.execute("DELETE FROM s.r WHERE false")
            self.longest = max(self.longest, time.monotonic() - began)
            self.rounds += 1


@contextmanager
def probing(database: Database) -> Iterator[Probe]:
    probe = Probe(database)
    probe.start()
    try:
        yield probe
    finally:
        probe.ended.set()
        probe.join()
