"""Archives by partition, filled by `schema_kit archive run`: whole partitions go, and no row is copied."""

from __future__ import annotations

import json
from typing import Any

import psycopg
import pytest

from schema_kit.model import Partitioning
from schema_kit.names import QualifiedName
from schema_kit.sqlscripts import load
from schema_kit.steps.partitions import register_sql
from tests.support.archives import NOW, ROWS, VIEW, archived, attached, in_exactly_one_place, places, run
from tests.support.cli import shell
from tests.support.database import Database
from tests.support.matrix import perform

pytestmark = [pytest.mark.archives, pytest.mark.majors]


def test_whole_partitions_go_and_no_row_is_copied(database: Database) -> None:
    archived(database)
    files = database.sql("SELECT pg_relation_filenode('s.t_01'), pg_relation_filenode('s.t_01_pkey')")
    before = places(database)
    done = run(database)
    assert done.returncode == 0, done.stderr
    assert [line.split(" from ")[0] for line in done.stdout.splitlines() if not line.startswith("rec")] == [
        "create schema_kit.retired_partition",
        "detach s.t_01",
        "attach s.t_01 to s.t_archive",
        "detach s.t_02",
        "attach s.t_02 to s.t_archive",
    ]
    assert "detach s.t_01 from s.t concurrently" in done.stdout
    assert places(database) == ("03 04 05 06", "01 02", [], before[3])
    assert files == database.sql("SELECT pg_relation_filenode('s.t_01'), pg_relation_filenode('s.t_01_pkey')")
    assert database.sql("SELECT count(*) FROM schema_kit.retired_partition") == [(0,)]
    assert database.sql(
        "SELECT partition_name, table_name, archive_table, goes_to, moved_at IS NOT NULL "
        "FROM schema_kit.archived_partition ORDER BY 1"
    ) == [(f"s.t_0{n}", "s.t", "s.t_archive", "s.t_archive", True) for n in (1, 2)]
    again = run(database)
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "nothing to do\n")


def test_a_dry_run_prints_the_sql_and_sends_none(database: Database) -> None:
    archived(database)
    before = places(database)
    done = run(database, "--dry-run")
    assert done.stdout.count("CONCURRENTLY;") == done.stdout.count('ALTER TABLE "s"."t_archive" ATTACH') == 2
    steps = json.loads(run(database, "--dry-run", "--format", "json").stdout)["steps"]
    assert [step["summary"].split()[0] for step in steps] == [
        "create",
        *["record", "detach", "attach"] * 2,
        "analyze",
    ]
    assert places(database) == before


def test_plans_of_the_view_prune(database: Database) -> None:
    archived(database, view=VIEW)
    run(database)
    for at, only in (("2026-01-15", "t_01"), ("2026-05-15", "t_05")):
        plan = database.sql(f"EXPLAIN SELECT * FROM s.{VIEW} WHERE at = '{at}'")
        scanned = {row[0].split(" on ")[1].split()[0] for row in plan if " on t" in row[0]}
        assert {name.removesuffix("_pkey") for name in scanned} == {only}, plan
    generic = database.sql(
        "SET plan_cache_mode = force_generic_plan",
        f"PREPARE p (timestamptz) AS SELECT * FROM s.{VIEW} WHERE at = $1",
        "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) EXECUTE p ('2026-01-15')",
    )
    assert "never executed" not in str(generic)
    assert "t_01" in str(generic)
    assert "t_05" not in str(generic)


@pytest.mark.parametrize("way", ["default", "self", "blocking"])
def test_the_next_best_way_is_one_commit_and_says_why(database: Database, way: str) -> None:
    archived(database, detach="blocking" if way == "blocking" else "auto")
    if way == "default":
        database.sql("CREATE TABLE s.t_dd PARTITION OF s.t DEFAULT")
    elif way == "self":
        database.sql(
            "ALTER TABLE s.t ADD up bigint, ADD up_at timestamptz, ADD FOREIGN KEY (up, up_at) REFERENCES s.t",
            "ALTER TABLE s.t_archive ADD up bigint, ADD up_at timestamptz",
        )
    before = places(database)
    done = run(database)
    assert done.returncode == 0, done.stderr
    why = {"default": "s.t_dd is a default partition", "self": "s.t refers to itself", "blocking": "the policy says so"}
    assert f"move s.t_01 from s.t to s.t_archive in one commit: {why[way]}" in done.stdout
    assert "validate" in done.stdout
    hot = "03 04 05 06" + (" dd" if way == "default" else "")
    assert places(database) == (hot, "01 02", [], before[3])


def test_what_others_need_stays_and_is_said_each_run(database: Database) -> None:
    archived(database)
    database.sql(
        "CREATE TABLE s.child (id bigint, at timestamptz, FOREIGN KEY (id, at) REFERENCES s.t)",
        "INSERT INTO s.child SELECT id, at FROM s.t_01 LIMIT 3",
    )
    for _ in range(2):
        done = run(database)
        assert done.returncode == 0, done.stderr
        assert "s.t_01 is to go to s.t_archive and stays: 3 rows of s.child refer to it by" in done.stderr
        assert (attached(database), attached(database, "s.t_archive")) == ("01 03 04 05 06", "02")


def test_foreign_keys_go_along_with_the_rows(database: Database) -> None:
    archived(database)
    database.sql(
        "CREATE TABLE s.word (word text PRIMARY KEY)",
        "INSERT INTO s.word VALUES ('w')",
        "ALTER TABLE s.t ADD FOREIGN KEY (word) REFERENCES s.word",
    )
    assert run(database).returncode == 0
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        database.sql("DELETE FROM s.word")
    assert (
        shell(database, "archive", "restore", "s.t", "--since", "2026-01-01", "--until", "2026-03-01").returncode == 0
    )
    assert attached(database) == "01 02 03 04 05 06"
    assert database.sql(
        "SELECT count(*), bool_and(convalidated) FROM pg_constraint WHERE contype = 'f' AND conparentid <> 0"
    ) == [(6, True)]


def test_ids(database: Database) -> None:
    database.sql(
        *load("partman/tables/part_config.sql"),
        "CREATE SCHEMA s",
        "CREATE TABLE s.t (id bigint NOT NULL) PARTITION BY RANGE (id)",
        *(f"CREATE TABLE s.t_{n}0 PARTITION OF s.t FOR VALUES FROM ({n}00) TO ({n + 1}00)" for n in range(1, 7)),
        "INSERT INTO s.t SELECT generate_series(100, 550)",
        register_sql(Partitioning(QualifiedName("s", "t"), "id", "100")),
    )

    def operate(op: Any) -> None:
        op.create_archive_table("t", schema="s")
        op.set_archive_policy("t", "250", schema="s")

    perform(database, operate)
    assert run(database).returncode == 0
    assert (attached(database), attached(database, "s.t_archive")) == ("30 40 50 60", "10 20")


def test_with_retention_the_archive_comes_first(database: Database) -> None:
    archived(database, retention="3 months", retention_keep_table=False, retention_grace="0")
    done = shell(database, "partitions", "maintain", "--now", NOW)
    assert done.returncode == 0, done.stderr
    assert (attached(database), attached(database, "s.t_archive")) == ("03 04 05 06", "01 02")
    assert in_exactly_one_place(database) == ROWS
