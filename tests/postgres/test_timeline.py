"""``schema_kit partitions timeline`` and ``list``, as a terminal and a pipe see them."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess

import pytest

from schema_kit.model import Partitioning
from schema_kit.names import QualifiedName
from schema_kit.steps.partitions import register_sql
from tests.support.archives import archived
from tests.support.check import NOW, T
from tests.support.cli import ROOT, command, shell
from tests.support.database import Database
from tests.support.tables import partition, register

pytestmark = [pytest.mark.partitions, pytest.mark.cli]


@pytest.fixture
def busy(database: Database) -> Database:
    """Months with rows, a gap, one missing ahead, a default, sub-partitions and a partition in another schema."""
    database.sql(
        "CREATE SCHEMA app",
        'CREATE SCHEMA "ที่เก็บ"',
        "CREATE TABLE app.t (id bigint, at date NOT NULL) PARTITION BY RANGE (at)",
        partition("app.t", "2026-05-01", "2026-06-01"),
        partition("app.t", "2026-03-01", "2026-04-01") + " PARTITION BY HASH (id)",
        *(
            f"CREATE TABLE app.t_p20260301_{n} PARTITION OF app.t_p20260301 FOR VALUES WITH (MODULUS 3, REMAINDER {n})"
            for n in range(3)
        ),
        partition("app.t", "2026-01-01", "2026-02-01", '"ที่เก็บ"."[red]old"'),
        "CREATE TABLE app.rest PARTITION OF app.t DEFAULT",
        "INSERT INTO app.t SELECT i, '2026-01-05' FROM generate_series(1, 5000) i",
        "INSERT INTO app.t SELECT i, '2026-03-05' FROM generate_series(1, 1000) i",
        "ANALYZE app.t",
    )
    register(database, Partitioning(T, "at", "1 mon", premake=2))
    return database


def test_the_picture_in_a_pipe_is_plain_and_stable(busy: Database) -> None:
    done = shell(busy, "partitions", "timeline", "--now", NOW)
    assert (done.returncode, done.stderr) == (0, "")
    assert "\x1b" not in done.stdout
    assert done.stdout == shell(busy, "partitions", "timeline", "app.t", "--now", NOW).stdout
    lines = done.stdout.splitlines()
    assert lines[0] == "app.t  by at, every 1 mon, UTC, premake 2"
    assert "4 partitions" in lines[1]
    assert "about 6,000 rows, 1 premade, 1 missing, 1 gap" in lines[1]
    picture = lines[2:8]
    assert [line[:12] for line in picture] == [
        "  2026-01-01",
        "! 2026-02-01",
        "> 2026-03-01",
        "! 2026-04-01",
        "  2026-05-01",
        "  DEFAULT   ",
    ]
    assert picture[0].endswith('"ที่เก็บ"."[red]old"')
    assert picture[0].count("█") > picture[2].count("█") > 0
    assert "current, t_p20260301" in picture[2]
    assert max(map(len, lines)) <= 80 + 12, "Thai letters take less room than there are characters"


def test_json_has_the_same(busy: Database) -> None:
    (told,) = json.loads(shell(busy, "partitions", "timeline", "--now", NOW, "--format", "json").stdout)["sets"]
    assert [(one["state"], one["from"], one["to"], one["rows"], one["windows"]) for one in told["segments"]] == [
        ("past", "2026-01-01", "2026-02-01", 5000, 0),
        ("gap", "2026-02-01", "2026-03-01", 0, 1),
        ("current", "2026-03-01", "2026-04-01", 1000, 0),
        ("missing", "2026-04-01", "2026-05-01", 0, 1),
        ("premade", "2026-05-01", "2026-06-01", 0, 0),
        ("default", None, None, 0, 0),
    ]
    sizes = "SELECT sum(pg_total_relation_size(relid)) FROM pg_partition_tree('app.t')"
    assert sum(one["bytes"] for one in told["segments"]) == busy.sql(sizes)[0][0]


@pytest.mark.exhaustive
@pytest.mark.parametrize("no_color", [True, False])
def test_in_a_terminal_it_is_as_wide_as_that_and_coloured_by_default(busy: Database, no_color: bool) -> None:
    parent, child = pty.openpty()
    environment = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS")}
    environment |= {"TERM": "xterm-256color", "COLUMNS": "150"} | ({"NO_COLOR": "1"} if no_color else {})
    running = subprocess.Popen(
        command(busy, "partitions", "timeline", "--now", NOW), cwd=ROOT, env=environment, stdout=child
    )
    os.close(child)
    told = b""
    while True:
        try:
            chunk = os.read(parent, 65536)
        except OSError:  # Linux: the other end is closed
            break
        if not chunk:
            break
        told += chunk
    os.close(parent)
    assert running.wait(60) == 0
    text = told.decode()
    assert bool(re.search(r"\x1b\[[0-9;]*3[0-9]m", text)) is not no_color
    assert "█" * 40 in text


def test_list_sorts_by_ranges_and_says_what_is_unusual(busy: Database) -> None:
    busy.sql(
        "CREATE TABLE app.i (id numeric PRIMARY KEY) PARTITION BY RANGE (id)",
        *(
            f"CREATE TABLE app.i{n} PARTITION OF app.i FOR VALUES FROM ({low}) TO ({high})"
            for n, (low, high) in enumerate([(90000, 100000), (-20000, -10000), (9000, 90000), ("MINVALUE", -20000)])
        ),
        register_sql(Partitioning(QualifiedName("app", "i"), "id", "1000", premake=1)),
    )
    done = shell(busy, "partitions", "list", "--now", NOW)
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split()[0] for line in done.stdout.splitlines() if line.startswith("  i")] == ["i3", "i1", "i2", "i0"]
    assert re.search(r"  t_p20260301 .* current, 3 sub-partitions\n", done.stdout)
    assert re.search(r'  "ที่เก็บ"\."\[red\]old" .* past\n', done.stdout)
    ids, dates = json.loads(shell(busy, "partitions", "list", "--now", NOW, "--format", "json").stdout)["sets"]
    assert [part["from"] for part in ids["partitions"]] == ["MINVALUE", "-20000", "9000", "90000"]
    assert [(part["from"], part["partitions"], part["rows"]) for part in dates["partitions"]] == [
        ("2026-01-01", 0, 5000),
        ("2026-03-01", 3, 1000),
        ("2026-05-01", 0, 0),
        ("DEFAULT", 0, 0),
    ]


def test_what_cannot_be_seen_does_not_hide_the_others(busy: Database) -> None:
    busy.sql(
        *(
            statement
            for name in ("gone", "i")
            for statement in (
                f"CREATE TABLE app.{name} (id bigint PRIMARY KEY) PARTITION BY RANGE (id)",
                f"CREATE TABLE app.{name}0 PARTITION OF app.{name} FOR VALUES FROM (0) TO (1000)",
                register_sql(Partitioning(QualifiedName("app", name), "id", "1000", premake=1)),
            )
        ),
        "DROP TABLE app.gone",
    )
    role = f"painter_{busy.sql('SELECT pg_backend_pid()')[0][0]}"
    busy.sql(
        f"CREATE ROLE {role} LOGIN",
        f"GRANT USAGE ON SCHEMA schema_kit, app TO {role}",
        f"GRANT SELECT ON schema_kit.part_config TO {role}",
    )
    try:
        url = busy.url.replace("postgres@", f"{role}@")
        for verb in ("timeline", "list"):
            done = shell(url, "partitions", verb, "--now", NOW)
            assert done.returncode == 1
            assert f'GRANT SELECT ON "app"."i" TO "{role}";' in done.stderr
            assert "Traceback" not in done.stderr
            assert "2026-05-01" in done.stdout
            assert "i0" in done.stdout
            assert "there is no" in done.stdout + done.stderr
    finally:
        busy.sql(f"DROP OWNED BY {role}", f"DROP ROLE {role}")
    name = busy.sql("SELECT current_database()")[0][0]
    busy.sql("DELETE FROM schema_kit.part_config WHERE parent_table = 'app.gone'")
    busy.sql(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    for verb in ("timeline", "list"):
        assert shell(busy, "partitions", verb, "--now", NOW).returncode == 0


@pytest.mark.exhaustive
def test_a_long_set_is_folded(database: Database) -> None:
    database.sql(
        "CREATE SCHEMA app",
        "CREATE TABLE app.t (at date NOT NULL) PARTITION BY RANGE (at)",
        """DO $$ BEGIN FOR i IN 0..399 LOOP
             EXECUTE format('CREATE TABLE app.d%s PARTITION OF app.t FOR VALUES FROM (%L) TO (%L)',
                            i, '2026-01-01'::date + i, '2026-01-01'::date + i + 1);
           END LOOP; END $$""",
    )
    register(database, Partitioning(T, "at", "1 day", premake=2))
    done = shell(database, "partitions", "timeline", "--now", "2027-01-15")
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) < 40
    assert "… 369 partitions" in done.stdout


def test_without_any_set(database: Database) -> None:
    for verb in ("timeline", "list"):
        done = shell(database, "partitions", verb)
        assert (done.returncode, done.stdout) == (0, "")
        assert "no partitioned sets are registered" in done.stderr


def test_what_archives_and_retention_have_due(database: Database) -> None:
    archived(database)
    database.sql("UPDATE schema_kit.part_config SET retention = '3 months' WHERE parent_table = 's.t'")
    told = json.loads(shell(database, "partitions", "timeline", "--now", "2026-05-20", "--format", "json").stdout)
    states = {one["name"]: one["state"] for one in told["sets"][0]["segments"] if one["name"]}
    assert [states[f"s.t_0{month}"] for month in range(1, 6)] == ["to archive", "to archive", "past", "past", "current"]
    assert told["sets"][0]["archive"] == "s.t_archive"
    assert told["sets"][0]["next_to_archive"] == {"name": "s.t_03", "at": "2026-06-01"}
    text = shell(database, "partitions", "timeline", "--now", "2026-05-20").stdout
    assert "2 to archive" in text
    assert "archive after 2 months takes s.t_03 next, at 2026-06-01" in text
    assert shell(database, "archive", "run", "--now", "2026-05-20").returncode == 0
    database.sql(
        register_sql(Partitioning(QualifiedName("s", "t_archive"), "at", "1 mon", retention="4 months", premake=1))
    )
    told = json.loads(shell(database, "partitions", "timeline", "--now", "2026-06-20", "--format", "json").stdout)
    assert [one["parent"] for one in told["sets"]] == ["s.t", "s.t_archive"]
    assert [one["state"] for one in told["sets"][1]["segments"] if one["name"]][:2] == ["due", "past"]
