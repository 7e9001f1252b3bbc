"""Each command that takes a range reads it on the table's clock, and takes a default partition for no range."""

from __future__ import annotations

import subprocess
from itertools import product
from pathlib import Path

import pytest

from schema_kit.model import ArchivePolicy, Partitioning
from schema_kit.names import QualifiedName
from schema_kit.sqlscripts import load
from schema_kit.steps.archives import RegisterArchivePolicy
from schema_kit.steps.partitions import register_sql
from tests.support.cli import called
from tests.support.database import Database
from tests.support.matrix import perform

pytestmark = [pytest.mark.steps, pytest.mark.majors]

ZONES = ["UTC", "Asia/Bangkok", "America/St_Johns"]
DEFAULTS = ["none", "empty", "filled"]
EVERY = pytest.mark.parametrize(
    ("zone", "default"),
    [
        pytest.param(*pair, marks=pytest.mark.exhaustive if place % 2 else ())
        for place, pair in enumerate(product(ZONES, DEFAULTS))
    ],
)
DAYS = 90


def kit(database: Database, *arguments: str) -> subprocess.CompletedProcess[str]:
    return called(["schema_kit", *arguments, "--url", database.url])


def build(database: Database, zone: str, default: str) -> None:
    """January to March 2026 on the wall clock of a zone, a row at each of its midnights; the default holds May's."""
    database.sql(
        *load("partman/tables/part_config.sql"),
        "CREATE SCHEMA s",
        "CREATE TABLE s.t (id bigint, at timestamptz NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at)",
        *(
            f"CREATE TABLE s.t_0{month} PARTITION OF s.t FOR VALUES "
            f"FROM ('2026-0{month}-01 00:00 {zone}') TO ('2026-0{month + 1}-01 00:00 {zone}')"
            for month in (1, 2, 3)
        ),
        *(["CREATE TABLE s.t_other PARTITION OF s.t DEFAULT"] if default != "none" else []),
        f"INSERT INTO s.t SELECT i, ('2026-01-01'::timestamp + i * interval '1 day') AT TIME ZONE '{zone}' "
        f"FROM generate_series(0, {DAYS - 1}) i",
        *([f"INSERT INTO s.t VALUES (1000, '2026-05-05 00:00 {zone}')"] if default == "filled" else []),
        register_sql(Partitioning(QualifiedName("s", "t"), "at", "1 mon", zone)),
    )


def left(database: Database, table: str = "s.t") -> int:
    """The rows of January to March."""
    return int(database.sql(f"SELECT count(*) FROM {table} WHERE id < 1000")[0][0])


@pytest.mark.exhaustive
@EVERY
def test_months_go_to_files_and_come_back(database: Database, tmp_path: Path, zone: str, default: str) -> None:
    build(database, zone, default)
    to = ("--to", str(tmp_path))
    out = kit(database, "archive", "export", "s.t", *to, "--until", "2026-02-01", "--drop", "--yes")
    assert (out.returncode, left(database)) == (0, DAYS - 31), out
    assert "31 rows of s.t_01" in out.stdout
    assert out.stdout.count("rows of") == 1
    into = kit(database, "archive", "import", "--manifest", "s.t", "--since", "2026-02-01", "--until", "2026-03-01")
    assert (into.returncode, left(database)) == (0, DAYS - 31), into
    into = kit(database, "archive", "import", "--manifest", "s.t", "--since", "2026-01-31", "--until", "2026-02-01")
    assert (into.returncode, left(database)) == (0, DAYS), into


@pytest.mark.exhaustive
@EVERY
def test_a_range_goes_to_a_file(database: Database, tmp_path: Path, zone: str, default: str) -> None:
    build(database, zone, default)
    ends = ("--since", "2026-01-10", "--until", "2026-06-01")
    out = kit(database, "archive", "export", "s.t", "--to", str(tmp_path), *ends)
    assert out.returncode == 0, out.stderr
    held = [int(line.partition(": ")[2].split(" ")[0]) for line in out.stdout.splitlines()]
    assert held == [22, 28, 31, *([1] if default == "filled" else [])]


def test_rows_of_the_range_in_the_default_are_named(database: Database, tmp_path: Path) -> None:
    build(database, "Asia/Bangkok", "filled")
    for bounds in ("--since", "2026-02-01"), ("--since", "2026-05-05", "--until", "2026-05-06"):
        out = kit(database, "archive", "export", "s.t", "--to", str(tmp_path), *bounds, "--drop", "--yes")
        assert (out.returncode, left(database), list(tmp_path.iterdir())) == (3, DAYS, []), out
        assert "s.t_other, the default partition of s.t, holds rows of the range" in out.stderr
        assert "schema_kit partitions drain-default s.t" in out.stderr


@pytest.mark.parametrize("word", ["yesterday", "1/2/2026", "01.02.2026"])
def test_what_is_not_a_date_is_refused(database: Database, tmp_path: Path, word: str) -> None:
    build(database, "UTC", "none")
    out = kit(database, "archive", "export", "s.t", "--to", str(tmp_path), "--until", word)
    assert (out.returncode, f"{word!r} is not a date or time" in out.stderr) == (2, True), out


@EVERY
def test_months_come_back_from_the_archive(database: Database, zone: str, default: str) -> None:
    build(database, zone, default)

    def archive(op: object) -> None:
        op.create_archive_table("t", schema="s")  # type: ignore[attr-defined]
        op.set_archive_policy("t", "2 months", schema="s")  # type: ignore[attr-defined]

    perform(database, archive)
    if default != "none":
        database.sql("CREATE TABLE s.archive_other PARTITION OF s.t_archive DEFAULT")
    assert kit(database, "archive", "run", "--now", "2026-05-20").returncode == 0
    assert (left(database), left(database, "s.t_archive")) == (DAYS - 59, 59)
    if default == "filled":  # of January, and in no partition of the archive's own
        database.sql(
            f"INSERT INTO s.t_archive VALUES (900, '2025-12-31 00:00 {zone}'), (901, '2025-11-30 00:00 {zone}')",
        )
    back = kit(database, "archive", "restore", "s.t", "--since", "2025-12-15", "--until", "2026-02-01")
    more = 1 if default == "filled" else 0
    assert (back.returncode, left(database), left(database, "s.t_archive")) == (0, DAYS - 28 + more, 28 + more), back
    assert database.sql("SELECT count(*) FROM s.t_01") == [(31,)]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("type_", ["timestamptz", "timestamp"])
def test_rows_come_back_one_by_one(database: Database, zone: str, type_: str) -> None:
    build(database, zone, "none")
    if type_ == "timestamp":
        database.sql(
            "DROP TABLE s.t",
            "CREATE TABLE s.t (id bigint, at timestamp NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at)",
            "CREATE TABLE s.t_01 PARTITION OF s.t FOR VALUES FROM ('2026-01-01') TO ('2026-04-01')",
            "INSERT INTO s.t SELECT i, '2026-01-01'::timestamp + i * interval '1 day' FROM generate_series(0, 89) i",
        )
    policy = ArchivePolicy(QualifiedName("s", "t"), QualifiedName("s", "u"), None, "rows", "at", "true")
    database.sql(
        "CREATE TABLE s.u (LIKE s.t INCLUDING ALL)",
        "INSERT INTO s.u SELECT * FROM s.t",
        "DELETE FROM s.t",
        *load("tables/archive_policy.sql"),
        *RegisterArchivePolicy(policy).sql(),
    )
    back = kit(database, "archive", "restore", "s.t", "--since", "2026-01-10", "--until", "2026-01-20")
    assert (back.returncode, left(database), left(database, "s.u")) == (0, 10, DAYS - 10), back
    assert database.sql("SELECT min(id), max(id) FROM s.t") == [(9, 18)]


@EVERY
def test_ranges_are_made_up_to_an_end_and_from_one_on(database: Database, zone: str, default: str) -> None:
    build(database, zone, default)
    now = ("--now", "2026-06-10")
    done = kit(database, "partitions", "create-next", "s.t", "--until", "2026-09-01", *now)
    assert done.returncode == 0, done
    done = kit(database, "partitions", "fill-gaps", "s.t", "--since", "2025-12-01", *now)
    assert (done.returncode, "drain-default" in done.stderr) == ((1, True) if default == "filled" else (0, False)), done
    bounds = database.sql(
        f"SET TimeZone = '{zone}'",
        "SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE relispartition AND relkind = 'r' "
        "AND pg_get_expr(relpartbound, oid) <> 'DEFAULT'",
    )
    assert len(bounds) == (8 if default == "filled" else 9)  # May's rows are where they are
    assert [text for (text,) in bounds if text.count("-01 00:00:00") != 2] == []
    assert kit(database, "partitions", "timeline", "s.t", *now).returncode == 0
