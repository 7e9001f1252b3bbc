"""Which partitions go to files: by their age on the table's own clock; shown before; and files that are forgotten."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from schema_kit.model import Partitioning
from schema_kit.names import QualifiedName
from schema_kit.sqlscripts import load
from schema_kit.steps.partitions import register_sql
from tests.support.cli import shell
from tests.support.database import Database
from tests.support.files import build, everything

pytestmark = [pytest.mark.files, pytest.mark.cli]


def in_bangkok(database: Database) -> Database:
    """Months of Bangkok, which end seven hours before those of UTC."""
    database.sql(
        "CREATE SCHEMA s",
        "CREATE TABLE s.t (id bigint, at timestamptz NOT NULL) PARTITION BY RANGE (at)",
        *(
            f"CREATE TABLE s.t_0{month} PARTITION OF s.t FOR VALUES FROM ('2026-0{month}-01+07') "
            f"TO ('2026-0{month + 1}-01+07')"
            for month in range(1, 5)
        ),
        "INSERT INTO s.t SELECT i, '2026-01-02'::timestamptz + i * interval '1 day' FROM generate_series(0, 100) i",
        *load("partman/tables/part_config.sql"),
        register_sql(Partitioning(QualifiedName("s", "t"), "at", "1 mon", timezone="Asia/Bangkok")),
    )
    return database


def chosen(database: Database, folder: Path, *words: str) -> list[str]:
    done = shell(database, "archive", "export", "s.t", "--to", str(folder), "--dry-run", "--format", "json", *words)
    assert done.returncode == 0, done.stderr
    return [file["table"] for file in json.loads(done.stdout)["files"]]


@pytest.mark.parametrize(
    ("age", "now", "names"),
    [
        ("1 month", "2026-03-31T16:59Z", ["s.t_01"]),
        ("1 month", "2026-03-31T17:01Z", ["s.t_01", "s.t_02"]),  # it is April in Bangkok
        ("1 minute", "2026-04-30T17:01Z", ["s.t_01", "s.t_02", "s.t_03", "s.t_04"]),
        ("10 years", "2026-05-01", []),
    ],
)
def test_age_is_counted_on_the_clock_of_the_table(
    database: Database, tmp_path: Path, age: str, now: str, names: list[str]
) -> None:
    assert chosen(in_bangkok(database), tmp_path, "--older-than", age, "--now", now) == names
    assert list(tmp_path.iterdir()) == []
    assert database.sql("SELECT to_regclass('schema_kit.archive_file')") == [(None,)]


def test_what_is_shown_is_what_is_written(database: Database, tmp_path: Path) -> None:
    in_bangkok(database)
    words = ("--older-than", "1 month", "--now", "2026-04-02", "--drop")
    shown = chosen(database, tmp_path, *words)
    text = shell(database, "archive", "export", "s.t", "--to", str(tmp_path), *words, "--dry-run")
    assert text.stdout.count("DETACH PARTITION") == len(shown) == 2
    assert "then s.t_01 is dropped" in text.stdout
    done = shell(database, "archive", "export", "s.t", "--to", str(tmp_path), *words, "--yes")
    assert done.returncode == 0, done.stderr
    assert [table for (table,) in database.sql("SELECT table_name FROM schema_kit.archive_file ORDER BY 1")] == shown
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{name}.parquet" for name in shown]
    again = shell(database, "archive", "export", "s.t", "--to", str(tmp_path), *words, "--yes")
    assert (again.returncode, again.stdout) == (0, "")


def test_ids_age_by_ids(database: Database, tmp_path: Path) -> None:
    database.sql(
        "CREATE SCHEMA s",
        "CREATE TABLE s.t (id bigint PRIMARY KEY) PARTITION BY RANGE (id)",
        *(f"CREATE TABLE s.t_{n} PARTITION OF s.t FOR VALUES FROM ({n}) TO ({n + 100})" for n in range(0, 500, 100)),
        "INSERT INTO s.t SELECT generate_series(0, 350)",
        *load("partman/tables/part_config.sql"),
        register_sql(Partitioning(QualifiedName("s", "t"), "id", "100")),
    )
    assert chosen(database, tmp_path, "--older-than", "150") == ["s.t_0", "s.t_100"]
    wrong = shell(database, "archive", "export", "s.t", "--to", str(tmp_path), "--older-than", "90 days")
    assert (wrong.returncode, "how many ids: 1000000" in wrong.stderr) == (2, True)


REFUSED = {
    "twice": (["s.t", "--older-than", "1 day", "--until", "2026-01-01"], 2, "name one"),
    "no policy": (["s.r", "--older-than", "1 day"], 3, "s.r has no policy in schema_kit.part_config"),
    "no table": (["s.nothing", "--dry-run"], 3, "there is no table s.nothing"),
    "nobody to ask": (["s.t", "--drop"], 2, "add --yes"),
    "a part of a partition": (["s.t", "--drop", "--dry-run", "--until", "2026-01-10"], 3, "only a part of its rows"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(database: Database, tmp_path: Path, case: str) -> None:
    build(database)
    words, code, said = REFUSED[case]
    done = shell(database, "archive", "export", *words, "--to", str(tmp_path))
    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr
    assert "Nothing was changed" in done.stderr


def test_a_file_is_forgotten_and_stays(database: Database, tmp_path: Path) -> None:
    before = everything(build(database))
    assert shell(database, "archive", "export", "s.t_01", "s.t_02", "--to", str(tmp_path)).returncode == 0
    assert shell(database, "archive", "export", "s.t_03", "--to", str(tmp_path), "--drop", "--yes").returncode == 0
    urls = dict(database.sql("SELECT table_name, file_url FROM schema_kit.archive_file"))
    refused = shell(database, "archive", "files", "--forget", urls["s.t_01"])
    assert (refused.returncode, "add --yes" in refused.stderr) == (2, True)
    both = ("--forget", urls["s.t_01"], "--forget", urls["s.t_03"])
    dry = shell(database, "archive", "files", *both, "--dry-run")
    assert dry.stdout.count('DELETE FROM "schema_kit"."archive_file"') == 2
    assert database.sql("SELECT count(*) FROM schema_kit.archive_file") == [(3,)]
    done = shell(database, "archive", "files", *both, "--yes")
    assert done.returncode == 0, done.stderr
    assert "rows of s.t_03 are in no table" in done.stderr
    assert "rows of s.t_01" not in done.stderr
    assert f"forget {urls['s.t_01']}; the file stays where it is" in done.stdout
    assert [name for (name,) in database.sql("SELECT table_name FROM schema_kit.archive_file")] == ["s.t_02"]
    assert len(list(tmp_path.iterdir())) == 3
    gone = shell(database, "archive", "files", *both, "--yes")
    assert (gone.returncode, "no such file in schema_kit.archive_file" in gone.stderr) == (3, True)
    back = shell(database, "archive", "import", urls["s.t_03"])  # a file says itself what it holds
    assert back.returncode == 0, back.stderr
    assert everything(database) == before
