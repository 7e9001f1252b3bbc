"""The functions in SQL next to the extension 4.7 itself: the same calls, at random, have the same outcome."""

from __future__ import annotations

import os
from random import Random

import psycopg
import pytest

from tests.support.database import Database
from tests.support.partman import installed

pytestmark = [pytest.mark.partman, pytest.mark.majors]

_STATE = """
SELECT coalesce(p.relname, ''), pg_get_expr(c.relpartbound, c.oid), n.nspname, c.relpersistence, count(x.indexrelid),
  (xpath('/row/c/text()', query_to_xml(format('SELECT count(*) AS c FROM %I.%I', n.nspname, c.relname), false, true,
                                       '')))[1]::text
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_inherits i ON i.inhrelid = c.oid
LEFT JOIN pg_class p ON p.oid = i.inhparent LEFT JOIN pg_index x ON x.indrelid = c.oid
WHERE n.nspname IN ('s', 'retired') AND c.relkind IN ('r', 'p') GROUP BY p.relname, c.oid, n.nspname
ORDER BY 1, 2, 3, 4, 5, 6
"""
Calls = list[str]
KEPT = ("false", "NULL, p_retention_schema := 'retired'")
"""Not true: a table that keeps its name keeps 4.7 from making a partition of that name again."""


def ids(random: Random) -> Calls:
    """A table by ids, and what is done with it: names are the same in 4.7 and 5."""
    width, kind = random.choice([5, 10, 33]), random.choice(["int", "bigint", "smallint"])
    premake, start = random.randint(1, 4), random.choice(["NULL", str(random.randint(0, 200))])
    calls = [
        f"CREATE TABLE s.t (id {kind} NOT NULL, x text) PARTITION BY RANGE (id)",
        "CREATE TABLE s.u (LIKE s.t)",
        random.choice(["CREATE INDEX ON s.t (x)", "ALTER TABLE s.t ADD PRIMARY KEY (id)", "SELECT 1"]),
        f"SELECT create_parent(p_parent_table := 's.t', p_control := 'id', p_type := @type, p_interval := '{width}', "
        f"p_premake := {premake}, p_start_partition := {start}::int::text)",
    ]
    for _ in range(random.randint(3, 8)):
        low = random.randint(0, 300)
        rows = f"(id) SELECT generate_series({low}, {low + random.randint(0, 60)}, 3) ON CONFLICT DO NOTHING"
        batch, order = random.choice(["NULL", str(width), str(width // 2)]), random.choice(["ASC", "DESC"])
        keep = random.choice(KEPT)
        calls += random.choice(
            [
                [f"INSERT INTO s.t {rows}"],
                [f"SELECT partition_data_id('s.t', {random.randint(1, 5)}, p_order := '{order}')"],
                ["SELECT partition_data_id('s.t', 100)", "SELECT run_maintenance('s.t')"],
                [f"SELECT drop_partition_id('s.t', {random.randint(1, 150)}, p_keep_table := {keep})"],
                ["SELECT partition_data_id('s.t', 100)", "SELECT partition_gap_fill('s.t')"],
                [f"INSERT INTO s.u {rows}", f"SELECT partition_data_id('s.t', 2, {batch}, p_source_table := 's.u')"],
                [f"SELECT partition_schema, suffix_id, table_exists FROM show_partition_name('s.t', '{low}')"],
                [f"UPDATE part_config SET premake = {random.randint(1, 5)} WHERE parent_table = 's.t'"],
            ]
        )
        calls.append("SELECT * FROM show_partitions('s.t', p_include_default := true)")
    return calls


def times(random: Random) -> Calls:
    """A table by times, with as many partitions as 4.7 makes; its names are others than those of 5."""
    width, unit = random.choice([("1 day", "day"), ("1 hour", "hour"), ("1 month", "month"), ("1 year", "year")])
    kind = random.choice(["timestamptz", "timestamp", *(["date"] if unit != "hour" else [])])
    calls = [
        f"CREATE TABLE s.t (at {kind} NOT NULL, x text) PARTITION BY RANGE (at)",
        "CREATE TABLE s.u (LIKE s.t)",
        f"SELECT create_parent(p_parent_table := 's.t', p_control := 'at', p_type := @type, p_interval := '{width}', "
        f"p_premake := {random.randint(1, 4)})",
    ]
    for _ in range(random.randint(3, 8)):
        first = random.randint(-9, 9)
        moment = f"date_trunc('{unit}', now()) + n * interval '{width}' + interval '20 minutes'"
        rows = f"(at) SELECT {moment} FROM generate_series({first}, {first + random.randint(0, 5)}) n"
        keep = random.choice(KEPT)
        current = "INSERT INTO s.t (at) SELECT now()"
        calls += random.choice(
            [
                [f"INSERT INTO s.t {rows}"],
                [f"SELECT partition_data_time('s.t', 3, p_order := '{random.choice(['ASC', 'DESC'])}')"],
                ["SELECT partition_data_time('s.t', 100)", current, "SELECT run_maintenance('s.t')"],
                [f"SELECT drop_partition_time('s.t', '{random.randint(1, 5)} {unit}', p_keep_table := {keep})"],
                ["SELECT partition_data_time('s.t', 100)", "SELECT partition_gap_fill('s.t')"],
                [f"INSERT INTO s.u {rows}", "SELECT partition_data_time('s.t', 2, p_source_table := 's.u')"],
                [f"SELECT suffix_timestamp, table_exists FROM generate_series({first}, {first}) n, "
                 f"show_partition_name('s.t', ({moment})::text)"],
            ]
        )  # fmt: skip
        calls.append("SELECT count(*) FROM show_partitions('s.t')")
    return calls


def undone(random: Random, move: str) -> Calls:
    """Its end, at times."""
    if random.random() < 0.5:
        return []
    count, keep = random.randint(1, 30), random.choice(["true", "false"])
    undo = f"SELECT * FROM undo_partition('s.t', p_target_table := 's.u', @count := {count}, p_keep_table := {keep})"
    return [f"SELECT {move}('s.t', 100)", undo, undo]


def outcome(database: Database, schema: str, calls: Calls) -> list[object]:
    """What each call gives back, or that it is refused; then all tables, by bounds."""
    words = {"ours": ("'range'", "p_loop_count"), "theirs": ("'native'", "p_batch_count")}[schema]
    found: list[object] = []
    with psycopg.connect(database.url, options="-c TimeZone=UTC -c client_min_messages=error") as connection:
        connection.execute(f"SET search_path TO {schema}, public".encode())
        connection.execute("CREATE SCHEMA IF NOT EXISTS s; CREATE SCHEMA retired")
        for call in calls:
            connection.execute("SAVEPOINT before")
            try:
                sent = call.replace("@type", words[0]).replace("@count", words[1])
                cursor = connection.execute(sent.encode())
                found.append((call, cursor.fetchall() if cursor.description else None))
            except psycopg.Error:
                connection.execute("ROLLBACK TO before")
                found.append((call, "refused"))
        found += connection.execute(_STATE).fetchall()
        connection.rollback()
    return found


@pytest.mark.parametrize("kind", ["ids", "times"])
def test_the_same_calls_have_the_same_outcome(database: Database, kind: str) -> None:
    if not database.sql("SELECT 1 FROM pg_available_extensions WHERE name = 'pg_partman'"):
        if os.environ.get("SCHEMA_KIT_PARTMAN"):
            pytest.fail("this server has no pg_partman")
        pytest.skip("this server has no pg_partman: Debian's postgresql-15-partman")
    installed(database, "ours").sql("CREATE SCHEMA theirs", "CREATE EXTENSION pg_partman SCHEMA theirs")
    for seed in range(int(os.environ.get("SCHEMA_KIT_PARTMAN_SEEDS", "12"))):
        random = Random(seed)
        calls = {"ids": ids, "times": times}[kind](random)
        calls += undone(random, {"ids": "partition_data_id", "times": "partition_data_time"}[kind])
        assert outcome(database, "ours", calls) == outcome(database, "theirs", calls), seed
