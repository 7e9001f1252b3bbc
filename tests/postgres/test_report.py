"""``schema_kit report`` on a server: what it reads, what it cannot see, and that it writes nothing."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError

from schema_kit.catalog.drivers import sqlstate
from schema_kit.catalog.session import at_most, observing, rows
from schema_kit.pages import observe
from tests.support.cli import shell, spawned
from tests.support.database import Database
from tests.support.pack import filled, migrate
from tests.support.pages import Element, read
from tests.support.rights import limited

pytestmark = [pytest.mark.health, pytest.mark.cli, pytest.mark.majors]

KB = 1024


def reported(database: Database, folder: Path, *arguments: str) -> Element:
    """The page of a report."""
    path = folder / "report.html"
    done = shell(database, "report", "--out", str(path), *arguments)
    assert done.returncode == 0, done.stderr
    assert path.stat().st_size < 300_000
    return read(path.read_text("utf-8"))


def part(page: Element, key: str) -> str:
    """The text of a section."""
    return next(one.text for one in page.all("section") if one.attributes["id"] == key)


def sizes(page: Element, table: str) -> dict[str, int]:
    """What the table of growth says of one table, in bytes."""
    (section,) = (one for one in page.all("section") if one.attributes["id"] == "growth")
    (row,) = (one for one in section.all("tr") if next(one.all("th")).text.startswith(table))
    units = {"bytes": 1, "kB": KB, "MB": KB**2, "GB": KB**3}
    found = {}
    for cell in row.all("td"):
        if match := re.fullmatch(r"([+−]?)(\d+) (\w+)", cell.text):
            found[cell.attributes["data-label"]] = int(match[2]) * units[match[3]] * (-1 if match[1] == "−" else 1)
    return found


def test_a_report_of_everything_writes_nothing(partitioned: Database, tmp_path: Path) -> None:
    partitioned.sql("CREATE TABLE plain (id bigint PRIMARY KEY)", "INSERT INTO plain SELECT generate_series(1, 5000)")
    shell(partitioned, "health", "--remember")
    name = partitioned.sql("SELECT current_database()")[0][0]
    partitioned.sql(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    page = reported(partitioned, tmp_path, "--disk", "1TB", "--monthly")
    assert next(page.all("h1")).text == name
    assert "app.t" in part(page, "sets")
    assert "by at, on the clock of Asia/Bangkok" in part(page, "sets")
    assert "public.plain" in part(page, "growth")
    assert "of 1024 GB" in part(page, "figures")
    assert "pg_stat_statements is not there" in part(page, "statements")
    assert "1 snapshot of counters and sizes" in part(page, "maintenance")
    assert "foreign_key_unindexed" in part(page, "indexes")
    assert "unseen" not in {one.attributes["id"] for one in page.all("section")}


@pytest.mark.exhaustive
def test_to_a_pipe_it_is_the_page_and_nothing_else(database: Database) -> None:
    done = spawned(database, "report", "--daily")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("<!DOCTYPE html>")
    assert "daily report" in read(done.stdout).text


def test_an_invalid_size_is_wrong_usage(database: Database) -> None:
    done = shell(database, "report", "--disk", "many")
    assert (done.returncode, done.stdout) == (2, "")
    assert "512MB" in done.stderr


def test_pg_monitor_is_enough_and_what_it_does_not_show_is_said(partitioned: Database, tmp_path: Path) -> None:
    shell(partitioned, "health", "--remember")
    with limited(partitioned) as few:
        partitioned.sql(f"GRANT pg_monitor TO {few.role}")
        page = reported(few.own, tmp_path)
        unseen = part(page, "unseen")
        assert "what partitions check finds, " in unseen
        assert f"GRANT USAGE ON SCHEMA schema_kit TO {few.role}" in unseen
        assert "app.t" in part(page, "growth"), "sizes need no right"
        partitioned.sql(
            f"GRANT USAGE ON SCHEMA schema_kit TO {few.role}",
            f"GRANT SELECT ON ALL TABLES IN SCHEMA schema_kit TO {few.role}",
        )
        page = reported(few.own, tmp_path)
        assert "app.t" in part(page, "sets")
        assert "cannot be read" not in part(page, "sets")


def test_snapshots_are_what_plain_tables_are_foretold_by(database: Database, tmp_path: Path) -> None:
    """Ninety days of one table that grows steadily, one with the days of the week, one that jumped."""
    database.sql(*(f"CREATE TABLE {name} (id bigint)" for name in ("steady", "weekly", "jumped")))
    shell(database, "health", "--remember")
    week = (0.4, 0.6, 1.2, 1.2, 1.3, 1.3, 1.0)
    pasts = {
        "public.steady": [50_000 * KB + 900 * KB * n for n in range(90)],
        "public.weekly": [50_000 * KB + sum(int(900 * KB * week[day % 7]) for day in range(n)) for n in range(90)],
        "public.jumped": [50_000 * KB + 100 * KB * n + 80_000 * KB * (n > 60) for n in range(90)],
    }
    for n in range(90):
        told = {"": [10**9, 0, 0], **{name: [own[n], 1, 0] for name, own in pasts.items()}}
        database.sql(
            "INSERT INTO schema_kit.health_snapshot (taken_at, server, indexes, scans, sizes) SELECT "
            f"now() - {90 - n} * interval '1 day', '', '[]', '{{}}', '{json.dumps(told)}'"
        )
    database.sql("DELETE FROM schema_kit.health_snapshot WHERE taken_at > now() - interval '1 hour'")
    page = reported(database, tmp_path)
    assert "from 90 snapshots" in part(page, "growth")
    # The files are empty, so the last point lies far below the line: a single odd value, which moves no forecast.
    assert sizes(page, "public.steady")["In 91 days"] == pytest.approx(91 * 900 * KB, rel=0.1)
    assert sizes(page, "public.weekly")["In 91 days"] == pytest.approx(91 * 900 * KB, rel=0.1)
    assert sizes(page, "public.jumped")["In 91 days"] == pytest.approx(91 * 100 * KB, rel=0.1)


def test_partitions_that_were_made_are_counted_between_snapshots(partitioned: Database, tmp_path: Path) -> None:
    shell(partitioned, "health", "--remember")
    partitioned.sql("UPDATE schema_kit.health_snapshot SET taken_at = now() - interval '1 hour'")
    (before,) = partitioned.sql("SELECT count(*) FROM pg_inherits WHERE inhparent = 'app.t'::regclass")[0]
    done = shell(partitioned, "partitions", "create-next", "app.t", "--now", "2027-02-15")
    assert done.returncode == 0, done.stderr
    shell(partitioned, "health", "--remember")
    (after,) = partitioned.sql("SELECT count(*) FROM pg_inherits WHERE inhparent = 'app.t'::regclass")[0]
    assert after > before
    told = part(reported(partitioned, tmp_path), "maintenance")
    assert re.search(rf"partitions made\s*app\.t\s*{after - before} since the snapshot before, {after} now", told)


def test_partitions_are_the_history_of_a_partitioned_table(database: Database, tmp_path: Path) -> None:
    database.sql("CREATE TABLE log (at timestamptz NOT NULL, body text) PARTITION BY RANGE (at)")
    held = [300 + 20 * month for month in range(24)]
    for month, count in enumerate(held[:12], 1):
        lower, upper = f"2026-{month:02}-01 00:00+00", f"{2026 + month // 12}-{month % 12 + 1:02}-01 00:00+00"
        database.sql(
            f"CREATE TABLE log_{month} PARTITION OF log FOR VALUES FROM ('{lower}') TO ('{upper}')",
            f"INSERT INTO log SELECT '{lower}'::timestamptz, repeat('x', 1000) FROM generate_series(1, {count})",
        )
    database.sql("ANALYZE log")
    done = shell(database, "partitions", "adopt", "log", "--control", "at", "--interval", "1 month")
    assert done.returncode == 0, done.stderr
    page = reported(database, tmp_path, "--now", "2027-01-01", "--monthly")
    own = sizes(page, "public.log")
    assert "from 12 partitions" in part(page, "growth")
    assert own["In a year"] == pytest.approx(own["Size"] * sum(held) / sum(held[:12]), rel=0.1)


def test_a_table_of_an_older_version_gets_the_sizes(database: Database, tmp_path: Path) -> None:
    shell(database, "health", "--remember")
    database.sql("ALTER TABLE schema_kit.health_snapshot DROP COLUMN sizes")
    reported(database, tmp_path)
    shell(database, "health", "--remember")
    found = database.sql("SELECT sizes FROM schema_kit.health_snapshot ORDER BY taken_at")
    assert [bool(row[0]) for row in found] == [False, True]
    assert found[1][0][""][0] > 10**6


def test_statements_are_shown_without_values(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """pg_stat_statements keeps the values of utility statements; a view stands for it, which needs no library."""
    database.sql(
        "CREATE VIEW pg_stat_statements AS SELECT o.oid AS dbid, q.* FROM pg_database o, (VALUES "
        "('SELECT 1 FROM orders WHERE id = $1', 10::bigint, 1000.0, 400.0, 10::bigint), "
        "('CREATE ROLE bob PASSWORD ''secret''', 1, 5.0, 5.0, 0), ('<insufficient privilege>', 3, 1.0, 1.0, 0)"
        ") q (query, calls, total_exec_time, max_exec_time, rows) WHERE o.datname = current_database()",
        "CREATE VIEW pg_stat_statements_info AS SELECT '2026-11-01 08:00+00'::timestamptz AS stats_reset",
    )
    monkeypatch.setattr(observe, "EXTENSION", "SELECT 'public', true")
    page = reported(database, tmp_path)
    said = part(page, "statements")
    assert "SELECT ? FROM orders WHERE id = ?" in said
    assert "1 Nov 2026, 08:00 UTC" in said
    assert "secret" not in page.text
    assert "1 statements of other roles were not seen" in part(page, "unseen")


def test_a_look_takes_no_longer_than_it_is_allowed_to(database: Database) -> None:
    connection = database.sqlalchemy()
    with pytest.raises(DBAPIError) as caught, at_most("50ms"), observing(connection):
        rows(connection, "SELECT pg_sleep(20)")
    assert sqlstate(caught.value) == "57014"
    with observing(connection):
        assert rows(connection, "SELECT current_setting('statement_timeout')") == [("0",)]


def test_a_table_that_is_locked_is_not_waited_for(partitioned: Database, tmp_path: Path) -> None:
    partitioned.sql("CREATE TABLE plain (id bigint PRIMARY KEY)")
    with partitioned.connect(autocommit=False) as other:
        other.execute("LOCK TABLE plain IN ACCESS EXCLUSIVE MODE")
        page = reported(partitioned, tmp_path)
        assert "public.plain" in part(page, "growth")
        assert "public.plain was not seen" in part(page, "unseen")
        assert "app.t" in part(page, "sets")


@pytest.mark.exhaustive
@pytest.mark.pack
def test_the_pack_at_head_is_reported_with_its_six_partitioned_tables(database: Database, tmp_path: Path) -> None:
    filled(database, 3000)
    migrate(database, "upgrade", "head")
    database.sql("ANALYZE")
    shell(database, "health", "--remember")
    page = reported(database, tmp_path, "--monthly")
    names = {one.text for one in page.all("h3")}
    assert names >= {
        "line_support.conversation",
        "line_support.webhook_event",
        "market_research.product_searches",
        "rag_chat.messages",
        "telegram_bots.messages",
        "whatsapp_agent.whatsapp_messages",
    }
    assert "telegram_bots.messages_archive" in part(page, "archives")
    assert "rag_chat.messages" in part(page, "archives"), "its time-to-live"
    assert "a partition was split" in part(page, "maintenance")
    assert sizes(page, "line_support.conversation")["In a year"] > 0
