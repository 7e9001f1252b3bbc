"""Rows leave in batches: each is in one place at every moment, whoever else is at work, and whatever ends a run."""

from __future__ import annotations

import multiprocessing
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from multiprocessing.connection import Connection
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

import schema_kit
from schema_kit import environment, execute, op
from schema_kit.catalog import Catalog
from schema_kit.errors import DeclarationError, ExecutionError, PlanError
from schema_kit.execute import Event, StepProgress, Waiting
from schema_kit.names import QualifiedName
from schema_kit.plans.rows import Leaving, remove
from tests.support.database import QUICK, Database
from tests.support.rows import (
    ARCHIVE,
    ARCHIVES,
    BROKEN,
    DECLARED,
    NOW,
    SMALL,
    TABLE,
    TABLES,
    TREE,
    archive,
    decide,
    leaving,
    name,
    run,
)
from tests.support.tables import checksum

pytestmark = [pytest.mark.archives, pytest.mark.ttl, pytest.mark.majors]

C = {QualifiedName("c", table): QualifiedName("c", f"{table}_archive") for table in TABLES}


C_MESSAGES = name("c.messages")
SESSIONS = leaving("c.sessions", f"expires_at <= '{NOW}'", "expires_at")
PROCESSES = multiprocessing.get_context("forkserver")


def left(database: Database) -> tuple[int, int]:
    """The sessions that are due still, and all."""
    due = f"count(*) FILTER (WHERE expires_at <= '{NOW}')"
    found: tuple[int, int] = database.sql(f"SELECT {due}, count(*) FROM c.sessions")[0][:2]
    return found


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
def test_what_a_held_row_hangs_on_stays_with_it(database: Database, table: str) -> None:
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


def test_a_row_that_is_being_renewed_keeps_what_hangs_on_it(database: Database) -> None:
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
def test_without_a_failed_statement_or_a_wait_beside_writers_and_readers(database: Database) -> None:
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


# Shapes


@pytest.mark.parametrize(
    "key", ["PRIMARY KEY (id, word)", "PRIMARY KEY (word COLLATE_C)", "UNIQUE (id)"], ids=["composite", "text", "none"]
)
def test_whatever_the_key(database: Database, key: str) -> None:
    word = 'text COLLATE "C"' if "COLLATE_C" in key else "text"
    database.sql(
        f"CREATE TABLE t (id bigint, at timestamptz, word {word}, {key.replace(' COLLATE_C', '')})",
        "CREATE INDEX ON t (at DESC, id)",
        f"INSERT INTO t SELECT i, '{NOW}', 'ก''\\' || i FROM generate_series(1, 95) i",
        "INSERT INTO t SELECT i, 'infinity', 'w' || i FROM generate_series(96, 99) i",
    )
    assert run(database, leaving("t")) == 10
    assert database.sql("SELECT count(*), min(id) FROM t") == [(4, 96)]
    if "PRIMARY" in key:
        assert run(database, leaving("t", "id > 0", None)) == 1
        assert database.sql("SELECT count(*) FROM t") == [(0,)]


def test_names_that_need_quotes(database: Database) -> None:
    odd = '"Sch ""e.ma"'
    database.sql(
        f"CREATE SCHEMA {odd}",
        f'CREATE TABLE {odd}."Ta\'ble%s" ("I d" uuid PRIMARY KEY DEFAULT gen_random_uuid(), "เวลา" timestamp)',
        f'CREATE TABLE {odd}."เด็ก" ("I d" uuid PRIMARY KEY DEFAULT gen_random_uuid(), "O f" uuid REFERENCES '
        f'{odd}."Ta\'ble%s" ON DELETE CASCADE)',
        f'CREATE INDEX ON {odd}."เด็ก" ("O f")',
        f'CREATE INDEX ON {odd}."Ta\'ble%s" ("เวลา")',
        f"INSERT INTO {odd}.\"Ta'ble%s\" (\"เวลา\") SELECT '2026-01-01'::timestamp + i * interval '1 day' "
        "FROM generate_series(1, 30) i",
        f'INSERT INTO {odd}."เด็ก" ("O f") SELECT "I d" FROM {odd}."Ta\'ble%s"',
    )
    table = QualifiedName('Sch "e.ma', "Ta'ble%s")
    run(database, Leaving(table, "\"เวลา\" <= '2026-01-20'", "เวลา", tree={"เด็ก": {}}, pace=SMALL))
    assert database.sql(f'SELECT count(*) FROM {odd}."เด็ก"') == [(11,)]
    assert database.sql(f'SELECT count(*) FROM {odd}."Ta\'ble%s"') == [(11,)]


def test_under_a_session_with_settings_of_its_own(database: Database) -> None:
    database.sql(*TREE, *ARCHIVES)
    name = database.sql("SELECT quote_ident(current_database())")[0][0]  # a role has other tests beside this one
    for setting in ("DateStyle = 'SQL, DMY'", "TimeZone = 'Asia/Kolkata'"):
        database.sql(f"ALTER DATABASE {name} SET {setting}")
    assert database.sql("SELECT current_setting('TimeZone')") == [("Asia/Kolkata",)]
    run(database, replace(SESSIONS, archives=C))
    with database.connect() as plain:
        plain.execute("SET TimeZone = 'UTC'")
        due = f"SELECT count(*) FILTER (WHERE expires_at <= '{NOW}+00'), count(*) FROM c.sessions"
        assert plain.execute(due.encode()).fetchone() == (0, 24)


def test_identity_and_generated_columns(database: Database) -> None:
    database.sql(*TREE, *ARCHIVES)
    run(database, replace(SESSIONS, archives=C))
    assert database.sql("SELECT bool_and(id < 41) FROM c.sessions_archive") == [(True,)]
    database.sql(*TABLE, "CREATE TABLE plain AS SELECT * FROM t WHERE false")
    before = checksum(database, "t")
    run(database, leaving("t", archives={name("t"): name("plain")}))
    assert checksum(database, "t", "plain") == before


def test_a_partitioned_table_by_its_key(database: Database) -> None:
    database.sql(*TREE, "CREATE INDEX ON c.messages (at)", *ARCHIVES)
    before = checksum(database, "c.messages", columns="id")
    one = Leaving(C_MESSAGES, "at <= '2026-08-01'", "at", archives=C, pace=SMALL)
    assert run(database, one) > 18
    assert checksum(database, "c.messages", "c.messages_archive", columns="id") == before
    assert database.sql("SELECT count(*) FROM c.messages WHERE at <= '2026-08-01'") == [(0,)]
    assert database.sql(BROKEN) == [(0,)]


def test_those_that_inherit_are_left_alone(database: Database) -> None:
    database.sql(*TABLE, "CREATE TABLE heir () INHERITS (t)", "INSERT INTO heir (id, at) SELECT id, at FROM t")
    run(database, leaving("t"))
    assert database.sql("SELECT count(*) FROM heir") == [(200,)]


def test_references_that_may_be_emptied_are(database: Database) -> None:
    database.sql(*TABLE, "CREATE TABLE notes (t bigint REFERENCES t ON DELETE SET NULL)", "CREATE INDEX ON notes (t)")
    database.sql("INSERT INTO notes SELECT id FROM t")
    run(database, leaving("t", tree={}))
    assert database.sql("SELECT count(*), count(t) FROM notes") == [(200, 100)]


def test_it_ends_where_rows_stay(database: Database) -> None:
    """More rows of one moment than a batch has stay, before and behind others that go."""
    database.sql(
        *TABLE,
        "CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        "CREATE TRIGGER keep BEFORE DELETE ON t FOR EACH ROW WHEN (OLD.word = 'kept') EXECUTE FUNCTION keep()",
        "INSERT INTO t (id, at, word) SELECT 1000 + i, '2026-01-01', 'kept' FROM generate_series(1, 25) i",
        "INSERT INTO t (id, at, word) SELECT 2000 + i, '2026-01-01', 'goes' FROM generate_series(1, 25) i",
        f"INSERT INTO t (id, at, word) SELECT 3000 + i, '{NOW}', 'kept' FROM generate_series(1, 25) i",
    )
    run(database, leaving("t"))
    assert database.sql(f"SELECT word, count(*) FROM t WHERE at <= '{NOW}' GROUP BY word") == [("kept", 50)]


# What stands in the way


def test_an_archive_that_swallows_rows_loses_none(database: Database) -> None:
    database.sql(
        *TABLE,
        *ARCHIVE,
        "CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        "CREATE TRIGGER swallow BEFORE INSERT ON t_archive FOR EACH ROW WHEN (NEW.id = 25) EXECUTE FUNCTION swallow()",
    )
    before = checksum(database, "t")
    with pytest.raises(ExecutionError, match=r"10 rows left public.t, but so many arrived in public.t_archive: 9"):
        run(database, leaving("t", archives={name("t"): name("t_archive")}))
    assert checksum(database, "t", "t_archive") == before


def test_a_row_that_will_not_be_deleted_is_not_archived(database: Database) -> None:
    database.sql(
        *TABLE,
        *ARCHIVE,
        "CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        "CREATE TRIGGER keep BEFORE DELETE ON t FOR EACH ROW WHEN (OLD.id < 30) EXECUTE FUNCTION keep()",
    )
    before = checksum(database, "t")
    run(database, leaving("t", archives={name("t"): name("t_archive")}))
    assert database.sql("SELECT min(id), count(*) FROM t_archive") == [(30, 71)]
    assert checksum(database, "t", "t_archive") == before


REFUSED = {
    "no table": ((), Leaving(name("nobody"), "true"), "cannot delete rows of public.nobody: there is no such table"),
    "no column": (TABLE, leaving("t", column="nobody"), "it has no column nobody"),
    "no index": (
        TABLE,
        leaving("t", column="word"),
        r"op.create_index_concurrently\('ix_t_word', 't', \['word'\], sch",
    ),
    "partial index": (
        (*TABLE, "DROP INDEX t_at", "CREATE INDEX ON t (at) WHERE id > 3"),
        leaving("t"),
        "public.t has no index that begins with at",
    ),
    "no key": (("CREATE TABLE t (id int)",), leaving("t", "true", None), "no primary key to page through"),
    "partitioned without a key": (
        ("CREATE TABLE t (at date) PARTITION BY RANGE (at)", "CREATE INDEX ON t (at)"),
        leaving("t"),
        "is partitioned and has no primary key",
    ),
    "restrict": (
        (*TABLE, "CREATE TABLE n (t bigint CONSTRAINT f REFERENCES t)", "CREATE INDEX ON n (t)"),
        leaving("t"),
        r"foreign key f of public.n refers to public.t \(NO ACTION\), .* tree=\{'n': \{\}\} below public.t",
    ),
    "cascade that is not declared": (
        TREE,
        leaving("c.sessions", column="expires_at", tree={}),
        r"tree=\{'threads': \{\}\}",
    ),
    "no index on a reference": (
        (*TABLE, "CREATE TABLE n (t bigint REFERENCES t ON DELETE SET NULL)"),
        leaving("t"),
        "public.n has no index that begins with t",
    ),
    "declared and does not refer": (TABLE, leaving("t", tree={"u": {}}), "has public.u below public.t, which it does"),
    "circle": (
        (*TABLE, "ALTER TABLE t ADD up bigint REFERENCES t ON DELETE CASCADE", "CREATE INDEX ON t (up)"),
        leaving("t"),
        "refers to public.t .CASCADE., in a circle",
    ),
    "no archive of a child": (
        (*TREE, ARCHIVES[0]),
        Leaving(name("c.sessions"), "true", "expires_at", archives={name("c.sessions"): name("c.sessions_archive")}),
        "c.citations has no archive, and its rows go along",
    ),
    "archive that is gone": (TABLE, leaving("t", archives={name("t"): name("no")}), "there is no table public.no, the"),
    "archive in another shape": (
        (*TABLE, "CREATE TABLE a AS SELECT id, at FROM t"),
        leaving("t", archives={name("t"): name("a")}),
        "public.a lacks columns of public.t: status, word, twice",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_before_anything(database: Database, case: str) -> None:
    before, one, said = REFUSED[case]
    database.sql(*before)
    with pytest.raises(PlanError, match=said) as caught:
        run(database, one)
    assert str(caught.value).endswith("Nothing was changed.")
    assert database.events == []


def test_a_tree_that_is_none(database: Database) -> None:
    database.sql(*TREE)
    with pytest.raises(DeclarationError, match="has 'messages' below 'threads'"):
        run(database, replace(SESSIONS, tree={"threads": "messages"}))


def test_rights_and_row_security(database: Database) -> None:
    role = f"clerk_{os.getpid()}"
    database.sql(
        *TABLE,
        f"CREATE ROLE {role}",
        f"GRANT SELECT, DELETE ON t TO {role}",
        "ALTER TABLE t ENABLE ROW LEVEL SECURITY",
        "CREATE POLICY p ON t USING (id > 50)",
    )
    try:
        connection = database.sqlalchemy()
        connection.exec_driver_sql(f"SET ROLE {role}")
        observed = Catalog(connection).leaving(name("t"))
        with pytest.raises(PlanError, match=f"{role} lacks UPDATE on public.t .GRANT UPDATE.*BYPASSRLS") as caught:
            remove(leaving("t"), observed)
        assert "row security of public.t hides rows" in str(caught.value)
    finally:
        database.sql(f"DROP OWNED BY {role}", f"DROP ROLE {role}")
    run(database, leaving("t"))  # a superuser
    assert database.sql("SELECT count(*) FROM t") == [(100,)]


# By a policy of the archive


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
