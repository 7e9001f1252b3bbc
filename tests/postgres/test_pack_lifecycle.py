"""What the pack's policies do to old rows: each is in exactly one place, is shown once, and comes back."""

from __future__ import annotations

import re
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Any

import psycopg
import pytest

from migrations.sample import fill
from tests.support.cli import alembic, spawned
from tests.support.database import Database
from tests.support.pack import WRITES, Writer, catalog, content, killed_after, migrate
from tests.support.tables import checksum

pytestmark = [pytest.mark.pack, pytest.mark.archives, pytest.mark.majors]

TELEGRAM, SEARCHES = "telegram_bots.messages", "market_research.product_searches"
CONVERSATION = "line_support.conversation"
COMMANDS = (("archive", "run"), ("partitions", "maintain"), ("ttl", "run", "--yes"))
KEPT = 37
"""Days that a week which ends 30 days behind the current day reaches back, at most."""

Rows = tuple[Any, ...]


def ended(database: Database, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = spawned(database, *arguments, timeout=None)
    assert done.returncode == code, done.stderr
    return done


def head(database: Database, rows: int = 5000, months: int = 18) -> Database:
    """Filled when the tables were plain, and brought to head."""
    migrate(database, "upgrade", "baseline")
    with psycopg.connect(database.url) as connection:
        fill(connection, rows, date.today(), months=months)
    migrate(database, "upgrade", "head")
    return database


def retired(database: Database, of: str) -> list[str]:
    if database.sql("SELECT to_regclass('schema_kit.retired_partition')") == [(None,)]:
        return []
    names = database.sql(f"SELECT partition_name FROM schema_kit.retired_partition WHERE parent_table = '{of}'")
    return [row[0] for row in names]


def everywhere(database: Database) -> dict[str, Rows]:
    """The rows that a policy may move, in all the places where they may be."""
    return {
        TELEGRAM: checksum(database, TELEGRAM, f"{TELEGRAM}_archive"),
        SEARCHES: checksum(
            database,
            SEARCHES,
            f"{SEARCHES}_archive",
            *retired(database, SEARCHES),
            *retired(database, f"{SEARCHES}_archive"),
        ),
        CONVERSATION: checksum(database, CONVERSATION, *retired(database, CONVERSATION)),
    }


@pytest.mark.deep
def test_old_rows_leave_for_one_place_each_and_come_back(database: Database) -> None:
    head(database)
    at_head, objects, before = content(database), catalog(database), everywhere(database)
    live = database.sql(f"SELECT count(*) FROM {TELEGRAM}")[0][0]
    told = [ended(database, *command) for command in COMMANDS]
    assert "in one commit: view telegram_bots.all_messages shows both tables" in told[0].stdout
    assert "detach line_support.conversation_p" in told[1].stdout
    assert everywhere(database) == before
    assert checksum(database, "telegram_bots.all_messages") == before[TELEGRAM]
    for command in COMMANDS:
        assert ended(database, *command).stderr == "nothing to do\n", command
    assert database.sql(
        f"SELECT min(created_at) > now() - interval '{KEPT} days' FROM {TELEGRAM}",
    ) == [(True,)]
    assert database.sql(
        f"SELECT max(created_at) < now() - interval '30 days' FROM {TELEGRAM}_archive",
    ) == [(True,)]
    left = database.sql(f"SELECT count(*) FROM {TELEGRAM}")[0][0]
    assert left < 0.2 * live
    assert ended(database, "archive", "verify").stdout == ""
    assert ended(database, "partitions", "check").stdout == ""
    assert "No new upgrade operations" in alembic(database, "check").stdout + alembic(database, "check").stderr

    rag = {table: rows for table, rows in content(database).items() if "rag_chat" in table}
    migrate(database, "downgrade", "rag_time_to_live")
    assert not retired(database, CONVERSATION)
    assert content(database) == {**at_head, **rag}
    migrate(database, "downgrade", "baseline")
    assert content(database) == {**at_head, **rag}
    assert [row for row in catalog(database) if row[1] == "schema_kit" and row[0] == "column"] == [
        row for row in catalog(database) if row[2] == "created_object" and row[0] == "column"
    ]
    migrate(database, "upgrade", "head")
    assert content(database) == {**at_head, **rag}
    assert {row for row in catalog(database) if row[0] != "partition"} == {
        row for row in objects if row[0] != "partition"
    }


@contextmanager
def reading(database: Database) -> Iterator[set[Rows]]:
    """Readers of the view in a loop, of the rows that were there before they began: what they saw."""
    seen, ended, failed = set[Rows](), threading.Event(), list[Exception]()
    last = database.sql(f"SELECT max(id) FROM {TELEGRAM}")[0][0]
    question = (
        "SELECT count(*), count(DISTINCT id), sum(id), sum(hashtext(text)) FROM telegram_bots.all_messages "
        f"WHERE id <= {last}"
    )

    def read(level: str) -> None:
        try:
            with psycopg.connect(database.url, autocommit=True) as connection:
                connection.execute(f"SET default_transaction_isolation = '{level}'".encode())
                while not ended.is_set():
                    row = connection.execute(question.encode(), prepare=True).fetchone()
                    assert row
                    seen.add(row)
        except psycopg.Error as error:
            failed.append(error)

    readers = [threading.Thread(target=read, args=(level,)) for level in ("read committed", "repeatable read")]
    for reader in readers:
        reader.start()
    try:
        yield seen
    finally:
        ended.set()
        for reader in readers:
            reader.join()
    assert not failed


@pytest.mark.deep
def test_while_it_runs_readers_see_each_row_once_and_writers_go_on(database: Database) -> None:
    head(database)
    before = everywhere(database)
    expected = database.sql(f"SELECT count(*), count(DISTINCT id), sum(id), sum(hashtext(text)) FROM {TELEGRAM}")
    stop = threading.Event()
    tables = (TELEGRAM, SEARCHES, CONVERSATION)
    writers = {table: Writer(database.url, WRITES[table], stop) for table in tables}
    with reading(database) as seen:
        for writer in writers.values():
            writer.start()
        for command in COMMANDS[:2]:
            ended(database, *command)
        time.sleep(0.1)
        stop.set()
        for table, writer in writers.items():
            writer.join()
            assert writer.error is None, (table, writer.error)
            assert writer.rounds > 0
    assert seen == set(expected)
    after = everywhere(database)
    for table, writer in writers.items():
        assert after[table][0] == before[table][0] + (writer.rounds + 9) // 10, table


@pytest.mark.deep
@pytest.mark.parametrize("days", [10, 100, 300])
def test_plans_of_the_view_prune_on_either_side(database: Database, days: int) -> None:
    head(database)
    ended(database, "archive", "run")
    query = (
        "SELECT * FROM telegram_bots.all_messages "
        f"WHERE created_at >= date_trunc('week', now() - interval '{days} days', 'UTC') "
        f"AND created_at < date_trunc('week', now() - interval '{days} days', 'UTC') + interval '1 week'"
    )
    plan = "\n".join(row[0] for row in database.sql(f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) {query}"))
    scanned = re.findall(r"Scan (?:using \S+ )?on (\S+)(?: \S+)? \(actual", plan)
    assert len(scanned) == 1, plan
    monday = date.today() - timedelta(days=days)
    monday -= timedelta(days=monday.weekday())
    assert scanned[0].startswith(f"messages_p{monday:%Y%m%d}"), plan


@pytest.mark.deep
def test_what_a_policy_drops_is_out_for_thirty_days_before(database: Database) -> None:
    head(database, 3000)
    before = checksum(database, CONVERSATION)
    ended(database, "partitions", "maintain")
    out = retired(database, CONVERSATION)
    assert len(out) > 3
    ended(database, "partitions", "maintain", "--now", f"{datetime.now() + timedelta(days=25):%Y-%m-%d}")
    assert set(out) <= set(retired(database, CONVERSATION))
    assert checksum(database, CONVERSATION, *retired(database, CONVERSATION)) == before
    database.sql("UPDATE schema_kit.retired_partition SET retired_at = now() - interval '29 days'")
    ended(database, "partitions", "maintain")
    assert checksum(database, CONVERSATION, *retired(database, CONVERSATION)) == before
    database.sql("UPDATE schema_kit.retired_partition SET retired_at = now() - interval '31 days'")
    done = ended(database, "partitions", "maintain")
    assert done.stdout.count("drop line_support.conversation_p") >= len(out)
    assert retired(database, CONVERSATION) == []
    assert database.sql(f"SELECT min(created_at) > now() - interval '14 months' FROM {CONVERSATION}") == [(True,)]


@pytest.mark.deep
def test_searches_leave_the_archive_after_two_years_and_come_back(database: Database) -> None:
    head(database, 3000)
    before = checksum(database, SEARCHES)
    later = f"{datetime.now() + timedelta(days=365):%Y-%m-%d}"
    ended(database, "archive", "run", "--now", later)
    late = ended(database, "partitions", "check", "--now", later, code=4).stdout
    assert "outlived the retention of market_research.product_searches_archive (24 months)" in late, late
    assert "Run schema_kit partitions retire market_research.product_searches_archive" in late
    done = ended(database, "partitions", "maintain", "--now", later)
    out = retired(database, f"{SEARCHES}_archive")
    assert len(out) > 3
    assert f"detach {out[0]} from {SEARCHES}_archive concurrently" in done.stdout
    assert checksum(database, SEARCHES, f"{SEARCHES}_archive", *out) == before
    assert ended(database, "partitions", "maintain", "--now", later).stderr == "nothing to do\n"
    assert "product_searches_archive" not in ended(database, "partitions", "check", "--now", later).stdout
    assert ended(database, "partitions", "retire", "--now", later).stderr == "nothing to do\n"
    migrate(database, "downgrade", "product_searches_archive")
    assert retired(database, f"{SEARCHES}_archive") == []
    assert checksum(database, SEARCHES) == before
    migrate(database, "downgrade", "baseline")
    assert checksum(database, SEARCHES)[0] == before[0]


@pytest.mark.deep
def test_a_killed_downgrade_is_finished_by_the_next_one(database: Database) -> None:
    """Kill -9, again and again, over archives that are full."""
    head(database, 3000, months=14)
    rows = content(database)
    for command in COMMANDS[:2]:
        ended(database, *command)
    kills = 0
    while killed_after(database, ("downgrade", "baseline"), steps=9 + kills % 5, milliseconds=kills % 5 * 4):
        kills += 1
        assert kills < 200, "no progress"
    assert kills > 10
    assert content(database) == rows
    assert database.sql("SELECT relname FROM pg_class WHERE relispartition OR relkind = 'p'") == []
    assert database.sql(
        "SELECT relname FROM pg_class WHERE relnamespace = 'schema_kit'::regnamespace AND relkind = 'r'"
    ) == [("created_object",)]
