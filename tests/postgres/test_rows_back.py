"""`schema_kit archive restore` of rows that were archived one by one, through the console script."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from typing import Any

import psycopg
import pytest

import schema_kit
from schema_kit import op
from tests.support.cli import ROOT, called
from tests.support.database import QUICK, Database
from tests.support.rows import ARCHIVES, BROKEN, DECLARED, NOW, TABLE, TABLES, TREE, archive
from tests.support.tables import checksum

pytestmark = [pytest.mark.archives, pytest.mark.majors]

RANGE = ("--since", "2026-11-21T23:00", "--until", "2026-11-21T23:30")
"""The rows 40 to 69, as they lie in UTC."""


def arguments(database: Database, *more: str, table: str = "t") -> list[str]:
    return ["archive", "restore", table, "--url", database.url, *more]


def restore(database: Database, *more: str, table: str = "t") -> subprocess.CompletedProcess[str]:
    return called(["schema_kit", *arguments(database, *more, table=table)])


def restored(database: Database, *more: str, table: str = "t") -> str:
    done = restore(database, *more, table=table)
    assert done.returncode == 0, done.stderr
    return done.stdout


def archived(database: Database, *statements: str, after: str = "1 minute", **policy: Any) -> tuple[Any, ...]:
    """A table whose older half went to its archive; what a checksum over both said before."""
    database.sql(*TABLE, *statements)
    with schema_kit.operations(database.sqlalchemy(), policy=QUICK):
        op.create_archive_table("t", archived_at=True, view="whole")
        op.set_archive_policy("t", after, way="rows", control="at", archived_at="archived_at", **policy)
    before = checksum(database, "t", "t_archive")
    done = archive(database)
    assert done.returncode == 0, done.stderr
    return before


def where(database: Database) -> tuple[int, int]:
    """How many rows of the older half are in the table, and in the archive."""
    both: tuple[int, int] = database.sql(
        f"SELECT (SELECT count(*) FROM t WHERE at < '{NOW}'), (SELECT count(*) FROM t_archive)"
    )[0][:2]
    return both


@pytest.mark.exhaustive
def test_a_range_comes_back_and_stays_until_it_is_asked_for(database: Database) -> None:
    before = archived(database)
    assert where(database) == (0, 99)
    dry = restored(database, *RANGE, "--dry-run")
    assert """"at" >= '2026-11-21 23:00:00+00' AND "at" < '2026-11-21 23:30:00+00'""" in dry
    assert where(database) == (0, 99)
    told = restored(database, *RANGE).splitlines()
    assert [line.partition(", where")[0] for line in told] == [
        "keep rows of public.t from its archive",
        "take rows of public.t_archive back to public.t in batches",
    ]
    assert where(database) == (30, 69)
    assert database.sql(f"SELECT min(id), max(id) FROM t WHERE at < '{NOW}'") == [(40, 69)]
    assert checksum(database, "t", "t_archive") == before
    assert restore(database, *RANGE).stderr == "nothing to do\n"
    again = archive(database)
    assert again.returncode == 0
    assert "rows of public.t were restored and stay until they are asked for (--restored)" in again.stderr
    status = called(["schema_kit", "archive", "status", "--url", database.url, "--now", "2026-11-22T00:05"]).stdout
    assert status.splitlines()[1:] == [
        "  due: 5 rows",
        """  restored: rows where "at" >= '2026-11-21 23:00:00+00' AND "at" < '2026-11-21 23:30:00+00'""",
    ]
    assert where(database) == (30, 69)
    assert "forget which rows" in archive(database, "--restored").stdout
    assert where(database) == (0, 99)
    assert archive(database).stderr == "nothing to do\n"
    assert checksum(database, "t", "t_archive") == before


@pytest.mark.exhaustive
def test_a_condition_comes_back(database: Database) -> None:
    before = archived(database)
    restored(database, "--where", "status = 'closed' -- of all times")
    restored(database, *RANGE, "--where", "id % 2 = 0")
    assert where(database) == (33 + 10, 56)
    assert checksum(database, "t", "t_archive") == before
    assert archive(database).stderr.count("were restored") == 2
    assert where(database) == (33 + 10, 56)


@pytest.mark.exhaustive
def test_a_reader_of_the_view_sees_each_row_once_at_every_moment(database: Database) -> None:
    archived(database, "INSERT INTO t (id, at) SELECT i, '2026-01-01' FROM generate_series(1000, 9000) i")
    stop, seen = threading.Event(), set[Any]()

    def look(level: str) -> None:
        with psycopg.connect(database.url, autocommit=True) as connection:
            connection.execute(f"SET default_transaction_isolation = '{level}'".encode())
            while not stop.is_set():
                seen.update(connection.execute("SELECT count(*), count(DISTINCT id) FROM whole").fetchall())

    readers = [threading.Thread(target=look, args=(level,)) for level in ("read committed", "repeatable read")]
    for reader in readers:
        reader.start()
    try:
        restored(database, "--where", "true")
        assert archive(database, "--restored").returncode == 0
    finally:
        stop.set()
        for reader in readers:
            reader.join()
    assert seen == {(8201, 8201)}
    assert where(database) == (0, 8100)


@pytest.mark.exhaustive
def test_equal_rows_are_skipped_and_different_ones_refused(database: Database) -> None:
    before = archived(database)
    columns = "id, at, status, word"
    database.sql(
        f"INSERT INTO t ({columns}) SELECT {columns} FROM t_archive WHERE id < 50",
        "UPDATE t SET word = 'other' WHERE id IN (41, 45)",
    )
    refused = restore(database, *RANGE)
    assert refused.returncode == 3
    assert "2 of them exist with the same key and other values, the first of them (41)" in refused.stderr
    assert where(database) == (49, 99)
    assert database.sql("SELECT restored FROM schema_kit.archive_policy") == [(None,)]
    database.sql("UPDATE t SET word = 'ว' || id")
    restored(database, *RANGE)
    assert where(database) == (69, 69)
    database.sql("DELETE FROM t WHERE id < 40")
    assert checksum(database, "t", "t_archive") == before


def test_a_locked_row_is_passed_over_and_said(database: Database) -> None:
    before = archived(database)
    holder = database.connect(autocommit=False)
    holder.execute("SELECT 1 FROM t_archive WHERE id = 50 FOR UPDATE")
    done = restore(database, *RANGE)
    assert done.returncode == 0, done.stderr
    assert "something is left, since others hold it" in done.stderr
    assert where(database) == (29, 70)
    holder.commit()
    restored(database, *RANGE)
    assert where(database) == (30, 69)
    assert checksum(database, "t", "t_archive") == before


@pytest.mark.exhaustive
def test_killed_at_any_point_each_row_is_in_one_place(database: Database) -> None:
    before = archived(database, "INSERT INTO t (id, at) SELECT i, '2026-01-01' FROM generate_series(1000, 9000) i")
    for kill in range(1, 9):
        one = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "schema_kit",
                *arguments(database, "--where", f"id % 9 < {kill}", "--format", "json"),
            ],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert one.stderr is not None
        for line, _ in enumerate(one.stderr, 1):
            if line == kill:
                one.send_signal(signal.SIGKILL)
        one.communicate()
        assert checksum(database, "t", "t_archive") == before
    restored(database, "--where", "true")
    assert where(database) == (8100, 0)
    assert checksum(database, "t", "t_archive") == before


@pytest.mark.exhaustive
def test_a_tree_comes_back_from_its_root(database: Database) -> None:
    database.sql(
        *TREE,
        *ARCHIVES,
        "CREATE INDEX ON c.threads_archive (session_id)",
        "CREATE INDEX ON c.messages_archive (thread_id)",
        "CREATE INDEX ON c.citations_archive (message_id, message_at)",
    )
    aged: dict[str, Any] = {"way": "rows", "control": "expires_at", "archived_at": "archived_at"}
    with schema_kit.operations(database.sqlalchemy(), policy=QUICK):
        op.set_archive_policy("sessions", "10 days", schema="c", tree=DECLARED, **aged)
    before = [checksum(database, f"c.{table}", columns="id") for table in TABLES]
    assert archive(database).returncode == 0
    some = ("--since", "2026-11-05", "--until", "2026-11-09")
    told = [line.split(" back")[0] for line in restored(database, *some, table="c.sessions").splitlines()[1:]]
    assert told == [f"take rows of c.{table}_archive" for table in TABLES]
    back = (
        "SELECT (SELECT count(*) FROM c.sessions WHERE expires_at < '2026-11-09'), (SELECT count(*) FROM c.threads t "
    )
    back += "JOIN c.sessions s ON s.id = session_id WHERE expires_at < '2026-11-09')"
    assert database.sql(back) == [(3, 6)]
    assert database.sql(BROKEN) == [(0,)]
    assert [checksum(database, f"c.{table}", f"c.{table}_archive", columns="id") for table in TABLES] == before
    all_of_it = ("--since", "2026-01-01", "--until", "2027-01-01")
    restored(database, *all_of_it, table="c.sessions")
    assert [checksum(database, f"c.{table}", columns="id") for table in TABLES] == before
    assert restore(database, *all_of_it, table="c.sessions").stderr == "nothing to do\n"


@pytest.mark.exhaustive
def test_next_to_the_table(database: Database) -> None:
    before = archived(database)
    for _ in range(2):
        restored(database, *RANGE, "--beside", '"Looked.ที่"')
    assert where(database) == (0, 69)
    assert database.sql('SELECT count(*), min(id) FROM "Looked.ที่"') == [(30, 40)]
    assert checksum(database, "t", "t_archive", '"Looked.ที่"') == before


def test_odd_names(database: Database) -> None:
    database.sql(
        'CREATE SCHEMA "S ""q"',
        'CREATE TABLE "S ""q"."ตาราง.x" ("ID %s" bigint PRIMARY KEY, "a\'t" date, "W" json)',
        'CREATE INDEX ON "S ""q"."ตาราง.x" ("a\'t")',
        """INSERT INTO "S ""q"."ตาราง.x" SELECT i, date '2026-01-01' + i, '{"a":  1}' FROM generate_series(1, 50) i""",
    )
    with schema_kit.operations(database.sqlalchemy(), policy=QUICK):
        op.create_archive_table("ตาราง.x", schema='S "q')
        op.set_archive_policy("ตาราง.x", "1 day", schema='S "q', way="rows", control="a't")
    assert archive(database).returncode == 0
    restored(database, "--since", "2026-01-11", "--until", "2026-01-21", table='"S ""q"."ตาราง.x"')
    assert database.sql('SELECT count(*), min("ID %s") FROM "S ""q"."ตาราง.x"') == [(10, 10)]


REFUSED: dict[str, tuple[tuple[str, ...], tuple[str, ...], str]] = {
    "columns that would be lost": (
        ("ALTER TABLE t_archive ADD COLUMN more int",),
        RANGE,
        "t_archive has a column more, which public.t has not",
    ),
    "another type": (
        ("DROP VIEW whole", "ALTER TABLE t_archive ALTER COLUMN word TYPE varchar(9)"),
        RANGE,
        "column word of public.t_archive is character varying(9), and text in public.t",
    ),
    "a foreign key that would break": (
        ("CREATE TABLE of (id bigint PRIMARY KEY)", "ALTER TABLE t ADD FOREIGN KEY (id) REFERENCES of NOT VALID"),
        RANGE,
        "foreign key t_id_fkey refers to rows of public.of that are gone",
    ),
    "rows that archived ones refer to": (
        ("CREATE TABLE n (t bigint REFERENCES t_archive ON DELETE CASCADE)", "INSERT INTO n VALUES (45)"),
        RANGE,
        "foreign key n_t_fkey of public.n refers to public.t_archive",
    ),
    "no condition on the table": ((), ("--where", "archived_at > now() - interval '1 day'"), '"archived_at" does not'),
    "nothing said": ((), (), "--since and --until, or --where, say which rows to restore"),
    "a range that is none": ((), ("--since", "2026-02-01", "--until", "2026-01-01"), "holds nothing"),
    "half a range": ((), ("--since", "2026-02-01"), "--since and --until come together"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_before_anything(database: Database, case: str) -> None:
    statements, how, said = REFUSED[case]
    archived(database)
    database.sql(*statements)
    done = restore(database, *how)
    assert done.returncode in (1, 2, 3)
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert where(database) == (0, 99)
    assert database.sql("SELECT restored FROM schema_kit.archive_policy") == [(None,)]


def test_values_that_would_become_others_do_not_go(database: Database) -> None:
    """The table was changed since, and the archive was not: each cent would be rounded away."""
    database.sql(*TABLE, "ALTER TABLE t ADD COLUMN price numeric(10, 2)", "UPDATE t SET price = 1.25")
    with schema_kit.operations(database.sqlalchemy(), policy=QUICK):
        op.create_archive_table("t")
        op.set_archive_policy("t", "1 minute", way="rows", control="at")
    database.sql("ALTER TABLE t_archive ALTER COLUMN price TYPE numeric(10, 0)")
    done = archive(database)
    assert done.returncode == 3
    assert "column price of public.t_archive is numeric(10,0), and numeric(10,2) in public.t" in done.stderr
    assert database.sql("SELECT count(*) FROM t") == [(200,)]
