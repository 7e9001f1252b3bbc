"""A procedure is killed in the middle of a batch: called again, each row is in one place, and nothing is done twice."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from typing import Any

import psycopg
import pytest

from schema_kit import embedded
from tests.support.database import Database
from tests.support.locks import wait_until
from tests.support.mortal import Mortal
from tests.support.partman import children, installed

pytestmark = [pytest.mark.partman, pytest.mark.majors]

ROWS = "SELECT id, at, x FROM {} ORDER BY id"
SET = (
    "CREATE TABLE s.t (id int NOT NULL, at timestamptz NOT NULL, x text) PARTITION BY RANGE (at)",
    "SELECT partman.create_parent('s.t', 'at', '1 day', p_premake := 2)",
)
FILL = """INSERT INTO {} SELECT i, date_trunc('day', now()) - 10 * interval '1 day' + i * interval '1 hour', 'x' || i
FROM generate_series(1, 200) i"""
MOVE = "CALL partman.partition_data_proc('s.t', p_interval := {}, p_source_table := {}, p_wait := 0, p_quiet := true)"
UNDO = (
    "CALL partman.undo_partition_proc('s.t', 's.target', p_interval := '6 hours', p_wait := 0, p_keep_table := false)"
)
MEANWHILE = """INSERT INTO s.t SELECT 999, date_trunc('day', now()) - interval '30 hours', 'meanwhile'
RETURNING id, at, x"""
MAINTAIN = "CALL partman.run_maintenance_proc()"


def in_default(database: Database) -> None:
    database.sql(*SET, FILL.format("s.t"))


def in_source(database: Database) -> None:
    database.sql(*SET, "CREATE TABLE s.source (LIKE s.t)", FILL.format("s.source"))


def in_partitions(database: Database) -> None:
    in_default(database)
    database.sql(MOVE.format("NULL", "NULL"), "CREATE TABLE s.target (LIKE s.t)")


def due(database: Database) -> None:
    """Three sets that lack their last partitions, and have old ones that go; with what they will have then."""
    for name in "abc":
        database.sql(
            f"CREATE TABLE s.{name} (id int NOT NULL, at timestamptz NOT NULL, x text) PARTITION BY RANGE (at)",
            f"SELECT partman.create_parent('s.{name}', 'at', '1 day', p_premake := 4, "
            "p_start_partition := (now() - interval '9 days')::text)",
            f"INSERT INTO s.{name} SELECT i, date_trunc('day', now()) - i * interval '1 day', 'x' "
            "FROM generate_series(0, 2) i",
            f"UPDATE partman.part_config SET premake = 9, retention = '3 days', retention_keep_table = false "
            f"WHERE parent_table = 's.{name}'",
        )


CASES: dict[str, tuple[Callable[[Database], None], str, str, tuple[str, ...]]] = {
    "a default": (in_default, MOVE.format("NULL", "NULL"), "SELECT 1 FROM s.t WHERE id = 120 FOR UPDATE", ("s.t",)),
    "another table": (
        in_source,
        MOVE.format("'5 hours'", "'s.source'"),
        "SELECT 1 FROM s.source WHERE id = 120 FOR UPDATE",
        ("s.t", "s.source"),
    ),
    "undo": (in_partitions, UNDO, "SELECT 1 FROM s.t WHERE id = 120 FOR UPDATE", ("s.t", "s.target")),
    "maintenance": (due, MAINTAIN, "LOCK TABLE s.b IN ACCESS EXCLUSIVE MODE", ("s.a", "s.b", "s.c")),
}
"""What is set up, what is called, what holds it up in the middle, and where rows may be."""


def everything(database: Database, tables: tuple[str, ...]) -> list[tuple[Any, ...]]:
    there = [name for name in tables if database.sql(f"SELECT to_regclass('{name}') IS NOT NULL")[0][0]]
    return sorted(
        (*row, name[-1] if tables[0] == "s.a" else "") for name in there for row in database.sql(ROWS.format(name))
    )


def stopped(database: Database, call: str, gate: str, end: Callable[[int], object]) -> None:
    """The call waits in the middle of a batch, and ends there."""
    holder = psycopg.connect(database.url)
    holder.execute(gate.encode())
    caller = psycopg.connect(database.url, autocommit=True)
    pid = caller.info.backend_pid

    def called() -> None:
        with suppress(psycopg.Error):
            caller.execute(call.encode())

    thread = threading.Thread(target=called)
    thread.start()
    wait_until(lambda: database.sql(f"SELECT 1 FROM pg_locks WHERE pid = {pid} AND NOT granted"))
    end(pid)
    thread.join()
    for one in (holder, caller):
        with suppress(psycopg.Error):
            one.close()


def finished(database: Database, case: str) -> None:
    """What the first call would have done is done, once."""
    _, call, _, _ = CASES[case]
    database.sql(call)
    if case == "maintenance":
        a, b, c = (sorted(bounds for bounds in children(database, f"s.{name}").values()) for name in "abc")
        assert a == b == c
        assert len(a) == 3 + 1 + 9 + 1, "days that are kept, today, ahead, the default"
    elif case == "undo":
        assert database.sql("SELECT count(*) FROM s.target") == [(201,)]
        assert database.sql("SELECT count(*) FROM partman.part_config") == [(0,)]
    else:
        assert database.sql("SELECT count(*) FROM s.t_default") == [(0,)]
        assert database.sql("SELECT count(*) FROM s.t") == [(201,)]


def killed(database: Database, case: str, end: Callable[[int], object], again: Callable[[], Database]) -> None:
    build, call, gate, tables = CASES[case]
    build(database)
    before = everything(database, tables)
    stopped(database, call, gate, end)
    database = again()
    assert everything(database, tables) == before, "right after"
    if case != "maintenance":  # another session writes meanwhile
        before = sorted([*before, (*database.sql(MEANWHILE)[0], "")])
    finished(database, case)
    assert everything(database, tables) == before
    if case != "undo":  # what is undone has no policy
        finished(database, case)
        assert everything(database, tables) == before


@pytest.mark.parametrize("case", CASES)
def test_a_session_that_is_ended(database: Database, case: str) -> None:
    installed(database)
    killed(database, case, lambda pid: database.sql(f"SELECT pg_terminate_backend({pid})"), lambda: database)


@pytest.fixture(scope="module")
def mortal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mortal]:
    folder = tmp_path_factory.mktemp("mortal")
    folder.chmod(0o755)
    found = Mortal(folder / "pg")
    try:
        yield found
    finally:
        embedded.stop(found.folder)


@pytest.mark.exhaustive
@pytest.mark.postgres
@pytest.mark.parametrize("case", CASES)
def test_a_backend_that_gets_kill_9(mortal: Mortal, case: str) -> None:
    """The server recovers by itself."""

    def up() -> bool:
        try:
            psycopg.connect(mortal.server.url("work")).close()
        except psycopg.OperationalError:
            return False
        return True

    with ExitStack() as stack:
        database = installed(mortal.database(stack))

        def again() -> Database:
            while not up():
                time.sleep(0.05)
            return Database(mortal.server.url("work"), stack)

        def end(pid: int) -> None:
            with psycopg.connect(database.url, autocommit=True) as witness, suppress(psycopg.OperationalError):
                os.kill(pid, signal.SIGKILL)
                while witness.execute("SELECT 1"):  # until the server has noticed
                    time.sleep(0.01)

        killed(database, case, end, again)
