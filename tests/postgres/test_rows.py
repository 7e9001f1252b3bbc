"""Rows leave in batches: deleted or archived, oldest first, a tree from its leaves, or as a policy says."""

from __future__ import annotations

import threading
from typing import Any

import psycopg
import pytest

import schema_kit
from schema_kit import op
from schema_kit.execute import StepProgress
from tests.support.database import QUICK, Database
from tests.support.rows import (
    ARCHIVE,
    ARCHIVES,
    BROKEN,
    DECLARED,
    NOW,
    SESSIONS,
    TABLE,
    TABLES,
    TREE,
    C,
    archive,
    leaving,
    left,
    name,
    run,
)
from tests.support.tables import checksum

pytestmark = [pytest.mark.archives, pytest.mark.ttl, pytest.mark.majors]


def test_rows_that_are_due_are_deleted_oldest_first(database: Database) -> None:
    database.sql(*TABLE, "INSERT INTO t (id) VALUES (1000)")
    assert run(database, leaving("t")) == 10
    told = [event.state for event in database.events if isinstance(event, StepProgress)]
    assert [state.partition(",")[0] for state in told] == [f"{10 * i} rows" for i in range(1, 11)]
    assert database.sql("SELECT min(id), max(id), count(*) FROM t") == [(101, 1000, 101)]
    assert run(database, leaving("t")) == 0
    assert database.events == []


def test_rows_move_to_the_archive_and_are_stamped(database: Database) -> None:
    database.sql(*TABLE, *ARCHIVE)
    before = checksum(database, "t")
    run(database, leaving("t", "status = 'closed' -- really", None, archives={name("t"): name("t_archive")}))
    assert database.sql("SELECT count(*) FROM t WHERE status = 'closed'") == [(0,)]
    assert database.sql("SELECT count(*), bool_and(archived_at <= now()) FROM t_archive") == [(66, True)]
    assert checksum(database, "t", "t_archive") == before


def test_a_tree_goes_from_its_leaves(database: Database) -> None:
    database.sql(*TREE, *ARCHIVES)
    before = [checksum(database, f"c.{table}", columns="id") for table in TABLES]
    one = leaving("c.sessions", f"expires_at <= '{NOW}'", "expires_at", tree=DECLARED, archives=C)
    sessions = f"SELECT id FROM c.sessions WHERE expires_at <= '{NOW}'"
    threads = f"SELECT id FROM c.threads WHERE session_id IN ({sessions})"
    messages = f"SELECT id FROM c.messages WHERE thread_id IN ({threads})"
    citations = f"SELECT id FROM c.citations WHERE message_id IN ({messages})"
    went = [len(database.sql(rows)) for rows in (sessions, threads, messages, citations)]
    run(database, one)
    assert [checksum(database, f"c.{table}", f"c.{table}_archive", columns="id") for table in TABLES] == before
    expired = f"SELECT id FROM c.sessions WHERE expires_at <= '{NOW}'"
    assert database.sql(expired, "SELECT count(*) FROM c.sessions") == [(24,)]
    assert database.sql(
        "SELECT count(*) FROM c.threads_archive WHERE session_id NOT IN (SELECT id FROM c.sessions_archive)"
    ) == [(0,)]
    assert [database.sql(f"SELECT count(*) FROM c.{table}_archive")[0][0] for table in TABLES] == went


def test_what_cascades_goes_along_where_no_tree_is_declared(database: Database) -> None:
    database.sql(*TREE)
    run(database, SESSIONS)
    assert left(database) == (0, 24)


def test_what_is_closed_and_old_is_archived_and_a_view_shows_each_row_once(database: Database) -> None:
    database.sql(
        *TABLE, "INSERT INTO t (id, at, status) SELECT i, '2026-01-01', 'closed' FROM generate_series(300, 5000) i"
    )
    before = checksum(database, "t")
    closed: dict[str, Any] = {"way": "rows", "control": "at", "condition": "status = 'closed' -- done"}
    with schema_kit.operations(database.sqlalchemy(), policy=QUICK):
        op.create_archive_table("t", archived_at=True, view="whole")
        op.set_archive_policy("t", "1 hour", archived_at="archived_at", **closed)
    due = "SELECT count(*) FROM t WHERE status = 'closed' AND at <= '2026-11-21 23:00+00'"
    expected = database.sql(due)
    assert "move due rows of public.t to public.t_archive in batches" in archive(database, "--dry-run").stdout
    stop, seen = threading.Event(), set[Any]()

    def look() -> None:
        with psycopg.connect(database.url, autocommit=True) as connection:
            while not stop.is_set():
                seen.update(connection.execute("SELECT count(*), count(DISTINCT id) FROM whole").fetchall())

    reader = threading.Thread(target=look)
    reader.start()
    try:
        done = archive(database)
    finally:
        stop.set()
        reader.join()
    assert done.returncode == 0, done.stderr
    assert done.stdout == "move due rows of public.t to public.t_archive in batches\n"
    assert seen == {(4901, 4901)}
    assert checksum(database, "t", "t_archive") == before
    assert database.sql("SELECT count(*), count(archived_at) FROM t_archive") == [expected[0] * 2]
    assert database.sql(due) == [(0,)]
    assert archive(database).stderr == "nothing to do\n"


def test_a_tree_by_its_policy(database: Database) -> None:
    database.sql(*TREE, *ARCHIVES)
    before = [checksum(database, f"c.{table}", columns="id") for table in TABLES]
    aged: dict[str, Any] = {"way": "rows", "control": "expires_at", "archived_at": "archived_at"}
    with schema_kit.operations(database.sqlalchemy(), policy=QUICK):
        op.set_archive_policy("sessions", "10 days", schema="c", tree=DECLARED, **aged)
    assert archive(database, "c.sessions").returncode == 0
    assert [checksum(database, f"c.{table}", f"c.{table}_archive", columns="id") for table in TABLES] == before
    assert database.sql("SELECT count(*), count(archived_at) FROM c.sessions_archive") == [(8, 8)]
    assert database.sql(BROKEN) == [(0,)]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"control": "id", "archive_after": "90 days"}, "id is bigint, and ages are counted from a date or time"),
        ({"control": "at", "archive_after": "90 days"}, "public.t has no index that begins with at"),
        ({"condition": "true", "archived_at": "moved_at"}, "public.t_archive has no column moved_at"),
        ({"condition": "true", "tree": {"n": {}}}, "its tree has public.n below public.t, which it does not refer to"),
    ],
)
def test_a_policy_that_does_not_fit(database: Database, options: dict[str, Any], said: str) -> None:
    database.sql(*TABLE, "DROP INDEX t_at")
    with schema_kit.operations(database.sqlalchemy(), policy=QUICK):
        op.create_archive_table("t")
        op.set_archive_policy("t", way="rows", **options)
    done = archive(database)
    assert done.returncode == 3
    assert said in done.stderr
    assert database.sql("SELECT count(*) FROM t") == [(200,)]
