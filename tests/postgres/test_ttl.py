"""`schema_kit ttl`, through the console script, and its operations: what expires, in which order, and who is asked."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import threading
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from schema_kit import op
from schema_kit.errors import DeclarationError, PlanError
from schema_kit.model import Tree
from tests.support.cli import ROOT
from tests.support.database import Database
from tests.support.pack import migrate
from tests.support.rows import ARCHIVES, BROKEN, DECLARED, TABLES, TREE
from tests.support.tables import checksum
from tests.support.ttl import in_months, log, operate, policy, ran, ttl

pytestmark = [pytest.mark.ttl, pytest.mark.majors]

PROMISED = "schema_kit.ttl_policy"


@pytest.mark.exhaustive
def test_expired_sessions_go_with_their_tree(database: Database) -> None:
    database.sql(*TREE)
    policy(database, "sessions", "expires_at", schema="c", tree=DECLARED)
    looked = ttl(database, "status", "--format", "json")
    assert looked.returncode == 0, looked.stderr
    told = json.loads(looked.stdout)["tables"][0]
    assert (told["expired"], told["oldest"]) == (16, "2026-11-03 00:00:00+00")
    assert told["order"] == ["c.citations", "c.messages", "c.threads", "c.sessions"]
    assert ran(database).splitlines() == [
        "delete rows of c.citations with the due ones of c.sessions in batches",
        "delete rows of c.messages with the due ones of c.sessions in batches",
        "delete rows of c.threads with the due ones of c.sessions in batches",
        "delete due rows of c.sessions in batches",
    ]
    assert database.sql("SELECT count(*), count(expires_at), min(expires_at) > '2026-11-22' FROM c.sessions") == [
        (24, 16, True)
    ]
    assert database.sql(BROKEN) == [(0,)]
    again = ttl(database, "run", "--yes")
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "nothing to do\n")
    status = ttl(database, "status")
    assert status.stdout.splitlines()[-1] == "  0 rows have expired"


def test_without_a_terminal_it_requires_yes(database: Database) -> None:
    log(database)
    policy(database, "log", "at")
    refused = ttl(database, "run")
    assert refused.returncode == 2
    assert "add --yes" in refused.stderr
    assert database.sql("SELECT count(*) FROM log") == [(101,)]


@pytest.mark.exhaustive
@pytest.mark.parametrize(("answer", "left"), [(b"n\n", 101), (b"y\n", 1)])
def test_on_a_terminal_it_asks(database: Database, answer: bytes, left: int) -> None:
    log(database)
    policy(database, "log", "at")
    master, terminal = pty.openpty()
    try:
        os.write(master, answer)
        done = subprocess.run(
            [sys.executable, "-m", "schema_kit", "ttl", "run", "--url", database.url, "--now", "2036-01-01"],
            cwd=ROOT,
            env=os.environ | {"PYTHONWARNINGS": "error", "NO_COLOR": "1"},
            stdin=terminal,
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        os.close(master)
        os.close(terminal)
    assert done.returncode == (3 if left > 1 else 0), done.stderr
    assert "delete due rows of public.log in batches" in done.stderr
    assert "this removes these rows for good. Go on?" in done.stderr
    assert database.sql("SELECT count(*) FROM log") == [(left,)]


def test_a_dry_run_prints_the_sql_and_sends_none(database: Database) -> None:
    log(database)
    policy(database, "log", "at", age="1 month")
    done = ttl(database, "run", "--dry-run", now="2030-01-01")
    assert "\"at\" <= '2029-12-01 00:00:00+00'" in done.stdout
    assert "FOR UPDATE OF schema_kit_0 SKIP LOCKED" in done.stdout
    assert "DELETE FROM ONLY" in done.stdout
    assert database.sql("SELECT count(*) FROM log") == [(101,)]
    steps = json.loads(ttl(database, "run", "--dry-run", "--format", "json", now="2030-01-01").stdout)["steps"]
    assert [step["summary"] for step in steps] == ["delete due rows of public.log in batches"]


DAYS = "'2026-10-01'::timestamp + i * interval '1 day'"
SECONDS = f"extract(epoch FROM ({DAYS}) AT TIME ZONE 'UTC')::bigint"
UUID = (
    f"(lpad(to_hex({SECONDS} * 1000), 12, '0') || '7000' || '8000' || substr(md5(i::text), 1, 12))::uuid"  # no v7 in 15
)


@pytest.mark.parametrize(
    ("type_", "values", "options", "left"),
    [
        ("timestamptz", f"({DAYS}) AT TIME ZONE 'UTC'", {}, 48),
        ("timestamptz", f"({DAYS}) AT TIME ZONE 'UTC'", {"age": "30 days"}, 78),
        ("timestamptz", f"({DAYS}) AT TIME ZONE 'UTC'", {"age": "1 month", "timezone": "Asia/Bangkok"}, 79),
        ("timestamp", DAYS, {}, 48),
        ("timestamp", DAYS, {"timezone": "America/New_York"}, 49),
        ("date", DAYS, {}, 48),
        ("date", DAYS, {"age": "2 weeks"}, 62),
        ("bigint", SECONDS, {"encoding": "seconds", "age": "30 days"}, 78),
        ("bigint", f"{SECONDS} * 1000", {"encoding": "milliseconds"}, 48),
        ("uuid", UUID, {"encoding": "uuidv7", "age": "30 days"}, 79),
    ],
)
def test_what_has_expired(database: Database, type_: str, values: str, options: dict[str, Any], left: int) -> None:
    """Of a hundred days from 2 October on, at midnight UTC of 22 November; NULL never expires, nor does infinity."""
    log(database, type_, values)
    if type_.startswith(("time", "date")):
        database.sql("INSERT INTO log (at) VALUES ('infinity')")
        left += 1
    policy(database, "log", "at", **options)
    ran(database)
    assert database.sql("SELECT count(*), count(*) FILTER (WHERE at IS NULL) FROM log") == [(left + 1, 1)]


@pytest.mark.exhaustive
def test_the_servers_clock_where_no_other_is_given(database: Database) -> None:
    log(database)
    policy(database, "log", "at", age="10 days")
    done = subprocess.run(
        [sys.executable, "-m", "schema_kit", "ttl", "run", "--yes", "--url", database.url],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "delete due rows of public.log" in done.stdout
    assert database.sql("SELECT count(*) FROM log") == [(10,)]


@pytest.mark.exhaustive
def test_children_that_expire_by_themselves_go_before_their_parents(database: Database) -> None:
    database.sql(*TREE, "CREATE INDEX ON c.messages (at)")
    policy(database, "sessions", "expires_at", schema="c", tree=DECLARED)
    messages: Tree = {"citations": {}}
    policy(database, "messages", "at", schema="c", age="100 days", tree=messages)
    tables = [line.split()[3 if "rows of" in line else 4] for line in ran(database).splitlines()]
    assert tables == ["c.citations", "of", "c.citations", "c.messages", "c.threads", "of"]
    assert database.sql("SELECT min(at) > '2026-08-14' FROM c.messages") == [(True,)]
    assert database.sql(BROKEN) == [(0,)]


@pytest.mark.exhaustive
def test_archived_first(database: Database) -> None:
    database.sql(*TREE)
    policy(database, "sessions", "expires_at", schema="c", tree=DECLARED, archive_first=True)
    refused = ttl(database, "run", "--yes")
    assert refused.returncode == 3
    assert "there is no table c.citations_archive, the archive of c.citations" in refused.stderr
    database.sql(*ARCHIVES)
    before = [checksum(database, f"c.{table}", columns="id") for table in TABLES]
    assert "move due rows of c.sessions to c.sessions_archive in batches" in ran(database)
    assert [checksum(database, f"c.{table}", f"c.{table}_archive", columns="id") for table in TABLES] == before
    assert database.sql("SELECT count(*), count(archived_at) FROM c.sessions_archive") == [(16, 16)]


def partitions(database: Database) -> str:
    found = database.sql("SELECT right(relname, 2) FROM pg_class WHERE relname ~ '^e_..$' AND relkind = 'r' ORDER BY 1")
    return " ".join(row[0] for row in found)


def test_partitions_that_have_expired_as_a_whole_are_dropped(database: Database) -> None:
    in_months(database)
    policy(database, "e", "at", age="60 days")  # since 23 September
    told = ran(database).splitlines()
    assert [line for line in told if line.startswith(("detach", "drop"))] == [
        "detach public.e_07 from public.e concurrently",
        "drop public.e_07, which was a partition of public.e",
        "detach public.e_08 from public.e concurrently",
        "drop public.e_08, which was a partition of public.e",
    ]
    assert told[-1] == "delete due rows of public.e in batches"
    assert partitions(database) == "09 10 11"
    assert database.sql("SELECT min(at) > '2026-09-23' FROM e") == [(True,)]
    assert ttl(database, "run", "--yes").stderr == "nothing to do\n"


def test_a_table_with_a_retention_of_its_own_loses_rows_only(database: Database) -> None:
    in_months(database, retention="1 year")
    policy(database, "e", "at", age="60 days")
    assert ran(database).splitlines() == ["delete due rows of public.e in batches"]
    assert partitions(database) == "07 08 09 10 11"
    assert database.sql("SELECT min(at) > '2026-09-23' FROM e") == [(True,)]


def test_partitions_that_rows_refer_to_are_emptied_first(database: Database) -> None:
    in_months(database)
    database.sql(
        "CREATE TABLE n (e bigint, at timestamptz, FOREIGN KEY (e, at) REFERENCES e ON DELETE CASCADE)",
        "CREATE INDEX ON n (e, at)",
        "INSERT INTO n SELECT id, at FROM e WHERE at < '2026-08-01+00'",
    )
    policy(database, "e", "at", age="60 days")
    assert "detach public.e_07" not in ran(database).partition("delete")[0]
    assert database.sql("SELECT count(*) FROM n") == [(0,)]
    assert database.sql("SELECT min(at) > '2026-09-23' FROM e") == [(True,)]
    ran(database, "e")
    assert partitions(database) == "09 10 11"


@pytest.mark.exhaustive
def test_one_that_fails_does_not_stop_the_others(database: Database) -> None:
    database.sql(*TREE)
    log(database)
    policy(database, "log", "at")
    policy(database, "sessions", "expires_at", schema="c")
    database.sql("CREATE TABLE c.holds (session_id bigint REFERENCES c.sessions)")
    done = ttl(database, "run", "--yes", now="2036-01-01")
    assert done.returncode == 1
    assert "foreign key holds_session_id_fkey of c.holds refers to c.sessions" in done.stderr
    assert database.sql("SELECT count(*) FROM log") == [(1,)]
    assert ttl(database, "run", "--yes", "nobody").returncode == 3


@pytest.mark.exhaustive
def test_no_writer_fails_meanwhile(database: Database) -> None:
    database.sql(*TREE)
    policy(database, "sessions", "expires_at", schema="c", tree=DECLARED, batch_size=3, target_seconds=1e-6)
    stop, failed = threading.Event(), list[BaseException]()

    def chat(number: int) -> None:
        try:
            with psycopg.connect(database.url, autocommit=True) as connection:
                while not stop.is_set():
                    connection.execute(
                        "WITH t AS (INSERT INTO c.threads (session_id) SELECT id FROM c.sessions "
                        "WHERE expires_at > '2026-12-01' AND id %% 2 = %s LIMIT 1 RETURNING id) "
                        "INSERT INTO c.messages (at, thread_id) SELECT '2026-11-22', id FROM t",
                        [number],
                    )
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=chat, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    try:
        ran(database)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert failed == []
    assert database.sql("SELECT count(*) FROM c.sessions") == [(24,)]
    assert database.sql(BROKEN) == [(0,)]


# The operations


def test_a_policy_is_set_replaced_and_dropped(database: Database) -> None:
    database.sql(*TREE)
    policy(database, "sessions", "expires_at", schema="c", tree=DECLARED)
    read = "SELECT table_name, column_name, age, tree, batch_size, max_replica_lag FROM schema_kit.ttl_policy"
    assert database.sql(read) == [("c.sessions", "expires_at", None, DECLARED, 1000, 10.0)]
    policy(database, "sessions", "expires_at", schema="c", age="7 days", batch_size=50, max_replica_lag=None)
    assert database.sql(read) == [("c.sessions", "expires_at", "7 days", None, 50, None)]
    log(database)
    policy(database, "log", "at")
    operate(database, lambda: op.drop_ttl_policy("log"))
    assert len(database.sql(read)) == 1
    operate(database, lambda: op.drop_ttl_policy("sessions", schema="c"))
    operate(database, lambda: op.drop_ttl_policy("sessions", schema="c"))
    assert database.sql(f"SELECT to_regclass('{PROMISED}')") == [(None,)]


REFUSED: dict[str, tuple[type[Exception], dict[str, Any], str]] = {
    "age of ids": (DeclarationError, {"age": "1000"}, "not a length of time"),
    "age": (DeclarationError, {"age": "soon"}, "soon"),
    "zone": (DeclarationError, {"timezone": "Mars/Base"}, "Mars/Base"),
    "batch": (DeclarationError, {"batch_size": 0}, "batch_size is 0, not from 1"),
    "share": (DeclarationError, {"max_dead_share": 2}, "max_dead_share is 2"),
    "tree": (DeclarationError, {"tree": ["threads"]}, "where a mapping of table names is wanted"),
    "column": (PlanError, {"column": "nobody"}, "it has no column nobody"),
    "index": (PlanError, {"column": "word"}, "no index that begins with word"),
    "numbers": (PlanError, {"column": "id"}, "nothing says which times its numbers mean"),
    "tree that does not refer": (PlanError, {"tree": {"n": {}}}, r"has public.n below public.log, which it does not"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_before_anything(database: Database, case: str) -> None:
    error, options, said = REFUSED[case]
    log(database)
    database.sql("ALTER TABLE log ADD word text")
    with pytest.raises(error, match=said):
        policy(database, "log", options.pop("column", "at"), **options)
    assert database.sql(f"SELECT to_regclass('{PROMISED}')") == [(None,)]


@pytest.mark.exhaustive
def test_the_chat_of_the_pack_forgets_what_has_expired(database: Database) -> None:
    migrate(database, "upgrade", "head")
    moment = datetime(2026, 11, 22, tzinfo=UTC)
    database.sql(
        "INSERT INTO rag_chat.user_sessions (user_id, expires_at) SELECT 'u', "
        f"'{moment}'::timestamptz + (i - 5) * interval '1 hour' FROM generate_series(1, 10) i",
        "INSERT INTO rag_chat.conversations (user_session_id, expires_at) SELECT id, expires_at - interval '1 hour' "
        "FROM rag_chat.user_sessions",
        "INSERT INTO rag_chat.messages (conversation_id, role, content, timestamp, expires_at) SELECT id, 'user', "
        "'?', '2026-11-21', expires_at - interval '1 hour' FROM rag_chat.conversations",
        "INSERT INTO rag_chat.citations (message_id, document_name, excerpt) SELECT id, 'd', '' FROM rag_chat.messages",
    )
    ran(database)
    tables = ("user_sessions", "conversations", "messages", "citations")
    assert [database.sql(f"SELECT count(*) FROM rag_chat.{table}")[0][0] for table in tables] == [5, 4, 3, 3]
    migrate(database, "downgrade", "partition_rag_messages")
    assert database.sql(f"SELECT to_regclass('{PROMISED}')") == [(None,)]
