"""A client that is stopped, or far away, holds no lock that others wait for: bounded for the transaction as a whole."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from schema_kit import execute
from schema_kit.catalog import Catalog
from schema_kit.errors import ExecutionError
from schema_kit.execute import Event, StepDone, StepStarted
from schema_kit.model import Partitioning
from schema_kit.names import QualifiedName
from schema_kit.script import LockPolicy, render
from schema_kit.steps import Plan, Step
from schema_kit.steps.conversion import Swap
from schema_kit.steps.step import Lock, LockMode
from schema_kit.tasks.conversion import Convert
from tests.support.database import Database
from tests.support.ddl_of_others.change import TABLE

pytestmark = [pytest.mark.conversion, pytest.mark.majors]

T = QualifiedName("s", "t")
SETTINGS = ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout", "transaction_timeout")


@dataclass(frozen=True)
class Two(Step):
    """Two statements under a lock, each within the limit."""

    seconds: float = 0.0

    @property
    def summary(self) -> str:
        return "work twice"

    @property
    def locks(self) -> tuple[Lock, ...]:
        return (Lock(LockMode.ACCESS_EXCLUSIVE, T), Lock(LockMode.ACCESS_EXCLUSIVE, T.sibling("place")))

    def sql(self) -> tuple[str, ...]:
        return (f"SELECT pg_sleep({self.seconds})", f"SELECT pg_sleep({self.seconds})")


def once(database: Database, step: Step, policy: LockPolicy, connection: sa.Connection | None = None) -> None:
    rest = [step]
    execute.run(
        connection or database.sqlalchemy(),
        lambda: Plan("one step", (rest.pop(),) if rest else ()),
        policy,
        lambda event: None,
    )


@contextmanager
def stopped(process: subprocess.Popen[str]) -> Iterator[None]:
    process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        process.send_signal(signal.SIGCONT)


@pytest.mark.exhaustive
def test_a_client_that_is_stopped_while_its_swap_queues(database: Database) -> None:
    """It holds the table, and has the last lock while it sleeps; no session waits for it to wake up."""
    database.sql(*TABLE)
    reader = database.connect(autocommit=False)
    reader.execute("SELECT 1 FROM s.place LIMIT 1")  # which only the swap requires for itself
    command = [
        sys.executable,
        "-m",
        "schema_kit",
        "partitions",
        "convert",
        "s.t",
        "--control",
        "at",
        "--interval",
        "1 month",
    ]
    command += ["--strategy", "attach", "--url", database.url]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 's.place'::regclass"
        until = time.monotonic() + 60
        while not database.sql(waiting)[0][0]:
            assert time.monotonic() < until
            time.sleep(0.01)
        with stopped(process):
            reader.rollback()
            database.sql("SET statement_timeout = '20s'", "SELECT 1 FROM s.t LIMIT 1")
        assert process.wait(60) == 0, process.stdout and process.stdout.read()
    finally:
        process.kill()
        process.communicate()
    assert database.sql("SELECT relkind FROM pg_class WHERE oid = 's.t'::regclass") == [("p",)]


@pytest.mark.exhaustive
def test_a_client_that_falls_silent_in_the_middle_of_a_step_is_let_go(database: Database) -> None:
    """A client that sends the statements one by one, as a script does."""
    database.sql(*TABLE)
    silent = database.connect()
    for statement in render(Two(), LockPolicy(longest=200))[:-1]:
        silent.execute(statement.encode())
    database.sql("SET statement_timeout = '20s'", "SELECT 1 FROM s.t LIMIT 1")
    with pytest.raises(psycopg.errors.IdleInTransactionSessionTimeout):
        silent.execute("COMMIT")


@pytest.mark.exhaustive
def test_all_statements_together_are_limited_where_the_server_can(database: Database) -> None:
    database.sql(*TABLE)
    policy = LockPolicy(longest=200, attempts=2, statement_timeout=1500)
    if database.sql("SELECT current_setting('server_version_num')::int >= 170000")[0][0]:
        with pytest.raises(ExecutionError, match="25P04"):
            once(database, Two(1.0), policy)
    else:
        once(database, Two(1.0), policy)
    once(database, Two(0.1), policy)


def test_the_session_has_its_own_settings_back(database: Database) -> None:
    database.sql(*TABLE)
    connection = database.sqlalchemy()
    shown = f"SELECT {', '.join(f'current_setting({name!r}, true)' for name in SETTINGS)}"

    def settings() -> tuple[Any, ...]:
        return tuple(connection.exec_driver_sql(shown).one())

    connection.exec_driver_sql("SET idle_in_transaction_session_timeout = '77s'")
    before = settings()
    once(database, Two(), LockPolicy(), connection)
    assert settings() == before


def test_a_swap_is_one_message(database: Database) -> None:
    """Whatever the network is like, the locks are held for what the server does."""
    database.sql(*TABLE)
    connection = database.sqlalchemy()
    raw: Any = connection.connection.dbapi_connection
    op = Convert(Partitioning(T, "at", "1 month"), "refuse", "attach")
    with tempfile.TemporaryFile("w+") as traced:

        def tell(event: Event) -> None:
            if isinstance(event, StepStarted) and isinstance(event.step, Swap):
                raw.pgconn.trace(traced.fileno())
            if isinstance(event, StepDone) and isinstance(event.step, Swap):
                raw.pgconn.untrace()

        execute.run(connection, lambda: op.plan(Catalog(connection)), LockPolicy(), tell)
        traced.seek(0)
        text = traced.read()
    assert re.findall(r"\tF\t\d+\t(\w+)", text) == ["Query"]
    assert text.index("BEGIN") < text.index("LOCK TABLE") < text.index("ATTACH PARTITION") < text.index("COMMIT")
