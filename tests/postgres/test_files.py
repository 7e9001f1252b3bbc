"""Archives in files, through the console script: out and back."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pyarrow.parquet as pq
import pytest

from schema_kit.files.export import export
from schema_kit.files.store import Store, file_name
from tests.support.cli import ROOT, command, shell
from tests.support.database import QUICK, Database
from tests.support.files import T1, back, build, everything, file_in, places

pytestmark = [pytest.mark.files, pytest.mark.majors]


@pytest.mark.exhaustive
@pytest.mark.parametrize("form", ["parquet", "copy"])
def test_out_and_back(database: Database, tmp_path: Path, form: str) -> None:
    before = everything(build(database))
    out = shell(database, "archive", "export", "s.t_01", "--to", str(tmp_path), "--as", form, "--drop", "--yes")
    assert out.returncode == 0, out.stderr
    assert "31 rows of s.t_01" in out.stdout
    assert len(everything(database)) == len(before) - 31
    assert places(database) == [("s.t_01", True, False)]
    assert database.sql("SELECT count(*) FROM schema_kit.retired_partition") == [(0,)]
    assert not [path for path in tmp_path.iterdir() if path.name.endswith(".partial")]
    assert shell(database, "archive", "files", "--verify").returncode == 0

    into = shell(database, "archive", "import", "--manifest", "s.t", "--since", "2026-01-10", "--until", "2026-01-11")
    assert into.returncode == 0, into.stderr
    assert "31 rows attached to s.t" in into.stdout
    assert everything(database) == before
    bounds = "SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE oid = 's.t_01'::regclass"
    assert database.sql("SET TimeZone = 'UTC'", bounds) == [
        ("FOR VALUES FROM ('2026-01-01 00:00:00+00') TO ('2026-02-01 00:00:00+00')",)
    ]
    assert places(database) == [("s.t_01", False, True)]
    again = shell(database, "archive", "import", str(next(tmp_path.glob(f"*.{form}"))))
    assert again.returncode == 0, again.stderr
    assert "0 rows inserted into s.t, 31 were there already" in again.stdout
    assert everything(database) == before
    assert database.sql("SELECT count(*) FROM pg_class WHERE relname LIKE '%restored%'") == [(0,)]
    nothing = shell(database, "archive", "import", "--manifest", "s.t")
    assert (nothing.returncode, nothing.stderr) == (0, "nothing to do\n")


@pytest.mark.exhaustive
def test_a_file_for_each_partition_and_a_range_of_them(database: Database, tmp_path: Path) -> None:
    build(database)
    done = shell(database, "archive", "export", "s.t", "--to", str(tmp_path), "--format", "json")
    assert done.returncode == 0, done.stderr
    assert [file["rows"] for file in json.loads(done.stdout)["files"]] == [31, 28, 31]
    again = shell(database, "archive", "export", "s.t", "--to", str(tmp_path))
    assert again.returncode == 0, again.stderr
    assert len(list(tmp_path.iterdir())) == 3
    part = shell(
        database, "archive", "export", "s.t", "--to", str(tmp_path), "--since", "2026-01-30", "--until", "2026-03-01"
    )
    assert part.returncode == 0, part.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "s.t_01.2026-01-30T000000+00_2026-02-01T000000+00.parquet",
        "s.t_01.parquet",
        "s.t_02.parquet",
        "s.t_03.parquet",
    ]
    refused = shell(
        database, "archive", "export", "s.t", "--to", str(tmp_path), "--until", "2026-01-03", "--drop", "--yes"
    )
    assert refused.returncode == 3
    assert "only a part of its rows is in the range" in refused.stderr
    listed = json.loads(shell(database, "archive", "files", "s.t", "--format", "json").stdout)["files"]
    assert [(file["table"], file["rows"], file["alone"]) for file in listed] == [
        ("s.t_01", 31, False),
        ("s.t_01", 2, False),
        ("s.t_02", 28, False),
        ("s.t_03", 31, False),
    ]


def test_the_file_describes_itself(database: Database, tmp_path: Path) -> None:
    build(database)
    assert shell(database, "archive", "export", "s.t_02", "--to", str(tmp_path)).returncode == 0
    file = pq.ParquetFile(tmp_path / "s.t_02.parquet")
    told = json.loads(file.metadata.metadata[b"schema_kit"])
    assert (told["table"], told["parent"], told["control"], told["rows"]) == ("s.t_02", "s.t", "at", 28)
    assert told["lower"] == "2026-02-01 00:00:00+00"
    assert "PRIMARY KEY (id, at)" in told["definition"]
    assert "CREATE INDEX" in told["definition"]
    group = file.metadata.row_group(0)
    assert {group.column(place).compression for place in range(group.num_columns)} == {"ZSTD"}
    assert group.column(1).statistics.has_min_max
    # A definition is one that PostgreSQL takes.
    database.sql("DROP TABLE s.t CASCADE", told["definition"])
    assert database.sql("SELECT count(*) FROM s.t_02") == [(0,)]


def test_a_plain_table_without_a_key(database: Database, tmp_path: Path) -> None:
    database.sql("CREATE SCHEMA s", "CREATE TABLE s.p (a int, b json)", "INSERT INTO s.p VALUES (1, '{}'), (1, '{}')")
    assert shell(database, "archive", "export", "s.p", "--to", str(tmp_path)).returncode == 0
    file = str(tmp_path / "s.p.parquet")
    assert "0 rows inserted into s.p, 2 were there already" in shell(database, "archive", "import", file).stdout
    database.sql("TRUNCATE s.p")
    assert "2 rows inserted into s.p" in shell(database, "archive", "import", file).stdout
    database.sql("DELETE FROM s.p WHERE ctid = '(0,1)'")
    refused = shell(database, "archive", "import", file)
    assert refused.returncode == 1
    assert "has no primary key" in refused.stderr


def test_odd_names(database: Database, tmp_path: Path) -> None:
    name = 'o/d.d "น" %s' + "ข" * 10
    assert file_name("a/b%c.น") == "a%2Fb%25c.น"
    own = '"S.ค"."' + name.replace('"', '""') + '"'
    database.sql('CREATE SCHEMA "S.ค"', f'CREATE TABLE {own} ("a""b" int PRIMARY KEY)', f"INSERT INTO {own} VALUES (1)")
    done = shell(database, "archive", "export", own, "--to", str(tmp_path))
    assert done.returncode == 0, done.stderr
    into = shell(database, "archive", "import", str(next(tmp_path.iterdir())))
    assert into.returncode == 0, into.stderr
    assert "1 were there already" in into.stdout


@pytest.fixture
def memory() -> Iterator[Store]:
    store = Store("memory://archive")
    yield store
    fsspec.filesystem("memory").store.clear()


def test_another_store(database: Database, memory: Store) -> None:
    before = everything(build(database))
    connection = database.sqlalchemy()
    file = export(connection, T1, memory, "parquet", QUICK, print)
    assert file.url == "memory:///archive/s.t_01.parquet"
    assert not memory.local
    assert fsspec.filesystem("memory").ls("/archive", detail=False) == ["/archive/s.t_01.parquet"]
    done = back(database, memory, "s.t_01.parquet")
    assert (done.rows, done.skipped) == (0, 31)
    assert everything(database) == before
    assert file_in(database) == [("memory:///archive/s.t_01.parquet",)]


def test_a_partition_that_has_partitions_is_one_file(database: Database, tmp_path: Path) -> None:
    database.sql(
        "CREATE SCHEMA s",
        "CREATE TABLE s.t (a int, b text) PARTITION BY RANGE (a)",
        "CREATE TABLE s.t_1 PARTITION OF s.t FOR VALUES FROM (0) TO (10) PARTITION BY LIST (b)",
        "CREATE TABLE s.t_1x PARTITION OF s.t_1 FOR VALUES IN ('x')",
        "CREATE TABLE s.t_1d PARTITION OF s.t_1 DEFAULT",
        "INSERT INTO s.t SELECT i, CASE WHEN i < 3 THEN 'x' END FROM generate_series(0, 9) i",
    )
    before = everything(database)
    assert shell(database, "archive", "export", "s.t", "--to", str(tmp_path), "--drop", "--yes").returncode == 0
    assert database.sql("SELECT count(*) FROM pg_class WHERE relname LIKE 't\\_1%'") == [(0,)]
    done = shell(database, "archive", "import", "--manifest", "s.t", "--since", "9", "--until", "12")
    assert done.returncode == 0, done.stderr
    assert everything(database) == before


def test_what_is_generated_when_it_is_read(database: Database, tmp_path: Path) -> None:
    if database.connect().info.server_version < 180000:
        pytest.skip("virtual columns are PostgreSQL 18's")
    database.sql(
        "CREATE SCHEMA s",
        "CREATE TABLE s.t (a int PRIMARY KEY, b int GENERATED ALWAYS AS (a * 2) VIRTUAL)",
        "INSERT INTO s.t VALUES (1), (2)",
    )
    for form in ("parquet", "copy"):
        assert shell(database, "archive", "export", "s.t", "--to", str(tmp_path), "--as", form).returncode == 0
        database.sql("DELETE FROM s.t WHERE a = 1")
        done = shell(database, "archive", "import", str(tmp_path / f"s.t.{form}"))
        assert done.returncode == 0, done.stderr
        assert everything(database) == [("(1,2)",), ("(2,4)",)]
    database.sql("DELETE FROM s.t", "ALTER TABLE s.t ALTER b SET EXPRESSION AS (a * 3)")
    refused = shell(database, "archive", "import", str(tmp_path / "s.t.parquet"))
    assert refused.returncode == 1
    assert "other values in b" in refused.stderr
    assert database.sql("SELECT count(*) FROM pg_class WHERE relname LIKE '%restored%'") == [(0,)]


@pytest.mark.deep
def test_memory_stays_bounded(database: Database, tmp_path: Path) -> None:
    """Rows of 20 KB that do not compress: three times as many need hardly more memory."""
    database.sql(
        "CREATE SCHEMA s",
        "CREATE TABLE s.t (a int, b text)",
        "INSERT INTO s.t SELECT i, (SELECT string_agg(md5((i * j)::text), '') FROM generate_series(1, 625) j) "
        "FROM generate_series(1, 5000) i",
        "CREATE TABLE s.u AS SELECT * FROM s.t UNION ALL SELECT * FROM s.t UNION ALL SELECT * FROM s.t",
    )
    program = "import resource, sys\nfrom schema_kit.cli import main\ntry:\n    main()\nfinally:\n"
    program += "    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    most = []
    for table in ("s.t", "s.u"):
        arguments = command(database, "archive", "export", table, "--to", str(tmp_path))[3:]
        done = subprocess.run(
            [sys.executable, "-c", program, *arguments],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
            timeout=300,
        )
        most.append(int(done.stdout.splitlines()[-1]))
    assert most[1] < most[0] + 150_000, "kilobytes; 200 MB more of rows"
