"""Something is dropped between a look's snapshot and the moment at which PostgreSQL prints it: the look is repeated."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from schema_kit.catalog import Catalog
from schema_kit.model.tables import Table
from schema_kit.names import QualifiedName
from schema_kit.steps import Plan
from tests.support.database import Database

pytestmark = [pytest.mark.steps, pytest.mark.majors]

LOCK = 20260601

DROPPED = {
    "index": ("pg_get_indexdef", "CREATE INDEX i ON t (n)", "DROP INDEX i"),
    "key": (
        "pg_get_constraintdef",
        "ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (n) REFERENCES t",
        "ALTER TABLE t DROP CONSTRAINT f",
    ),
    "trigger": (
        "pg_get_triggerdef",
        "CREATE TRIGGER g BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
        "DROP TRIGGER g ON t",
    ),
    "view": ("pg_get_viewdef", "CREATE VIEW v AS SELECT n FROM t", "DROP VIEW v"),
    "statistics": ("pg_get_statisticsobjdef", "CREATE STATISTICS s ON id, n FROM t", "DROP STATISTICS s"),
}


@contextmanager
def overtaken(database: Database, function: str, drop: str) -> Iterator[list[str]]:
    """The first statement that prints with *function* waits, after its snapshot is taken, until *drop* is committed."""
    waits = f"coalesce((SELECT NULL::text FROM pg_catalog.pg_advisory_xact_lock_shared({LOCK})), {function}("
    sent: list[str] = []
    holding = database.connect()
    holding.execute("SELECT pg_advisory_lock(%s)", [LOCK])

    def first(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> tuple[str, Any]:
        if not sent and (changed := statement.replace(f"coalesce({function}(", waits)) != statement:
            sent.append(changed)
            return changed, parameters
        return statement, parameters

    def dropped() -> None:
        held = "SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND objid = %s"
        for _ in range(1000):
            if holding.execute(held, [LOCK]).fetchone() is not None:
                break
            time.sleep(0.02)
        holding.execute(drop.encode())
        holding.execute("SELECT pg_advisory_unlock(%s)", [LOCK])

    thread = threading.Thread(target=dropped)
    event.listen(Engine, "before_cursor_execute", first, retval=True)
    thread.start()
    try:
        yield sent
    finally:
        thread.join()
        event.remove(Engine, "before_cursor_execute", first)


@pytest.mark.parametrize("what", DROPPED)
def test_a_look_is_repeated(database: Database, what: str) -> None:
    function, create, drop = DROPPED[what]
    database.sql("CREATE TABLE t (id int PRIMARY KEY, n int)")
    name, seen = QualifiedName("public", "t"), list[Table | None]()

    def decide(catalog: Catalog) -> Plan:
        seen.append(catalog.table(name))
        return Plan("nothing", ())

    database.run(decide)
    database.sql(create)
    with overtaken(database, function, drop) as sent:
        database.run(decide)
    assert sent
    assert seen[0] is not None
    assert seen[-1] is not None
    assert replace(seen[0], stamp="") == replace(seen[-1], stamp="")
