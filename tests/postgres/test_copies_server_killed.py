"""The server dies in the middle of a copy, again and again, during writes: started again and run again, it goes on."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import psycopg
import pytest

from schema_kit import embedded
from tests.support.cli import command
from tests.support.copies import BY, DEFAULT, PLAIN, WHOLE, begin, held, left_behind
from tests.support.database import Database
from tests.support.matrix import longer
from tests.support.writers import ROWS, SPAN, same

pytestmark = [pytest.mark.conversion, pytest.mark.partitions, pytest.mark.majors, pytest.mark.postgres]

SETTINGS = {"shared_buffers": "32MB", "max_wal_size": "256MB", "checkpoint_timeout": "30s"}
WRITERS = 3


@pytest.fixture
def folder() -> Iterator[Path]:
    root = Path(tempfile.mkdtemp(prefix="sk-", dir="/tmp"))
    root.chmod(0o755)
    try:
        yield root / ".schema_kit"
    finally:
        embedded.stop(root / ".schema_kit")
        shutil.rmtree(root, ignore_errors=True)


class Writer(threading.Thread):
    """Writes the same into both tables in one transaction: whatever a lost connection leaves open, both have it."""

    def __init__(self, url: str, number: int, stop: threading.Event) -> None:
        super().__init__(daemon=True)
        self.url, self.number, self.stop = url, number, stop
        self.random, self.next, self.committed = random.Random(number), ROWS + 1 + number, 0
        self.error: BaseException | None = None

    def run(self) -> None:
        while not self.stop.is_set():
            try:
                with psycopg.connect(self.url, connect_timeout=5) as connection:
                    while not self.stop.is_set():
                        self._write(connection)
            except psycopg.OperationalError:
                time.sleep(0.1)  # the server is gone, or coming back
            except BaseException as error:
                self.error = error
                return

    def _write(self, connection: psycopg.Connection[object]) -> None:
        mine = self.random.randrange(ROWS // WRITERS) * WRITERS + self.number + 1
        self.next += WRITERS
        at = f"timestamptz '2026-01-01 00:00+00' + {self.random.randrange(SPAN)} * interval '1 second'"
        statement = self.random.choice(
            (
                f"INSERT INTO {{}} (id, at, body) VALUES ({self.next}, {at}, 'new')",
                f"UPDATE {{}} SET body = 'changed {self.next}' WHERE id = {mine}",
                f"UPDATE {{}} SET at = {at} WHERE id = {mine}",
                f"UPDATE {{}} SET id = {self.next} WHERE id = {mine}",
                f"DELETE FROM {{}} WHERE id = {mine}",
            )
        )
        for table in ("s.t", "s.control"):
            connection.execute(statement.format(table).encode())
        connection.commit()
        self.committed += 1
        time.sleep(0.002)


def sent(database: Database, arguments: tuple[str, ...], lines: int, server: embedded.Server) -> tuple[int, str, bool]:
    """The command; after so many lines of what it writes, the server dies without a word."""
    call = command(database, "partitions", *arguments, "--format", "json")
    told, killed = "", False
    with subprocess.Popen(call, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as process:
        assert process.stderr is not None
        for count, line in enumerate(process.stderr, 1):
            told += line
            if count == lines:
                time.sleep(random.uniform(0, 0.1))
                killed = True
                os.kill(server.pid, signal.SIGQUIT)  # what pg_ctl stop -m immediate sends
        return process.wait(), told, killed


def gone(pid: int) -> None:
    for _ in range(300):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        with suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
        time.sleep(0.1)
    raise AssertionError("the server does not end")


CASES = {
    "drain": (DEFAULT, ("drain-default", "s.t", "--workers", "2")),
    "split": (WHOLE, ("split", "s.t_before")),
    "convert": (PLAIN, ("convert", "s.t", *BY, "--strategy", "copy", "--feed", "--workers", "2")),
}


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.mark.deep
@pytest.mark.parametrize("what", longer(CASES, "split", "convert", mark=pytest.mark.deep))
def test_it_goes_on_when_the_server_is_back(folder: Path, stack: ExitStack, what: str) -> None:
    server = embedded.start(folder, quiet=True, settings=SETTINGS)
    tables, arguments = CASES[what]
    database = Database(server.url(), stack)
    if what == "convert":
        database.sql(*tables)
    else:
        begin(database, *tables)
    stop = threading.Event()
    writers = [Writer(server.url(), number, stop) for number in range(WRITERS)]
    for writer in writers:
        writer.start()
    deaths = 0
    try:
        for commands in (arguments, ("convert", "s.t", "--rollback")) if what == "convert" else (arguments,):
            for lines in range(2, 200, 3):
                code, told, killed = sent(database, commands, lines, server)
                assert "Traceback" not in told, told
                if killed:
                    deaths += 1
                    gone(server.pid)
                    server = embedded.start(folder, quiet=True, settings=SETTINGS)
                if code == 0:
                    break
                assert (killed, code) == (True, 1), told
    finally:
        stop.set()
        for writer in writers:
            writer.join()
    assert [writer.error for writer in writers] == [None] * WRITERS
    assert all(writer.committed > 20 for writer in writers)
    assert deaths >= 4
    assert left_behind(database) == []
    assert "s.t_default" not in held(database)
    assert database.sql("SELECT relkind FROM pg_class WHERE oid = 's.t'::regclass") == [
        ("r" if what == "convert" else "p",)
    ]
    same(database, "s.t", "s.control")
