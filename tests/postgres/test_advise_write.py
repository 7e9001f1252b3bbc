"""``schema_kit advise index --write`` and ``advise partition``: what they say holds when it is done."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.advise import SECRET, TABLES, cost
from tests.support.cli import shell
from tests.support.database import Database

pytestmark = [pytest.mark.health, pytest.mark.majors, pytest.mark.exhaustive]

ASKED = f"""
-- calls: 900
SELECT * FROM shop."Or der" WHERE note = '{SECRET} 7';
SELECT count(*) FROM shop.visit WHERE id = 55;
SELECT id FROM shop."Or der" WHERE note LIKE '%4711 66%';
SELECT id FROM shop."Or der" WHERE md5(note) = md5('{SECRET} 7');
SELECT sum(customer) FROM shop."Or der" WHERE state = 'new' AND at > '2026-01-14';
"""


def run(folder: Path, database: Database, *words: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=folder,
        env=os.environ | {"DATABASE_URL": database.url, "PYTHONWARNINGS": "error"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done


def test_a_revision_of_the_indexes_goes_up_and_costs_are_what_was_reported(database: Database, tmp_path: Path) -> None:
    database.sql(*TABLES)
    (tmp_path / "asked.sql").write_text(ASKED)
    run(tmp_path, database, "alembic", "init", "migrations")
    run(tmp_path, database, "schema_kit", "init", ".")
    ini = tmp_path / "alembic.ini"
    url = database.url.replace("postgresql:", "postgresql+psycopg:").replace("%", "%%")
    ini.write_text(ini.read_text().replace("driver://user:pass@localhost/dbname", url))
    words = ("--statements", "asked.sql", "--format", "json", "--write")
    done = run(tmp_path, database, "schema_kit", "advise", "index", *words)
    told = json.loads(done.stdout)
    files = sorted((tmp_path / "migrations" / "versions").glob("*.py"), key=lambda file: "extension" in file.name)
    assert len(files) == 2, "an extension joins a transaction, and an index commits on its own"
    assert all(file.name in done.stderr for file in files)
    text = "".join(file.read_text() for file in files)
    assert text.count("op.create_index_concurrently(") == len(told["wanted"]) >= 3
    assert "op.create_extension('pg_trgm')" in text
    assert "none of the 5 statements needs it; it is dropped by a later revision" in text
    assert SECRET not in text + done.stdout + done.stderr
    run(tmp_path, database, "alembic", "upgrade", "head")
    database.sql('ANALYZE shop."Or der"', "ANALYZE shop.visit")
    statements = [one for one in ASKED.split(";") if one.strip()]
    for one, statement in zip(told["statements"], statements, strict=True):
        assert one["cost"] == pytest.approx(cost(database, statement), rel=0.15), statement
    again = json.loads(run(tmp_path, database, "schema_kit", "advise", "index", *words[:-1]).stdout)
    assert again["wanted"] == []
    run(tmp_path, database, "alembic", "downgrade", "base")


def test_an_index_that_health_has_seen_unused_for_long_is_dropped_now(database: Database, tmp_path: Path) -> None:
    database.sql(*TABLES, 'CREATE INDEX nobody ON shop."Or der" (data, note, seldom)')
    (tmp_path / "asked.sql").write_text(ASKED)
    database.sql("SELECT pg_stat_reset()")
    remembered = shell(database, "health", "--remember", "--now", "2026-11-29")
    assert remembered.returncode in (0, 4), remembered.stderr
    database.sql("UPDATE schema_kit.health_snapshot SET taken_at = taken_at - interval '40 days'")
    done = shell(database, "advise", "index", "--statements", str(tmp_path / "asked.sql"), "--format", "json")
    assert done.returncode == 0, done.stderr
    unused = {one["index"]: one["unused"] for one in json.loads(done.stdout)["unneeded"]}
    assert unused["shop.nobody"]
    assert not unused["shop.few"], "it is small"


def test_statements_that_were_counted_are_judged_and_those_of_others_are_not_seen(database: Database) -> None:
    if not database.sql("SELECT 1 FROM pg_available_extensions WHERE name = 'pg_stat_statements'"):
        pytest.skip("this PostgreSQL has no pg_stat_statements")
    database.sql(*TABLES, "CREATE SCHEMA ext", "CREATE EXTENSION pg_stat_statements SCHEMA ext")
    database.sql(*(f"SELECT * FROM shop.\"Or der\" WHERE note = '{SECRET} {n}'" for n in range(9)))
    database.sql("SELECT count(*) FROM shop.visit WHERE at > now() - interval '3 days'")
    done = shell(database, "advise", "index", "--format", "json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert "note" in {one["definition"] for one in told["wanted"]}
    assert max(one["calls_a_day"] for one in told["statements"] if "WHERE note = ?" in one["statement"]) >= 9
    assert any("?::interval" in one["statement"] for one in told["statements"]), "typed literals have parameters"
    assert SECRET not in done.stdout + done.stderr
    database.sql("CREATE ROLE advise_blind LOGIN IN ROLE pg_read_all_data")
    try:
        done = shell(database.url.replace("postgres@", "advise_blind@"), "advise", "index")
    finally:
        database.sql("DROP ROLE advise_blind")
    assert "pg_read_all_stats" in done.stderr
    assert "WHERE note" not in done.stdout


GROWN = (
    """CREATE TABLE event (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz NOT NULL, room int,
       body text)""",
    "INSERT INTO event (at, room, body) SELECT '2025-01-01 00:00+00'::timestamptz + i * interval '20 minutes', i % 90, "
    "repeat('x', 60) FROM generate_series(1, 30000) i",
    "CREATE INDEX ON event (room)",
    "ANALYZE event",
    "CREATE TABLE plain (id int PRIMARY KEY, name text)",
)
RECENT = "SELECT room, count(*) FROM event WHERE at > '2026-02-20' GROUP BY room"


def test_a_table_is_partitioned_where_that_helps_and_it_says_when_it_does_not(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database.sql(*GROWN)
    file = tmp_path / "asked.sql"
    file.write_text(f"-- calls: 1000\n{RECENT};\nSELECT * FROM event WHERE room = 5;")

    def verdict(table: str) -> dict[str, object]:
        done = shell(database, "advise", "partition", table, "--statements", str(file), "--format", "json")
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        assert isinstance(found, dict)
        return found

    small = verdict("event")
    assert not small["helps"]
    assert "seconds" in str(small["reasons"])
    assert "no column of a time" in str(verdict("plain")["reasons"])
    monkeypatch.setattr("schema_kit.advise.partitioning.WORTH_BYTES", 0)
    monkeypatch.setattr("schema_kit.advise.partitioning.LEAST_BYTES", 100_000)
    large = verdict("public.event")
    assert (large["helps"], large["column"], large["interval"]) == (True, "at", "1 month")
    assert large["operation"] == "op.convert_to_partitioned('event', 'at', '1 month', schema='public')"
    file.write_text("-- calls: 1000\nSELECT * FROM event WHERE room = 5;")
    assert not verdict("event")["helps"], "each statement reads each partition"
    assert shell(database, "advise", "partition", "nothing", "--statements", str(file)).returncode == 3
