"""A session that waits says for whom: pid, application, state and age, after a while and again."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

import schema_kit
from schema_kit import environment, op, report, waiting
from schema_kit.errors import LockNotAvailable
from schema_kit.execute import Blocked, Event, Waiting, not_observed
from schema_kit.names import QualifiedName
from schema_kit.script import LockPolicy
from schema_kit.steps.partitions import Analyze
from tests.support.database import Database

pytestmark = [pytest.mark.steps, pytest.mark.majors]

PATIENT = LockPolicy(first=20_000, longest=20_000, attempts=3, statement_timeout=20_000)

TABLES = (
    "CREATE SCHEMA s",
    "CREATE TABLE s.t (id bigint PRIMARY KEY, v int NOT NULL)",
    "INSERT INTO s.t SELECT g, g FROM generate_series(1, 50) g",
    "CREATE INDEX ix ON s.t (v)",
    "CREATE TABLE s.p (id bigint, at timestamptz NOT NULL) PARTITION BY RANGE (at)",
    "CREATE TABLE s.p1 PARTITION OF s.p FOR VALUES FROM ('2026-01-01') TO ('2026-02-01')",
    "ALTER TABLE s.t ADD CONSTRAINT c CHECK (v > 0) NOT VALID",
)

WRITES_T = "INSERT INTO s.t VALUES (99, 1)"
LOCKS_A_ROW = "SELECT 1 FROM s.t WHERE id = 9 FOR UPDATE"
READS_P = "SELECT count(*) FROM s.p1"

WAITS: dict[str, tuple[Callable[[], None], str]] = {
    "create_index": (lambda: op.create_index_concurrently("made", "t", ["id", "v"], schema="s"), WRITES_T),
    "reindex": (lambda: op.reindex_concurrently("ix", schema="s"), WRITES_T),
    "drop_index": (lambda: op.drop_index_concurrently("ix", schema="s"), WRITES_T),
    "detach": (lambda: op.detach_partition_concurrently("p", "p1", schema="s"), READS_P),
    "validate": (lambda: op.validate_constraint("c", "t", schema="s"), "LOCK TABLE s.t IN SHARE MODE"),
    "lock": (lambda: op.create_check_constraint_concurrently("d", "t", "v > -1", schema="s"), WRITES_T),
    "row": (
        lambda: op.update_in_batches("t", {"v": sa.text("v + 1")}, schema="s"),
        "SELECT 1 FROM s.t WHERE id = 9 FOR UPDATE",
    ),
}


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seconds are tenths of them."""
    monkeypatch.setattr(waiting, "WATCH_SECONDS", 0.1)
    monkeypatch.setattr(waiting, "TOLD_AFTER_SECONDS", 0.3)
    monkeypatch.setattr(waiting, "TOLD_AGAIN_SECONDS", 0.3)


@contextmanager
def _holder(database: Database, statement: str) -> Iterator[psycopg.Connection[Any]]:
    """A session in an open transaction, idle."""
    with psycopg.connect(database.url, application_name="forgotten", autocommit=True) as other:
        other.execute("BEGIN")
        other.execute(statement.encode())
        yield other


def _perform(database: Database, operate: Callable[[], None]) -> None:
    url = sa.make_url(database.url).set(drivername="postgresql+psycopg")
    with environment.connect(url, autocommit=True) as connection, schema_kit.operations(connection, policy=PATIENT):
        operate()


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize("name", WAITS)
def test_who_is_waited_for_is_reported_again_and_again(
    database: Database, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    operate, statement = WAITS[name]
    database.sql(*TABLES)
    twice, told = threading.Event(), list[Blocked]()

    def tell(event: Event) -> None:
        if isinstance(event, Blocked):
            told.append(event)
            if len(told) == 2:
                twice.set()

    monkeypatch.setattr(report, "to_logging", tell)
    with _holder(database, statement) as other:
        pid = other.info.backend_pid

        def free() -> None:
            twice.wait(60)
            other.execute("ROLLBACK")

        freeing = threading.Thread(target=free)
        freeing.start()
        _perform(database, operate)
        freeing.join()
    assert len(told) >= 2
    for event in told[:2]:
        assert event.seconds >= 0.3
        assert any(
            line.startswith(f"pid {pid} (forgotten): idle in transaction, transaction open for ")
            for line in event.blockers
        )


@pytest.mark.usefixtures("soon")
def test_a_prepared_transaction_is_reported(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    database.sql(*TABLES)
    other = database.connect()
    for statement in ("BEGIN", WRITES_T, "PREPARE TRANSACTION 'left behind'"):
        other.execute(statement.encode())
    told = list[Blocked]()

    def tell(event: Event) -> None:
        if isinstance(event, Blocked) and not told:
            told.append(event)
            database.sql("ROLLBACK PREPARED 'left behind'")

    monkeypatch.setattr(report, "to_logging", tell)
    _perform(database, WAITS["create_index"][0])
    assert told[0].blockers[0].startswith("prepared transaction 'left behind': open for ")


@pytest.mark.usefixtures("soon")
def test_without_blockers_nothing_is_reported(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    database.sql(*TABLES)
    told = list[Event]()
    monkeypatch.setattr(report, "to_logging", told.append)
    for operate, _ in WAITS.values():
        _perform(database, operate)
    assert not [event for event in told if isinstance(event, Blocked)]


def test_through_every_way_of_telling(caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]) -> None:

    event = Blocked(Analyze(QualifiedName("s", "t")), ("pid 7 (psql): idle in transaction",), 5.2)
    with caplog.at_level(logging.DEBUG, "schema_kit"):
        report.to_logging(event)
    assert caplog.records[0].levelno == logging.WARNING
    assert "waiting for 5 s now to" in caplog.text
    assert "pid 7 (psql): idle in transaction" in caplog.text
    capsys.readouterr()  # a handler that another test has configured may write there
    report.to_json(event)
    line = json.loads(capsys.readouterr().err)
    assert (line["event"], line["level"], line["blockers"]) == ("Blocked", "warning", list(event.blockers))
    with report.terminal() as emit:
        emit(event)
    assert "pid 7 (psql): idle in transaction" in capsys.readouterr().err


def test_a_look_that_a_lock_has_stopped_says_whose(database: Database) -> None:
    database.sql(*TABLES)
    connection = database.sqlalchemy()
    connection.exec_driver_sql("SET lock_timeout = '50ms'")
    with _holder(database, "LOCK TABLE s.t IN ACCESS EXCLUSIVE MODE") as other:
        with pytest.raises(sa.exc.DBAPIError) as stopped:
            connection.exec_driver_sql("SELECT count(*) FROM s.t")
        said, pid = not_observed(stopped.value, connection), other.info.backend_pid
    assert isinstance(said, LockNotAvailable)
    assert said.sqlstate == "55P03"
    assert [line.split(",")[0] for line in said.blockers] == [f"pid {pid} (forgotten): AccessExclusiveLock on s.t"]


OWN_ROWS: dict[str, tuple[str, Callable[[], None]]] = {
    "part_config": (
        "FOR UPDATE",
        lambda: op.set_partition_policy("p", schema="s", control="at", interval="1 month", premake=7),
    ),
    "archive_policy": ("FOR NO KEY UPDATE", lambda: op.set_archive_policy("p", "1 year", schema="s")),
    "ttl_policy": ("FOR UPDATE", lambda: op.set_ttl_policy("t", "at", age="20 days", schema="s")),
}


@pytest.mark.parametrize("table", OWN_ROWS)
def test_the_holder_of_a_row_of_ours_is_named(database: Database, monkeypatch: pytest.MonkeyPatch, table: str) -> None:
    """Its holder has no lock of a table that a step claims."""
    strength, change = OWN_ROWS[table]
    database.sql(*TABLES, "ALTER TABLE s.t ADD at timestamptz", "CREATE INDEX ON s.t (at)")

    def first() -> None:
        op.set_partition_policy("p", schema="s", control="at", interval="1 month")
        op.create_archive_table("p", schema="s")
        op.set_archive_policy("p", "2 years", schema="s")
        op.set_ttl_policy("t", "at", age="10 days", schema="s")

    _perform(database, first)
    told = list[Waiting]()
    monkeypatch.setattr(report, "to_logging", lambda event: told.append(event) if isinstance(event, Waiting) else None)
    url = sa.make_url(database.url).set(drivername="postgresql+psycopg")
    with (
        _holder(database, f"SELECT 1 FROM schema_kit.{table} {strength}") as other,
        environment.connect(url, autocommit=True) as connection,
        schema_kit.operations(connection, policy=LockPolicy(first=50, longest=50, attempts=2)),
    ):
        pid = other.info.backend_pid
        with pytest.raises(LockNotAvailable, match=rf"pid {pid} \(forgotten\): RowShareLock on schema_kit.{table}"):
            change()
    assert [event.blockers[0].split(":")[0] for event in told] == [f"pid {pid} (forgotten)"]
