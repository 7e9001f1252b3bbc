"""Rows leave in batches: each is in one place at every moment, whichever other is at work, and whatever ends a run."""

from __future__ import annotations

import multiprocessing
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from multiprocessing.connection import Connection

import psycopg
import pytest
import sqlalchemy as sa

from schema_kit import environment, execute
from schema_kit.catalog import Catalog
from schema_kit.errors import ExecutionError
from schema_kit.execute import Event, StepProgress, Waiting
from tests.support.database import QUICK, Database
from tests.support.rows import (
    ARCHIVE,
    ARCHIVES,
    BROKEN,
    NOW,
    SESSIONS,
    SMALL,
    TABLE,
    TABLES,
    TREE,
    C,
    decide,
    leaving,
    left,
    name,
    run,
)
from tests.support.tables import checksum

pytestmark = [pytest.mark.archives, pytest.mark.ttl, pytest.mark.majors]

PROCESSES = multiprocessing.get_context("forkserver")


def test_rows_that_others_hold_are_passed_over_and_come_next_time(database: Database) -> None:
    database.sql(*TREE, *TABLE)
    with database.connect(autocommit=False) as holder:
        holder.execute("SELECT 1 FROM t WHERE id IN (3, 4, 50) FOR UPDATE")
        assert run(database, leaving("t")) == 10
        assert database.sql(f"SELECT array_agg(id ORDER BY id) FROM t WHERE at <= '{NOW}'") == [([3, 4, 50],)]
        holder.rollback()
    assert run(database, leaving("t")) == 1
    assert database.sql(f"SELECT count(*) FROM t WHERE at <= '{NOW}'") == [(0,)]
    assert not any(isinstance(event, Waiting) for event in database.events)


@pytest.mark.parametrize("table", TABLES)
def test_what_a_locked_row_references_stays_with_it(database: Database, table: str) -> None:
    database.sql(*TREE)
    row = f"SELECT min(id) FROM c.{table}" + (" WHERE expires_at IS NOT NULL" if table == "sessions" else "")
    with database.connect(autocommit=False) as holder:
        holder.execute(f"SELECT 1 FROM c.{table} WHERE id = ({row}) FOR UPDATE".encode())
        run(database, SESSIONS)
        due, _ = left(database)
        assert due <= 1
        assert database.sql(BROKEN) == [(0,)]
        holder.rollback()
    run(database, SESSIONS)
    assert left(database) == (0, 24)


def test_a_row_that_is_being_renewed_keeps_what_references_it(database: Database) -> None:
    database.sql(*TREE)
    whole = "SELECT count(*) FROM c.messages m JOIN c.threads t ON t.id = m.thread_id WHERE t.session_id = 1"
    before = database.sql(whole)
    with database.connect(autocommit=False) as holder:
        holder.execute("UPDATE c.sessions SET expires_at = '2027-01-01' WHERE id = 1")
        run(database, SESSIONS)
        holder.commit()
    run(database, SESSIONS)
    assert database.sql(whole) == before != [(0,)]
    assert left(database) == (0, 25)


def test_a_row_that_comes_meanwhile_holds_what_it_refers_to(database: Database) -> None:
    database.sql(*TREE, *ARCHIVES)
    one = replace(SESSIONS, archives=C)
    step = decide(Catalog(database.sqlalchemy()), one).steps[-1]
    with database.connect(autocommit=False) as writer:
        writer.execute("INSERT INTO c.threads (session_id) VALUES (1)")
        run(database, one)
        writer.commit()
    assert database.sql("SELECT count(*) FROM c.threads WHERE session_id = 1") == [(1,)]
    # Even one that came after the row was chosen, past the lock: the second statement sees it.
    with database.connect(autocommit=False) as batch:
        batch.execute(step.sql()[0].encode())
        database.sql("SET session_replication_role = replica", "INSERT INTO c.threads (session_id) VALUES (1)")
        batch.execute(step.sql()[1].encode())
        batch.commit()
    assert database.sql("SELECT count(*) FROM c.threads WHERE session_id = 1") == [(2,)]
    run(database, one)
    assert database.sql("SELECT count(*) FROM c.threads_archive WHERE session_id = 1") == [(4,)]
    assert left(database) == (0, 24)


@pytest.mark.exhaustive
def test_two_runs_at_once_take_each_row_once(database: Database) -> None:
    database.sql(*TABLE, *ARCHIVE, "INSERT INTO t (id, at) SELECT i, '2026-01-01' FROM generate_series(1000, 9000) i")
    before = checksum(database, "t")
    one = leaving("t", archives={name("t"): name("t_archive")}, pace=replace(SMALL, batch_size=50))
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda _: database.run(lambda catalog: decide(catalog, one)), range(3)))
    assert database.sql("SELECT count(*), count(DISTINCT id) FROM t_archive") == [(8101, 8101)]
    assert checksum(database, "t", "t_archive") == before


@pytest.mark.exhaustive
def test_without_a_failed_statement_or_a_wait_of_writers_and_readers(database: Database) -> None:
    database.sql(*TREE, *ARCHIVES)
    stop, failed = threading.Event(), list[BaseException]()

    def work(number: int) -> None:
        try:
            with psycopg.connect(database.url, autocommit=True) as connection:
                connection.execute("SET lock_timeout = '10s'")
                while not stop.is_set():
                    connection.execute(
                        "WITH s AS (INSERT INTO c.sessions (expires_at) VALUES (now() + interval '30 days') "
                        "RETURNING id) INSERT INTO c.threads (session_id) SELECT id FROM s"
                    )
                    connection.execute("UPDATE c.sessions SET expires_at = expires_at WHERE id %% 8 = %s", [number])
                    connection.execute("SELECT count(*) FROM c.sessions JOIN c.threads ON session_id = sessions.id")
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(3):
            run(database, replace(SESSIONS, archives=C))
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert failed == []
    run(database, replace(SESSIONS, archives=C))
    assert left(database)[0] == 0
    assert database.sql(BROKEN) == [(0,)]
    assert database.sql("SELECT count(*) FROM c.sessions_archive") == [(16,)]


@pytest.mark.exhaustive
def test_killed_at_any_point_each_row_is_in_one_place(database: Database) -> None:
    database.sql(*TREE, *ARCHIVES)
    before = [checksum(database, f"c.{table}", columns="id") for table in TABLES]
    kills = 0
    while True:
        here, there = PROCESSES.Pipe()
        process = PROCESSES.Process(target=child, args=(database.url, 1 + kills % 4, kills % 2 == 1, there))
        process.start()
        there.close()
        with here, suppress(EOFError):
            ended = here.recv() == "ended"
            if not ended:
                process.kill()
        process.join()
        both = [checksum(database, f"c.{table}", f"c.{table}_archive", columns="id") for table in TABLES]
        assert both == before
        assert database.sql(BROKEN) == [(0,)]
        if ended:
            break
        kills += 1
        assert kills < 100, "no progress"
    assert kills > 3
    assert left(database) == (0, 24)


def child(url: str, stop_at: int, session: bool, pipe: Connection) -> None:
    """Archive; after some batches either wait to be killed, or end the own server session in the middle of it."""
    seen = 0

    def tell(event: Event) -> None:
        nonlocal seen
        seen += isinstance(event, StepProgress)
        if seen == stop_at:
            seen += 1
            if session:
                with psycopg.connect(url, autocommit=True) as other:
                    other.execute("SELECT pg_terminate_backend(%s)", [pid])
            else:
                pipe.send("here")
                pipe.recv()

    with environment.connect(sa.make_url(url), autocommit=True) as connection:
        pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        try:
            execute.run(connection, lambda: decide(Catalog(connection), replace(SESSIONS, archives=C)), QUICK, tell)
        except ExecutionError:
            pipe.send("lost")
            return
    pipe.send("ended")
