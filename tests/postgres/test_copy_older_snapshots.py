"""What a copy's swap replays in its own commit is not seen by older snapshots: it waits for those that it can see."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import psycopg
import pytest

from schema_kit import execute, report
from schema_kit.catalog import Catalog
from schema_kit.execute import Event, StepStarted, Waiting
from schema_kit.model import Partitioning
from schema_kit.names import QualifiedName
from schema_kit.steps import Plan, Step
from schema_kit.steps.copied_table import SwapTable
from schema_kit.steps.rollback import SwapBack
from schema_kit.tasks.conversion import Convert, roll_back
from tests.support.database import QUICK, Database
from tests.support.ddl_of_others.change import TABLE

pytestmark = [pytest.mark.conversion, pytest.mark.majors]

T = QualifiedName("s", "t")
PATIENT = replace(QUICK, first=5000, longest=5000)
REPEATABLE = psycopg.IsolationLevel.REPEATABLE_READ
COUNT = "SELECT count(*) FROM s.t WHERE body = 'late'"
LATE = "INSERT INTO s.t (body) VALUES ('late')"


class Scene:
    """A conversion, and what happens as its swap, or the swap back, is sent."""

    def __init__(self, database: Database, swap: type[Step]) -> None:
        self.database, self.swap = database, swap
        self.connection = database.sqlalchemy()
        self.old = database.connect(autocommit=False)
        self.old.isolation_level = REPEATABLE
        self.told = list[str]()
        self.started = 0
        database.sql(*TABLE)
        if swap is SwapBack:
            database.run(self.there, PATIENT)

    def there(self, catalog: Catalog) -> Plan:
        return Convert(Partitioning(T, "at", "1 month"), "refuse", "copy", keep_old="fed").plan(catalog)

    def run(self) -> None:
        def decide() -> Plan:
            catalog = Catalog(self.connection)
            return roll_back(catalog, T) if self.swap is SwapBack else self.there(catalog)

        execute.run(self.connection, decide, PATIENT, self.tell)

    def tell(self, event: Event) -> None:
        if isinstance(getattr(event, "step", None), self.swap):
            if isinstance(event, StepStarted):
                self.started += 1
                if self.started == 1:
                    self.on_swap()
            if isinstance(event, Waiting):
                self.told.append(report.sentence(event))
                self.on_wait()

    def on_swap(self) -> None:
        """It is about to be sent."""

    def on_wait(self) -> None:
        """It waits, and no lock is held: the old transaction sees what it should, and ends."""
        if not self.old.closed:
            assert self.old.execute(COUNT).fetchone() == (1,)
            self.old.rollback()
            self.old.close()


class Before(Scene):
    """A snapshot is taken, and a key is in the log, before the swap asks for its locks."""

    def on_swap(self) -> None:
        self.database.sql(LATE)
        self.old.execute("SELECT 1 FROM s.place")


class WhileItQueues(Scene):
    """The same while the swap waits for its lock: it finds out when it has it, and gives it up."""

    def on_swap(self) -> None:
        self.database.sql(LATE)
        self.old.execute("SET lock_timeout = '20s'")  # its transaction is older than the swap's, its snapshot is not
        blocker = self.database.connect(autocommit=False)
        blocker.execute("SELECT 1 FROM s.t LIMIT 1")
        threading.Thread(target=self.later, args=(blocker,)).start()

    def later(self, blocker: psycopg.Connection[object]) -> None:
        wait_for_queue(self.database, 1)
        self.old.execute("SELECT 1 FROM s.place")
        blocker.rollback()


class WhoQueues(Scene):
    """A reader that comes to the table itself while the swap waits: out of reach, since it waits for the swap."""

    def on_swap(self) -> None:
        self.database.sql(LATE)
        self.seen = list[object]()
        blocker = self.database.connect(autocommit=False)
        blocker.execute("SELECT 1 FROM s.t LIMIT 1")
        threads = [threading.Thread(target=self.read), threading.Thread(target=self.later, args=(blocker,))]
        for thread in threads:
            thread.start()
        self.threads = threads

    def read(self) -> None:
        wait_for_queue(self.database, 1)
        self.seen = self.old.execute(COUNT).fetchall()
        self.old.rollback()

    def later(self, blocker: psycopg.Connection[object]) -> None:
        wait_for_queue(self.database, 2)
        blocker.rollback()


def wait_for_queue(database: Database, sessions: int) -> None:
    sql = "SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted AND relation = 's.t'::regclass"
    until = time.monotonic() + 20
    while database.sql(sql)[0][0] < sessions:
        assert time.monotonic() < until
        time.sleep(0.01)


@pytest.mark.exhaustive
@pytest.mark.parametrize("swap", [SwapTable, SwapBack])
def test_it_waits_for_a_snapshot_from_before(database: Database, swap: type[Step]) -> None:
    scene = Before(database, swap)
    scene.run()
    assert "would see the table as it was at its snapshot" in scene.told[0]
    assert database.sql(COUNT) == [(1,)]


@pytest.mark.exhaustive
def test_it_releases_its_lock_for_a_snapshot_that_came_while_it_waited(database: Database) -> None:
    scene = WhileItQueues(database, SwapTable)
    scene.run()
    assert scene.started > 1
    assert database.sql(COUNT) == [(1,)]


@pytest.mark.exhaustive
def test_a_transaction_that_waits_for_the_swap_itself_sees_the_table_without_the_last_keys(database: Database) -> None:
    """As docs/partitioning.md says; whatever begins after the commit sees them."""
    scene = WhoQueues(database, SwapTable)
    scene.run()
    for thread in scene.threads:
        thread.join()
    assert scene.started == 1
    assert scene.seen == [(0,)]
    assert database.sql(COUNT) == [(1,)]
