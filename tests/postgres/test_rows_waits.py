"""Rows leave while sessions hold locks: what is passed over, what is waited for and how long, who is named."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from schema_kit.catalog import Catalog
from schema_kit.errors import LockNotAvailable
from schema_kit.execute import Waiting
from schema_kit.steps.rows import RemoveRows
from tests.support.database import QUICK, Database
from tests.support.locks import HELD_SECONDS, OF_THIS_DATABASE, wait_until
from tests.support.rows import ARCHIVE, TABLE, decide, leaving, name, run
from tests.support.tables import checksum
from tests.support.ttl import log, policy, ran, ttl

pytestmark = [pytest.mark.archives, pytest.mark.ttl, pytest.mark.majors]

AWAY = leaving("t", archives={name("t"): name("t_archive")})
KEPT = (
    "CREATE TABLE kept (id bigint PRIMARY KEY, t bigint REFERENCES t ON DELETE SET NULL)",
    "CREATE INDEX ON kept (t)",
    "INSERT INTO kept SELECT i, i FROM generate_series(1, 200) i",
)


def waits(database: Database) -> list[Waiting]:
    return [event for event in database.events if isinstance(event, Waiting)]


def meanwhile(work: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=work)
    thread.start()
    return thread


HELD = {
    "the table": "LOCK TABLE t IN SHARE MODE",
    "the archive": "LOCK TABLE t_archive IN SHARE ROW EXCLUSIVE MODE",
    "a row that has to be emptied": "UPDATE kept SET id = id WHERE t = 20",
    "a key of the archive": "INSERT INTO t_archive (id, archived_at) VALUES (20, now())",
}


@pytest.mark.exhaustive
@pytest.mark.parametrize("held", HELD)
def test_no_session_is_waited_for_beyond_the_budget_and_blockers_are_named(database: Database, held: str) -> None:
    database.sql(*TABLE, *ARCHIVE, *KEPT)
    before = checksum(database, "t")
    holder = database.connect(autocommit=False)
    holder.execute(HELD[held].encode())
    pid = holder.info.backend_pid
    with pytest.raises(LockNotAvailable) as error:
        run(database, AWAY)
    assert any(f"pid {pid}" in blocker for blocker in error.value.blockers), error.value.blockers
    assert len(waits(database)) == QUICK.attempts - 1
    assert checksum(database, "t", "t_archive") == before
    holder.rollback()
    run(database, AWAY)
    assert not waits(database)
    assert checksum(database, "t", "t_archive") == before
    assert database.sql("SELECT count(*), count(*) FILTER (WHERE t IS NULL) FROM kept") == [(200, 100)]


@pytest.mark.parametrize("held", HELD)
def test_it_goes_on_when_the_way_is_free(database: Database, held: str) -> None:
    database.sql(*TABLE, *ARCHIVE, *KEPT)
    before = checksum(database, "t")
    holder = database.connect(autocommit=False)
    holder.execute(HELD[held].encode())

    def release() -> None:
        wait_until(lambda: waits(database))
        holder.rollback()

    thread = meanwhile(release)
    run(database, AWAY)
    thread.join()
    assert waits(database)
    assert checksum(database, "t", "t_archive") == before
    assert database.sql("SELECT count(*) FROM t_archive") == [(100,)]


@pytest.mark.exhaustive
def test_writers_do_not_wait_behind_it(database: Database) -> None:
    """It waits for a lock of the table in short tries, and between them others go on."""
    database.sql(*TABLE, *ARCHIVE, "CREATE TABLE other (id bigint)")
    holder = database.connect(autocommit=False)
    holder.execute("LOCK TABLE t_archive IN SHARE MODE")
    stop, longest, failed = threading.Event(), [0.0], list[Exception]()

    def write() -> None:
        try:
            with psycopg.connect(database.url, autocommit=True) as connection:
                while not stop.is_set():
                    for statement in (
                        "INSERT INTO t (id, at) VALUES ((random() * 1e15)::bigint, '2027-01-01')",
                        "UPDATE t SET word = 'x' WHERE id = 1",
                        "SELECT count(*) FROM t",
                    ):
                        began = time.monotonic()
                        connection.execute(statement.encode())
                        longest[0] = max(longest[0], time.monotonic() - began)
        except psycopg.Error as error:
            failed.append(error)

    writer = meanwhile(write)
    with pytest.raises(LockNotAvailable):
        run(database, AWAY)
    stop.set()
    writer.join()
    assert not failed
    assert longest[0] < QUICK.longest / 1000 + HELD_SECONDS


@pytest.mark.exhaustive
def test_the_command_names_who_holds_the_table_and_rows_are_left_for_next_time(database: Database) -> None:
    log(database)
    policy(database, "log", "at")
    holder = database.connect(autocommit=False)
    holder.execute("SET application_name = 'the holder'")
    holder.execute("LOCK TABLE log IN SHARE MODE")
    done = ttl(database, "run", "--yes", "--lock-timeout", "50ms", now="2036-01-01")
    assert done.returncode == 1
    assert "the holder" in done.stderr
    assert "Traceback" not in done.stderr
    assert database.sql("SELECT count(*) FROM log") == [(101,)]
    holder.rollback()
    holder.execute("SELECT 1 FROM log WHERE id IN (7, 8) FOR KEY SHARE")
    done = ttl(database, "run", "--yes", now="2036-01-01")
    assert done.returncode == 0, done.stderr
    assert "something is left, since others hold it" in done.stderr
    assert database.sql("SELECT count(*) FROM log") == [(3,)]
    holder.rollback()
    ran(database, now="2036-01-01")
    assert database.sql("SELECT count(*) FROM log") == [(1,)]


@pytest.mark.parametrize("referred", [False, True])
def test_a_row_that_changes_between_the_snapshot_and_the_lock(database: Database, referred: bool) -> None:
    """One that is renewed stays; one that is due still goes with what it says now, or comes next time."""
    database.sql(
        *TABLE,
        *ARCHIVE,
        "CREATE FUNCTION gate() RETURNS boolean LANGUAGE plpgsql AS "
        "'BEGIN PERFORM pg_advisory_lock_shared(42), pg_advisory_unlock_shared(42); RETURN true; END'",
    )
    one = AWAY
    if referred:
        database.sql("CREATE TABLE n (t bigint REFERENCES t ON DELETE CASCADE)", "CREATE INDEX ON n (t)")
        database.sql("CREATE TABLE n_archive (t bigint)")
        one = replace(AWAY, archives={**(AWAY.archives or {}), name("n"): name("n_archive")})
    before = database.sql("SELECT count(*) FROM t")
    other = database.connect()
    other.execute("SELECT pg_advisory_lock(42)")
    step = decide(Catalog(database.sqlalchemy()), one).steps[-1]
    assert isinstance(step, RemoveRows)
    assert len(step.sql()) == (3 if referred else 2), "what came since it was planned is looked for first"
    step = replace(step, due=replace(step.due, where=f"{step.due.where} AND (id <> 1 OR gate())"))
    batch = database.connect()
    thread = meanwhile(lambda: [batch.execute(part.encode()) for part in ("BEGIN", *step.sql(), "COMMIT")])
    waiting = f"SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND {OF_THIS_DATABASE}"
    wait_until(lambda: other.execute(waiting).fetchall())
    other.execute("UPDATE t SET at = '2027-01-01', word = 'renewed' WHERE id = 2")
    other.execute("UPDATE t SET word = 'changed' WHERE id IN (3, 5)")
    other.execute("DELETE FROM t WHERE id = 4")
    other.execute("SELECT pg_advisory_unlock(42)")
    thread.join()
    run(database, one)
    assert database.sql("SELECT at > now(), word FROM t WHERE id = 2") == [(True, "renewed")]
    assert database.sql("SELECT id, word FROM t_archive WHERE id < 6 ORDER BY id") == [
        (1, "ว1"),
        (3, "changed"),
        (5, "changed"),
    ]
    both: list[tuple[Any, ...]] = database.sql(
        "SELECT count(*), count(DISTINCT id) FROM (SELECT id FROM t UNION ALL SELECT id FROM t_archive) x"
    )
    assert both == [(before[0][0] - 1, before[0][0] - 1)]
