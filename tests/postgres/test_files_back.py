"""The import is a plan of steps: shown as it is sent, under the lock policy, one run at a time, stopped anywhere."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from schema_kit.errors import ExecutionError, LockNotAvailable, PlanError
from schema_kit.execute import StepDone, Waiting
from schema_kit.files import restore as restores
from schema_kit.files.store import Store
from schema_kit.marks import BEING_RESTORED
from schema_kit.names import QualifiedName
from schema_kit.steps.files import LoadFile, MergeFile
from tests.support.cli import shell
from tests.support.database import Database
from tests.support.files import back, build, everything, killed, places

pytestmark = [pytest.mark.files, pytest.mark.majors]


def out(database: Database, folder: Path) -> list[tuple[Any, ...]]:
    """A month in a file alone."""
    before = everything(build(database))
    assert shell(database, "archive", "export", "s.t_01", "--to", str(folder), "--drop", "--yes").returncode == 0
    return before


def test_what_is_shown_is_what_is_sent(database: Database, tmp_path: Path) -> None:
    before = out(database, tmp_path)
    rest = everything(database)
    shown = shell(database, "archive", "import", "--manifest", "s.t", "--dry-run")
    assert shown.returncode == 0, shown.stderr
    assert "then s.t_01 is compared with the file, gets what it lacks, and is attached to s.t" in shown.stderr
    assert 'COPY "s"."t_01" ("id", "at", "r", "word") FROM STDIN (FORMAT csv);' in shown.stdout
    assert everything(database) == rest
    assert database.sql("SELECT to_regclass('s.t_01')") == [(None,)]
    database.sql("CREATE TABLE s.t_01 PARTITION OF s.t FOR VALUES FROM ('2026-01-01+00') TO ('2026-02-01+00')")
    inserted = json.loads(
        shell(database, "archive", "import", "--manifest", "s.t", "--dry-run", "--format", "json").stdout
    )
    assert [step["summary"].split(" ")[0] for step in inserted["steps"]] == ["load", "insert"]
    sent = [statement for step in inserted["steps"] for statement in step["sql"]]
    assert any(statement.startswith('INSERT INTO "s"."t" ("id", "at", "r", "word")') for statement in sent)
    assert sum(statement.startswith("COPY") for statement in sent) == 1
    back(database, Store(str(tmp_path)), "s.t_01.parquet")
    done = [event.step for event in database.events if isinstance(event, StepDone)]
    assert [(type(step), step.summary) for step in done if isinstance(step, LoadFile | MergeFile)] == [
        (LoadFile, inserted["steps"][0]["summary"]),
        (MergeFile, inserted["steps"][1]["summary"]),
    ]
    assert everything(database) == before


@pytest.mark.exhaustive
def test_who_is_in_the_way_is_named_and_waited_for(database: Database, tmp_path: Path) -> None:
    """A session holds the table that gets the rows: no wait beyond the budget, and the next run resumes."""
    before = out(database, tmp_path)
    database.sql("CREATE TABLE s.t_01 PARTITION OF s.t FOR VALUES FROM ('2026-01-01+00') TO ('2026-02-01+00')")
    other = database.connect(autocommit=False)
    other.execute("LOCK TABLE s.t IN SHARE MODE")
    with pytest.raises(LockNotAvailable, match="blocked by pid"):
        back(database, Store(str(tmp_path)), "s.t_01.parquet")
    waits = [event for event in database.events if isinstance(event, Waiting)]
    assert waits
    assert all(isinstance(event.step, MergeFile) for event in waits)
    assert places(database) == [("s.t_01", True, True)]
    other.rollback()
    database.events.clear()
    assert back(database, Store(str(tmp_path)), "s.t_01.parquet").rows == 31
    assert not any(isinstance(event.step, LoadFile) for event in database.events), "it was loaded already"
    assert everything(database) == before
    assert places(database) == [("s.t_01", False, True)]


@pytest.mark.parametrize("inserted", [False, True])
def test_two_runs_at_the_same_file(database: Database, tmp_path: Path, inserted: bool) -> None:
    """The second one would drop what the first one is about to attach."""
    before = out(database, tmp_path)
    if inserted:
        database.sql("CREATE TABLE s.t_01 PARTITION OF s.t FOR VALUES FROM ('2026-01-01+00') TO ('2026-02-01+00')")
    both, told = threading.Barrier(2), list[str]()

    def run() -> None:
        both.wait()
        try:
            told.append(back(database, Store(str(tmp_path)), "s.t_01.parquet").how)
        except (ExecutionError, PlanError) as error:
            told.append(str(error))

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {"attached", "inserted"} & set(told), told
    assert all(text in ("attached", "inserted") or "another run is at" in text for text in told)
    assert everything(database) == before
    assert places(database) == [("s.t_01", False, True)]


@pytest.mark.exhaustive
def test_what_a_run_has_left_is_dropped_only_while_it_is_its_own(database: Database, tmp_path: Path) -> None:
    """A mark alone does not make a table ours: it may have become a partition under the eyes of the next run."""
    before = out(database, tmp_path)
    killed(
        database,
        "from schema_kit.files import restore\ndies(restore, '_unlike')",
        *("import", "--manifest", "s.t"),
    )
    mark = "SELECT obj_description('s.t_01'::regclass)"
    assert database.sql(mark)[0][0].startswith(BEING_RESTORED)
    database.sql(
        "DELETE FROM s.t_01 WHERE id = 3",
        "ALTER TABLE s.t ATTACH PARTITION s.t_01 FOR VALUES FROM ('2026-01-01+00') TO ('2026-02-01+00')",
    )
    done = shell(database, "archive", "import", "--manifest", "s.t")
    assert done.returncode == 0, done.stderr
    assert "1 rows inserted into s.t, 30 were there already" in done.stdout
    assert everything(database) == before


@pytest.mark.exhaustive
def test_what_is_half_way_and_not_what_the_file_holds_is_loaded_again(database: Database, tmp_path: Path) -> None:
    before = out(database, tmp_path)
    killed(database, "from schema_kit.files import restore\ndies(restore, '_unlike')", "import", "--manifest", "s.t")
    database.sql("DELETE FROM s.t_01 WHERE id = 3")
    done = shell(database, "archive", "import", "--manifest", "s.t")
    assert done.returncode == 0, done.stderr
    assert "31 rows attached to s.t" in done.stdout
    assert everything(database) == before
    assert database.sql("SELECT obj_description('s.t_01'::regclass)") == [(None,)]


def test_a_table_of_a_user_is_never_dropped(database: Database, tmp_path: Path) -> None:
    out(database, tmp_path)
    database.sql("CREATE TABLE s.t_01 (LIKE s.t INCLUDING GENERATED)", "INSERT INTO s.t_01 (id, at) VALUES (1, now())")
    refused = shell(database, "archive", "import", "--manifest", "s.t")
    assert refused.returncode == 3
    assert "s.t_01 exists already and has 1 rows instead of 31" in refused.stderr
    assert database.sql("SELECT count(*) FROM s.t_01") == [(1,)]


@pytest.mark.parametrize(
    "type_", ["integer); DROP TABLE s.keep; --", "integer, b text", "integer DEFAULT s.run()", "s.none", "serial"]
)
def test_a_type_is_a_type(database: Database, tmp_path: Path, type_: str) -> None:
    """It is said by the file, which any user may have written, and becomes a part of CREATE TABLE."""
    database.sql("CREATE SCHEMA s", "CREATE TABLE s.keep (a int)", "CREATE TABLE s.p (a int)")
    assert shell(database, "archive", "export", "s.p", "--to", str(tmp_path), "--as", "copy").returncode == 0
    beside = tmp_path / "s.p.copy.json"
    told = json.loads(beside.read_text())
    told["columns"][0]["type"] = type_
    beside.write_text(json.dumps(told))
    refused = shell(database, "archive", "import", str(tmp_path / "s.p.copy"), "--beside", "s.b")
    assert refused.returncode == 3, refused.stderr
    assert "describes other columns than schema_kit.archive_file knows" in refused.stderr
    database.sql("DELETE FROM schema_kit.archive_file")  # a database that has never heard of it
    refused = shell(database, "archive", "import", str(tmp_path / "s.p.copy"), "--beside", "s.b")
    assert refused.returncode == 3, refused.stderr
    assert "no such type here" in refused.stderr
    assert database.sql("SELECT to_regclass('s.keep') IS NOT NULL, to_regclass('s.b')") == [(True, None)]


def test_a_file_that_goes_bad_between_its_check_and_its_loading(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was loaded is compared with what was checked."""
    out(database, tmp_path)
    path = tmp_path / "s.t_01.parquet"
    own = restores._loading

    def loading(*arguments: Any) -> Any:
        path.write_bytes(path.read_bytes()[:-20] + b"x" * 20)
        return own(*arguments)

    monkeypatch.setattr(restores, "_loading", loading)
    with pytest.raises(PlanError, match="is damaged or no Parquet file"):
        back(database, Store(str(tmp_path)), path.name)
    assert database.sql("SELECT to_regclass('s.t_01')") == [(None,)]
    assert places(database) == [("s.t_01", True, False)]


def test_keys_that_differ_are_named_all_of_them(database: Database, tmp_path: Path) -> None:
    out(database, tmp_path)
    database.sql(
        "CREATE TABLE s.t_01 PARTITION OF s.t FOR VALUES FROM ('2026-01-01+00') TO ('2026-02-01+00')",
        "CREATE UNIQUE INDEX ON s.t_01 (word)",
        "INSERT INTO s.t (id, at, word) OVERRIDING SYSTEM VALUE VALUES (99, '2026-01-05+00', 'คำ 6')",
    )
    with pytest.raises(ExecutionError, match=r"another unique index has taken their values: \(id, at\) = \(7, 2026"):
        back(database, Store(str(tmp_path)), "s.t_01.parquet")
    assert database.sql("SELECT count(*) FROM s.t_01") == [(1,)]
    assert QualifiedName("s", "t_01__restored") == next(
        event.step.name for event in database.events if isinstance(event.step, MergeFile)
    )


BY = {
    "list": ("LIST (k)", {"a": "FOR VALUES IN ('o''n', NULL)", "b": "FOR VALUES IN ('b', 'c')"}),
    "hash": (
        "HASH (k, id)",
        {"a": "FOR VALUES WITH (modulus 2, remainder 0)", "b": "FOR VALUES WITH (modulus 2, remainder 1)"},
    ),
    "range": (
        "RANGE (k, id)",
        {"a": "FOR VALUES FROM (MINVALUE, MINVALUE) TO ('c', 50)", "b": "FOR VALUES FROM ('c', 50) TO ('z', MAXVALUE)"},
    ),
}


def parted(database: Database, by: str) -> list[tuple[Any, ...]]:
    """A table of two partitions, with all of its rows in one or the other."""
    how, bounds = BY[by]
    values = "o'n", "b", "c", *(() if by == "range" else (None,))
    database.sql(
        "CREATE SCHEMA s",
        f"CREATE TABLE s.t (id bigint, k text, word text CHECK (word <> '')) PARTITION BY {how}",
        *(f"CREATE TABLE s.t_{name} PARTITION OF s.t {text}" for name, text in bounds.items()),
        "CREATE INDEX ON s.t (word)",
        *(
            "INSERT INTO s.t SELECT i, "
            + ("NULL" if value is None else "'" + value.replace("'", "''") + "'")
            + f", 'w' || i FROM generate_series({1 + 25 * place}, {25 + 25 * place}) i"
            for place, value in enumerate(values)
        ),
    )
    return everything(database)


@pytest.mark.parametrize("by", sorted(BY))
def test_partitions_of_every_kind_are_attached_again(database: Database, tmp_path: Path, by: str) -> None:
    before = parted(database, by)
    was = database.sql("SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE oid = 's.t_a'::regclass")
    assert shell(database, "archive", "export", "s.t_a", "--to", str(tmp_path), "--drop", "--yes").returncode == 0
    assert len(everything(database)) < len(before)
    shown = shell(database, "archive", "import", "--manifest", "s.t", "--dry-run")
    assert 'ALTER TABLE "s"."t" ATTACH PARTITION "s"."t_a" FOR VALUES ' in shown.stdout, shown.stderr
    done = shell(database, "archive", "import", "--manifest", "s.t")
    assert done.returncode == 0, done.stderr
    assert "rows attached to s.t" in done.stdout
    assert everything(database) == before
    assert database.sql("SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE oid = 's.t_a'::regclass") == was
    assert database.sql("SELECT count(*) FROM pg_index WHERE indrelid = 's.t_a'::regclass") == [(1,)]
    assert places(database) == [("s.t_a", False, True)]


@pytest.mark.parametrize(
    "stands",
    [
        "CREATE TABLE s.other PARTITION OF s.t FOR VALUES IN ('a', 'x')",
        "CREATE TABLE s.other PARTITION OF s.t DEFAULT",
    ],
)
def test_where_others_stand_they_are_inserted(database: Database, tmp_path: Path, stands: str) -> None:
    """Another partition that takes its rows; a default, which would be read under a lock."""
    database.sql(
        "CREATE SCHEMA s",
        "CREATE TABLE s.t (id bigint, k text, PRIMARY KEY (id, k)) PARTITION BY LIST (k)",
        "CREATE TABLE s.t_a PARTITION OF s.t FOR VALUES IN ('a')",
        "CREATE TABLE s.t_b PARTITION OF s.t FOR VALUES IN ('b')",
        "INSERT INTO s.t SELECT i, CASE WHEN i <= 50 THEN 'a' ELSE 'b' END FROM generate_series(1, 75) i",
    )
    before = everything(database)
    assert shell(database, "archive", "export", "s.t_a", "--to", str(tmp_path), "--drop", "--yes").returncode == 0
    database.sql(stands)
    done = shell(database, "archive", "import", "--manifest", "s.t")
    assert done.returncode == 0, done.stderr
    assert "50 rows inserted into s.t" in done.stdout
    assert everything(database) == before


def test_bounds_that_only_a_file_says_are_no_part_of_a_statement(database: Database, tmp_path: Path) -> None:
    parted(database, "list")
    out = ["export", "s.t_a", "--to", str(tmp_path), "--drop", "--yes", "--as", "copy"]
    assert shell(database, "archive", *out).returncode == 0
    beside = tmp_path / "s.t_a.copy.json"
    told = json.loads(beside.read_text())
    beside.write_text(json.dumps(told | {"bounds": "FOR VALUES IN ('x'); DROP TABLE s.t"}))
    refused = shell(database, "archive", "import", "--manifest", "s.t")
    assert refused.returncode == 1
    assert "ATTACH" not in refused.stderr
    assert "Nothing was inserted, and the second table has the file's rows" in refused.stderr
    assert database.sql("SELECT count(*) FROM s.t") == [(50,)]
