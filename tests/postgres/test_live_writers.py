"""While the pack goes up, applications go on: no write fails, and none waits longer than the lock budget allows."""

from __future__ import annotations

import threading
import time

import pytest

from schema_kit.script import LockPolicy
from tests.support.database import Database
from tests.support.pack import WRITES, Writer, content, filled, migrate

pytestmark = [pytest.mark.pack, pytest.mark.majors]


@pytest.mark.deep
def test_writers_go_on_while_the_pack_goes_up(database: Database) -> None:
    filled(database, 20_000)
    before = content(database)
    stop = threading.Event()
    writers = {table: Writer(database.url, statements, stop) for table, statements in WRITES.items()}
    for writer in writers.values():
        writer.start()
    migrate(database, "upgrade", "head")
    time.sleep(0.2)
    stop.set()
    for table, writer in writers.items():
        writer.join()
        assert writer.error is None, (table, writer.error)
        kept = (writer.rounds + 9) // 10
        name = '"' + table.replace(".", '"."') + '"'
        assert content(database)[name][0] == before[name][0] + kept, "no write is lost, and none is made up"
        print(f"{table}: {writer.rounds} rounds, longest statement {writer.longest * 1000:.0f} ms")
    policy = LockPolicy()
    held = 1.0  # a commit of a conversion holds its locks for milliseconds; this machine may be busy
    assert max(writer.longest for writer in writers.values()) < policy.longest / 1000 + held
