"""DDL of others, committed between the look that decided a swap and the swap's lock, is neither lost nor undone."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace

import psycopg
import pytest

from schema_kit import execute
from schema_kit.catalog import Catalog
from schema_kit.errors import ExecutionError, PlanError
from schema_kit.execute import Event, StepStarted
from schema_kit.model import Partitioning
from schema_kit.names import QualifiedName
from schema_kit.ops.operation import task
from schema_kit.plans.copied_table import Strategy
from schema_kit.steps import Plan, Step
from schema_kit.steps.conversion import Swap
from schema_kit.steps.copied_table import SwapTable
from schema_kit.steps.rollback import SwapBack
from schema_kit.steps.unpartition import Unswap
from schema_kit.tasks.conversion import Convert, roll_back, unpartition
from tests.support.database import QUICK, Database
from tests.support.ddl_of_others import BESIDE, CHANGES
from tests.support.ddl_of_others.change import TABLE, Change
from tests.support.ddl_of_others.names import NAMED, NAMES
from tests.support.locks import OF_THIS_DATABASE

pytestmark = [pytest.mark.conversion, pytest.mark.majors]

T = QualifiedName("s", "t")
POLICY = Partitioning(T, "at", "1 month")
PATIENT = replace(QUICK, longest=5000)
Decide = Callable[[Catalog], Plan]


def converting(strategy: Strategy) -> Decide:
    return Convert(POLICY, "refuse", strategy, keep_old="fed" if strategy == "copy" else False).plan


WAYS: dict[str, tuple[Strategy | None, Decide, type[Step]]] = {
    "attach": (None, converting("attach"), Swap),
    "copy": (None, converting("copy"), SwapTable),
    "unpartition": ("attach", task(unpartition, T), Unswap),
    "rollback": ("copy", lambda catalog: roll_back(catalog, T), SwapBack),
}


def between(database: Database, way: str, changes: Sequence[Change], more: Sequence[str] = ()) -> list[Change]:
    """Commit *changes* as the swap is sent; those whose effect the table has not in the end."""
    before, decide, swap = WAYS[way]
    database.sql(*TABLE, "CREATE TABLE s.other (id int PRIMARY KEY)", *more)
    if before:
        database.run(converting(before), PATIENT)
    connection, started = database.sqlalchemy(), list[Step]()

    def tell(event: Event) -> None:
        if isinstance(event, StepStarted) and isinstance(event.step, swap):
            if not started:
                database.sql(*(change.ddl for change in changes))
            started.append(event.step)

    refused = False
    try:
        execute.run(connection, lambda: decide(Catalog(connection)), PATIENT, tell)
    except (PlanError, ExecutionError) as error:
        refused = isinstance(error, PlanError) or isinstance(error.__cause__, PlanError)  # once something is committed
        print(error)  # shown where the test fails
    assert started
    assert refused or len(started) > 1, "it was decided again"
    carried = [change for change in changes if way not in change.lost]
    return [change for change in carried if not database.sql(f"SELECT {change.seen}")[0][0]]


def possible(way: str, change: Change) -> bool:
    return change.back or way in ("attach", "copy")


@pytest.mark.exhaustive
@pytest.mark.parametrize("way", WAYS)
def test_all_that_goes_together(database: Database, way: str) -> None:
    together = [change for change in CHANGES if not change.alone and possible(way, change)]
    assert len(together) > 30
    assert [change.name for change in between(database, way, together)] == []


@pytest.mark.deep
@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.name)
@pytest.mark.parametrize("way", WAYS)
def test_each_by_itself(database: Database, way: str, change: Change) -> None:
    if not possible(way, change):
        pytest.skip("not of a partitioned table")
    assert between(database, way, [change]) == []


@pytest.mark.exhaustive
@pytest.mark.parametrize("way", WAYS)
def test_names_that_stand_for_something_else(database: Database, way: str) -> None:
    """What is printed of the table names functions and other tables, which others rename while the swap queues."""
    assert [change.name for change in between(database, way, NAMES, NAMED)] == []


PAUSE = (
    """CREATE FUNCTION s.pause() RETURNS event_trigger LANGUAGE plpgsql
       AS 'BEGIN PERFORM pg_advisory_xact_lock_shared(4711); END'""",
    "CREATE EVENT TRIGGER pause ON ddl_command_end WHEN TAG IN ('ALTER TABLE') EXECUTE FUNCTION s.pause()",
)
"""A swap stops behind its first ALTER TABLE while a session has this lock: its locks are taken, it has compared."""


@pytest.mark.exhaustive
@pytest.mark.parametrize("way", WAYS)
def test_what_is_committed_next_to_its_locks(database: Database, way: str) -> None:
    """Between the comparison under the lock and the one before the commit; what has to wait for the swap aborts."""
    before, decide, swap = WAYS[way]
    database.sql(*TABLE)
    if before:
        database.run(converting(before), PATIENT)
    gate, started, committed = database.connect(), list[Step](), list[Change]()
    gate.execute("SELECT pg_advisory_lock(4711)")

    def beside() -> None:
        waiting = f"SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND {OF_THIS_DATABASE}"
        until = time.monotonic() + 20
        while not database.sql(waiting)[0][0] and time.monotonic() < until:
            time.sleep(0.01)
        other = database.connect()
        other.execute("SET lock_timeout = '20ms'")
        for change in BESIDE:
            with suppress(psycopg.errors.LockNotAvailable):
                if possible(way, change):
                    other.execute(change.ddl.encode())
                    committed.append(change)
        gate.execute("SELECT pg_advisory_unlock(4711)")

    def tell(event: Event) -> None:
        if isinstance(event, StepStarted) and isinstance(event.step, swap):
            if not started:
                database.sql(*PAUSE)
                threading.Thread(target=beside).start()
            started.append(event.step)

    connection = database.sqlalchemy()
    execute.run(
        connection,
        lambda: decide(Catalog(connection)),
        replace(PATIENT, first=20_000, longest=20_000, statement_timeout=20_000),
        tell,
    )
    names = {change.name for change in committed}
    assert "set a statistics object's target" in names
    if database.sql("SELECT current_setting('server_version_num')::int < 180000")[0][0]:
        assert "revoke on a column" in names
    assert not {name for name in names if name.startswith(("alter", "comment on a statistics", "comment on a seq"))}
    assert len(started) > 1, "it was decided again"
    carried = [change for change in committed if way not in change.lost]
    assert [c.name for c in carried if not database.sql(f"SELECT {c.seen}")[0][0]] == []
