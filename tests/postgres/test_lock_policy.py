"""The lock policy: who may set it, what it is held to, and what is seen while something is in the way."""

from __future__ import annotations

import threading
import time
from contextlib import nullcontext

import pytest
import sqlalchemy as sa

import schema_kit
from schema_kit import op
from schema_kit.catalog.blockers import Blocker
from schema_kit.errors import DeclarationError, LockNotAvailable, PlanError
from schema_kit.execute import StepProgress, Waiting
from schema_kit.script import LockPolicy
from tests.support.database import QUICK, Database
from tests.support.locks import busy
from tests.support.matrix import build, state, told

pytestmark = [pytest.mark.steps, pytest.mark.majors]


def _check(database: Database, policy: LockPolicy = QUICK) -> None:
    with database.sqlalchemy() as connection, schema_kit.operations(connection, policy=policy):
        op.create_check_constraint_concurrently("c", "t", sa.text("v > 0"), schema="s")


def test_outside_of_migrations_with_and_without_autocommit(database: Database) -> None:
    build(database, "plain")
    _check(database)
    expected = state(database)
    build(database, "plain")
    engine = sa.create_engine(database.url.replace("postgresql:", "postgresql+psycopg:"), poolclass=sa.NullPool)
    with engine.connect() as connection, schema_kit.operations(connection, policy=QUICK):
        op.create_check_constraint_concurrently("c", "t", sa.text("v > 0"), schema="s")
    assert state(database) == expected
    with engine.connect() as connection:
        connection.execute(sa.text("SELECT 1"))
        with pytest.raises(PlanError, match=r"commit\(\) it first"), schema_kit.operations(connection):
            pass


def test_block_over_environment_over_env_py(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    build(database, "plain")
    tries: dict[str, int] = {}
    blocks: list[tuple[str, str, int | None]] = [("env.py", "", None), ("environment", "3", None), ("block", "3", 2)]
    other = database.connect(autocommit=False)
    other.execute("SELECT count(*) FROM s.t")
    for name, variable, attempts in blocks:
        monkeypatch.setenv("SCHEMA_KIT_LOCK_ATTEMPTS", variable)
        block = op.lock_policy(attempts=attempts) if attempts else nullcontext()
        with told(monkeypatch) as events, block, pytest.raises(LockNotAvailable):
            _check(database, LockPolicy(first=20, longest=20, attempts=4))
        tries[name] = sum(isinstance(event, Waiting) for event in events) + 1
    assert tries == {"env.py": 4, "environment": 3, "block": 2}


def test_bad_settings_are_refused(monkeypatch: pytest.MonkeyPatch, database: Database) -> None:
    with pytest.raises(DeclarationError, match="not patience"), op.lock_policy(patience=3):  # type: ignore[call-arg]
        pass
    with pytest.raises(DeclarationError, match="'soon' is not a duration"), op.lock_policy(longest="soon"):
        pass
    build(database, "plain")
    monkeypatch.setenv("SCHEMA_KIT_LOCK_TIMEOUT", "never")
    with pytest.raises(DeclarationError, match="'never' is not a duration"):
        _check(database)


@pytest.mark.exhaustive
def test_looking_first_keeps_out_of_the_queue(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """No session waits behind a step that only looks: the probe never meets a queue."""
    build(database, "plain")
    longest, stop = [0.0], threading.Event()
    probe = database.connect()

    def read() -> None:
        while not stop.is_set():
            began = time.monotonic()
            probe.execute("SELECT 1 FROM s.t LIMIT 1")
            longest[0] = max(longest[0], time.monotonic() - began)

    reader = threading.Thread(target=read)
    reader.start()
    with told(monkeypatch) as events, busy(database, "SELECT count(*) FROM s.t"), op.lock_policy(attempts=50):
        # The probe itself is seen now and then, in the moment of its query.
        _check(database, LockPolicy(first=2000, longest=2000, look_first=True, attempts=50))
    stop.set()
    reader.join()
    assert any(isinstance(event, Waiting) for event in events)
    assert longest[0] < 1.5, "a try would have made it wait for two seconds"


def test_a_prepared_transaction_in_the_way_is_named(database: Database) -> None:
    build(database, "plain")
    other = database.connect()
    other.execute("BEGIN")
    other.execute("INSERT INTO s.t VALUES (999, 1)")
    other.execute("PREPARE TRANSACTION 'left behind'")
    try:
        with pytest.raises(LockNotAvailable, match="prepared transaction 'left behind'"):
            _check(database, LockPolicy(first=20, longest=20, attempts=2))
    finally:
        other.execute("ROLLBACK PREPARED 'left behind'")


@pytest.mark.exhaustive
def test_a_long_build_reports_how_far_it_is(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    build(database, "plain")
    in_the_way = busy(database, "INSERT INTO s.t VALUES (999, 1)", seconds=3.5)
    connection = database.sqlalchemy()
    with told(monkeypatch) as events, in_the_way, schema_kit.operations(connection, policy=QUICK):
        op.create_index_concurrently("ix", "t", ["v"], schema="s")
    told_states = [event.state for event in events if isinstance(event, StepProgress)]
    assert any("waiting for" in text for text in told_states), told_states


def test_an_autovacuum_in_the_way_gets_one_long_try(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL cancels it, but only after deadlock_timeout: that is what the next try waits for."""
    from schema_kit import execute

    build(database, "plain")
    seen = Blocker("an autovacuum", autovacuum=True)
    budgets: list[int] = []
    send_once = execute._send_once

    def sent(connection: sa.Connection, step: object, policy: LockPolicy, budget: int, total: int) -> object:
        budgets.append(budget)
        return send_once(connection, step, policy, budget, total)  # type: ignore[arg-type]

    monkeypatch.setattr(execute, "_send_once", sent)
    monkeypatch.setattr(execute, "waited_for", lambda *_: (seen,))
    with busy(database, "SELECT count(*) FROM s.t", seconds=0.5):
        _check(database)
    assert budgets[:2] == [QUICK.first, 1500]
