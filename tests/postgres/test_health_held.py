"""What keeps vacuum from removing dead rows is one finding, and names who does."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from schema_kit.health import checks, server
from schema_kit.health.facts import Holder, Observed, Server, Session
from tests.support.database import Database
from tests.support.health import health, repair

pytestmark = [pytest.mark.health, pytest.mark.majors]

AGE = 20


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few transactions are many; a session is idle for long at once."""
    monkeypatch.setattr(server, "HELD_AGE", AGE)
    monkeypatch.setattr(server, "IDLE_SECONDS", 0)
    monkeypatch.setattr(server, "PREPARED_SECONDS", 0)


def held(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [one for one in found if one["code"] in server.HOLDS]


def spend(database: Database) -> None:
    for _ in range(AGE + 1):
        database.sql("SELECT pg_current_xact_id()")


def in_transaction(database: Database, *statements: str) -> psycopg.Connection[Any]:
    connection = database.connect(autocommit=False)
    for statement in statements:
        connection.execute(statement.encode())
    return connection


@pytest.mark.parametrize("begun", ["SELECT pg_current_xact_id()", "SELECT 1"])
def test_a_session(database: Database, begun: str) -> None:
    holder = in_transaction(database, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", begun)
    spend(database)
    (one,) = held(health(database))
    assert (one["code"], one["object"]) == ("old_rows_held", str(holder.info.backend_pid))
    assert f"session {holder.info.backend_pid}" in one["evidence"]
    repair(database, one)
    assert held(health(database)) == []
    holder.close()


def test_a_prepared_transaction(database: Database) -> None:
    if database.sql("SHOW max_prepared_transactions") == [("0",)]:
        pytest.skip("this server takes no prepared transactions")
    in_transaction(database, "SELECT pg_current_xact_id()", "PREPARE TRANSACTION 'it''s'").close()
    spend(database)
    (one,) = held(health(database))
    assert (one["code"], one["object"]) == ("old_rows_held", "it's")
    repair(database, one)
    assert held(health(database)) == []


def test_the_oldest_alone_is_reported() -> None:
    young, old = Holder("session", "7", "a", AGE), Holder("standby", "east", "10.0.0.2", AGE + 5)
    sessions = (Session(7, "idle in transaction", 900, "a"),)
    found = checks.examine(Observed(server=Server(holders=(young, old), sessions=sessions)))
    assert [(one.code, one.object) for one in found] == [
        ("old_rows_held", "east"),
        ("session_idle_in_transaction", "7"),
    ]
    assert f"; 1 more keep those of {AGE} or more" in found[0].evidence
    assert "hot_standby_feedback" in found[0].repair.sql
    found = checks.examine(Observed(server=Server(holders=(young,), sessions=sessions)))
    assert [(one.code, one.object) for one in found] == [("old_rows_held", "7")]
    slot = Holder("replication slot", "s", "nobody reads it", AGE, catalogs=True)
    (one,) = checks.examine(Observed(server=Server(holders=(slot,))))
    assert "rows of system catalogs" in one.evidence
    assert checks.examine(Observed(server=Server(holders=(Holder("session", "7", "a", AGE - 1),)))) == []
