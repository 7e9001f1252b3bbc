"""A name that is needed may be taken, whatever has it: another one is chosen, or who has it is said beforehand."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest

from schema_kit.errors import ExecutionError, PlanError
from schema_kit.sqlscripts import load
from tests.support.archives import archived, build
from tests.support.cli import called
from tests.support.database import Database
from tests.support.matrix import perform, thinned

pytestmark = [pytest.mark.partitions, pytest.mark.majors]

TAKERS = {
    "table": "CREATE TABLE {} (i int)",
    "view": "CREATE VIEW {} AS SELECT 1 AS i",
    "materialized view": "CREATE MATERIALIZED VIEW {} AS SELECT 1 AS i",
    "index": "CREATE TABLE s.of_it (i int); CREATE INDEX {bare} ON s.of_it (i)",
    "sequence": "CREATE SEQUENCE {}",
    "type": "CREATE TYPE {} AS (i int)",
    "domain": "CREATE DOMAIN {} AS int",
    "enum": "CREATE TYPE {} AS ENUM ('a')",
}
EVERY = pytest.mark.parametrize("taker", thinned(TAKERS, "table", "index", "enum"))


def take(database: Database, taker: str, name: str) -> None:
    """Another object has the name s.*name*."""
    database.sql(*TAKERS[taker].format(f's."{name}"', bare=f'"{name}"').split("; "))


def kit(database: Database, *arguments: str) -> subprocess.CompletedProcess[str]:
    return called(["schema_kit", *arguments, "--url", database.url])


def bounds(database: Database, table: str = "s.t") -> list[str]:
    """Where its partitions begin."""
    found = database.sql(
        "SET TimeZone = 'UTC'",
        "SELECT substring(pg_get_expr(relpartbound, c.oid) FROM 'FROM .''(....-..)') FROM pg_inherits "
        f"JOIN pg_class c ON c.oid = inhrelid WHERE inhparent = '{table}'::regclass ORDER BY 1",
    )
    return [row[0] for row in found]


@EVERY
def test_partitions_ahead_get_another_name(database: Database, taker: str) -> None:
    build(database)
    take(database, taker, "t_p20260701")
    for _ in range(2):
        done = kit(database, "partitions", "create-next", "s.t", "--now", "2026-06-20")
        assert done.returncode == 0, done
    assert bounds(database)[6:] == ["2026-07", "2026-08", "2026-09", "2026-10"]
    assert database.sql("SELECT relispartition FROM pg_class WHERE relname = 't_p20260701_2'") == [(True,)]


@EVERY
def test_gaps_are_filled_next_to_it_or_a_table_is_named(database: Database, taker: str) -> None:
    build(database)
    take(database, taker, "t_p20260501")
    database.sql("DROP TABLE s.t_05")
    done = kit(database, "partitions", "fill-gaps", "s.t", "--now", "2026-06-20")
    if taker == "table":  # it may be the partition that was detached
        assert (done.returncode, "s.t_p20260501 is the name of another table" in done.stderr) == (3, True), done
    else:
        assert (done.returncode, "2026-05" in bounds(database)) == (0, True), done


@EVERY
def test_the_default_is_drained(database: Database, taker: str) -> None:
    build(database)
    take(database, taker, "t_p20251201")
    database.sql("CREATE TABLE s.t_default PARTITION OF s.t DEFAULT", "INSERT INTO s.t VALUES (1000, '2025-12-12')")
    database.sql("INSERT INTO s.t VALUES (1001, '2025-11-11')")
    done = kit(database, "partitions", "drain-default", "s.t")
    assert (done.returncode, bounds(database)[:2]) == (0, ["2025-11", "2025-12"]), done
    assert database.sql("SELECT count(*) FROM s.t_default") == [(0,)]


@EVERY
def test_a_part_of_an_archived_month_comes_back(database: Database, taker: str) -> None:
    archived(database)
    assert kit(database, "archive", "run", "--now", "2026-05-20").returncode == 0
    take(database, taker, "t_p20260101")
    done = kit(database, "archive", "restore", "s.t", "--since", "2026-01-10", "--until", "2026-01-20")
    assert done.returncode == 0, done
    assert database.sql("SELECT (SELECT count(*) FROM s.t WHERE at < '2026-02-01'), count(*) FROM s.t_archive") == [
        (10, 49)
    ]


@EVERY
def test_who_has_an_archive_s_name_is_said(database: Database, taker: str) -> None:
    build(database)
    take(database, taker, "t_archive")
    if taker == "table":
        return  # it is the archive, and of another shape: test_archive_refused
    with pytest.raises(PlanError, match=r"s\.t_archive (has a name that it needs|is an? \w)"):
        perform(database, lambda op: op.create_archive_table("t", schema="s"))
    assert database.sql("SELECT count(*) FROM schema_kit.part_config") == [(1,)]


@EVERY
@pytest.mark.parametrize("what", ["index", "partitioned index", "view", "table"])
def test_who_has_another_name_is_said(database: Database, what: str, taker: str) -> None:
    build(database)
    database.sql("CREATE TABLE s.plain (i int, at timestamptz NOT NULL, PRIMARY KEY (i, at))")
    take(database, taker, "mine")
    before = database.sql("SELECT count(*) FROM pg_class")
    ops: dict[str, Any] = {
        "index": lambda op: op.create_index_concurrently("mine", "plain", ["i"], schema="s"),
        "partitioned index": lambda op: op.create_index_concurrently("mine", "t", ["word"], schema="s"),
        "view": lambda op: op.create_archive_table("t", schema="s", view="s.mine"),
        "table": lambda op: op.create_archive_table("t", "mine", schema="s"),
    }
    allowed = {"domain", "enum"} if "index" in what else set()  # an index makes no type
    if taker in allowed:
        perform(database, ops[what])
        return
    with pytest.raises(PlanError, match="mine"):
        perform(database, ops[what])
    assert database.sql("SELECT count(*) FROM pg_class") == before


@EVERY
def test_a_conversion_says_who_has_the_name_of_its_parent(database: Database, taker: str) -> None:
    database.sql(
        "CREATE SCHEMA s",
        "CREATE TABLE s.c (id bigint PRIMARY KEY, at timestamptz NOT NULL)",
        "INSERT INTO s.c SELECT i, now() - i * interval '1 day' FROM generate_series(1, 90) i",
    )
    take(database, taker, "c__new")
    with pytest.raises(PlanError, match=r"s\.c__new"):
        perform(database, lambda op: op.convert_to_partitioned("c", "at", "1 month", schema="s", strategy="attach"))


def test_undo_with_partitions_in_another_schema(database: Database) -> None:
    database.sql(
        *load("partman/tables/part_config.sql"),
        "CREATE SCHEMA s",
        "CREATE SCHEMA parts",
        "CREATE TABLE s.t (id bigint GENERATED ALWAYS AS IDENTITY, at timestamptz NOT NULL, n serial, "
        "PRIMARY KEY (id, at)) PARTITION BY RANGE (at)",
        "CREATE INDEX t_n ON s.t (n)",
        "CREATE TABLE parts.t PARTITION OF s.t FOR VALUES FROM ('2026-01-01') TO ('2026-02-01')",
        "CREATE TABLE parts.t2 PARTITION OF s.t FOR VALUES FROM ('2026-02-01') TO ('2026-03-01')",
        "ALTER INDEX parts.t_n_idx RENAME TO t_n",
        "INSERT INTO s.t (at) SELECT '2026-01-01'::timestamptz + i * interval '1 day' FROM generate_series(0, 50) i",
        "CREATE VIEW s.v AS SELECT id FROM s.t",
    )
    perform(database, lambda op: op.unpartition("t", schema="s", keep_primary_key=True))
    assert database.sql("SELECT relkind FROM pg_class WHERE oid = 's.t'::regclass") == [("r",)]
    assert database.sql("SELECT count(*), (SELECT count(*) FROM s.v) FROM s.t") == [(51, 51)]
    assert database.sql(
        "SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = 's.t'::regclass ORDER BY 1"
    ) == [
        ("s.t_n",),
        ("s.t_pkey",),
    ]
    assert database.sql("INSERT INTO s.t (at) VALUES (now()) RETURNING id, n") == [(52, 52)]
    assert database.sql("SELECT count(*) FROM pg_class WHERE relnamespace = 'parts'::regnamespace") == [(0,)]


def test_undo_is_refused_where_the_first_partition_cannot_come(database: Database) -> None:
    database.sql(
        "CREATE SCHEMA s",
        "CREATE SCHEMA parts",
        "CREATE TABLE s.t (id bigint, at timestamptz NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at)",
        "CREATE TABLE parts.p PARTITION OF s.t FOR VALUES FROM ('2026-01-01') TO ('2026-02-01')",
        "CREATE INDEX other ON parts.p (at)",
        "CREATE SEQUENCE s.other",
    )
    with pytest.raises((PlanError, ExecutionError), match=r"sequence s\.other has a name that it needs"):
        perform(database, lambda op: op.unpartition("t", schema="s", keep_primary_key=True))


@pytest.mark.exhaustive
def test_a_partition_without_a_beginning_makes_no_empty_ones(database: Database) -> None:
    archived(database)
    database.sql(
        "ALTER TABLE s.t DETACH PARTITION s.t_01",
        "ALTER TABLE s.t ATTACH PARTITION s.t_01 FOR VALUES FROM (MINVALUE) TO ('2026-02-01+00')",
    )
    assert kit(database, "archive", "run", "--now", "2026-05-20").returncode == 0
    done = kit(database, "archive", "restore", "s.t", "--since", "2020-01-01", "--until", "2026-03-01")
    assert (done.returncode, bounds(database)[:2]) == (0, ["2026-01", "2026-02"]), done


@pytest.mark.exhaustive
def test_a_late_row_of_an_archived_month_stops_nothing(database: Database) -> None:
    archived(database)
    assert kit(database, "archive", "run", "--now", "2026-05-20").returncode == 0
    database.sql("ALTER TABLE s.t_01 RENAME TO t_p20260101", "CREATE TABLE s.t_default PARTITION OF s.t DEFAULT")
    database.sql("INSERT INTO s.t VALUES (1000, '2026-01-05'), (1001, '2025-11-11')")
    for _ in range(2):
        done = kit(database, "partitions", "maintain", "s.t", "--now", "2026-05-20")
        assert done.returncode == 0, done
        assert "t_p20260101_2 is to go to s.t_archive and stays: its range overlaps" in done.stdout + done.stderr
    assert database.sql("SELECT count(*) FROM s.t_default") == [(0,)]
    perform(database, lambda op: op.restore_archive_table("t", schema="s"))
    assert database.sql("SELECT count(*) FROM s.t_archive") == [(0,)]
