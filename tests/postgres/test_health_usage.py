"""How tables and statements are used, as ``schema_kit health`` reports it: each repair makes its finding go."""

from __future__ import annotations

import json
from typing import Any

import pytest

from schema_kit.health import statements
from tests.support.cli import shell
from tests.support.database import Database
from tests.support.health import S, health, keys, repair

pytestmark = [pytest.mark.health, pytest.mark.cli, pytest.mark.majors]

TREES = {
    "plain": (f'CREATE TABLE {S}."t 1" (id bigint PRIMARY KEY, v int, w int)',),
    "list": (
        f'CREATE TABLE {S}."t 1" (id bigint, v int, w int, k int DEFAULT 1, PRIMARY KEY (id, k)) PARTITION BY LIST (k)',
        f'CREATE TABLE {S}."p "" 1" PARTITION OF {S}."t 1" FOR VALUES IN (1)',
    ),
    "hash": (
        f'CREATE TABLE {S}."t 1" (id bigint PRIMARY KEY, v int, w int) PARTITION BY HASH (id)',
        f'CREATE TABLE {S}."p 1" PARTITION OF {S}."t 1" FOR VALUES WITH (MODULUS 1, REMAINDER 0)',
    ),
    "sub": (
        f'CREATE TABLE {S}."t 1" (id bigint PRIMARY KEY, v int, w int) PARTITION BY RANGE (id)',
        f'CREATE TABLE {S}."s 1" PARTITION OF {S}."t 1" FOR VALUES FROM (0) TO (MAXVALUE) PARTITION BY HASH (id)',
        f'CREATE TABLE {S}."p 1" PARTITION OF {S}."s 1" FOR VALUES WITH (MODULUS 1, REMAINDER 0)',
    ),
}


@pytest.fixture(params=TREES)
def tree(database: Database, request: pytest.FixtureRequest) -> Database:
    """A table of each kind, with rows, which autovacuum leaves alone."""
    database.sql(f"CREATE SCHEMA {S}", *TREES[request.param])
    database.sql(f'INSERT INTO {S}."t 1" SELECT i, i FROM generate_series(1, 6000) i', "ANALYZE")
    return database


def gone(database: Database, *found: dict[str, Any]) -> None:
    for one in found:
        repair(database, one)
        assert not keys([one]) & keys(health(database)), one


def test_updates_that_find_no_room_on_their_page(tree: Database) -> None:
    tree.sql(*(f'UPDATE {S}."t 1" SET v = v + 1' for _ in range(4)), f'VACUUM {S}."t 1"')
    tree.sql("SELECT pg_stat_force_next_flush()") if tree.sql("SHOW server_version_num")[0][0] >= "150000" else None
    (one,) = [one for one in health(tree) if one["code"] != "dead_rows"]
    assert keys([one]) == {("hot_updates_rare", "t 1", "")}
    assert "HOT" in one["evidence"]
    gone(tree, one)


def test_an_index_of_a_part_next_to_one_of_all(tree: Database) -> None:
    tree.sql(
        f'CREATE INDEX "part" ON {S}."t 1" (v) WHERE v > 1000',
        f'CREATE INDEX "whole" ON {S}."t 1" (v, id)',
        f'CREATE INDEX "few" ON {S}."t 1" (v) WHERE v > 5900',
        f'CREATE UNIQUE INDEX "needed" ON {S}."t 1" (v, id{", k" * ("k int" in str(tree.sql(KEYS)))}) WHERE v > 1',
    )
    found = health(tree)
    assert keys(found) == {("index_covers_partial", "t 1", "part")}
    gone(tree, *found)


KEYS = f"SELECT string_agg(attname || ' int', ',') FROM pg_attribute WHERE attrelid = '{S}.\"t 1\"'::regclass"


def remember(database: Database, **changed: Any) -> None:
    """A snapshot of forty days ago, with other values."""
    assert shell(database, "health", "--remember").returncode in (0, 4)
    database.sql(
        "UPDATE schema_kit.health_snapshot SET taken_at = taken_at - interval '40 days'",
        *(
            f"UPDATE schema_kit.health_snapshot SET {column} = {column} || '{json.dumps(value)}'::jsonb"
            for column, value in changed.items()
        ),
    )


@pytest.mark.exhaustive
def test_pages_and_rows_that_are_read_again_and_again_in_the_window(tree: Database) -> None:
    tree.sql(f'INSERT INTO {S}."t 1" SELECT i, i FROM generate_series(6001, 12000) i', "ANALYZE")
    assert health(tree) == []
    remember(tree)
    tree.sql(LESS.format(column="activity", values="[-99000000, -9000000, -1000000, -9000000, -1000000]"))
    found = health(tree)
    assert keys(found) == {("table_read_whole", "t 1", ""), ("cache_misses", "t 1", "")}
    assert {one["command"] for one in found} == {"schema_kit advise index"}
    remember(tree)
    assert health(tree) == [], "since the window began nothing was read"


LESS = f"""
UPDATE schema_kit.health_snapshot SET {{column}} = jsonb_build_object('{S}."t 1"', '{{values}}'::jsonb)
WHERE taken_at = (SELECT min(taken_at) FROM schema_kit.health_snapshot)
"""


@pytest.mark.exhaustive
def test_a_table_that_grows_and_keeps_all_rows(tree: Database) -> None:
    gigabyte = 1 << 30
    remember(tree, sizes={f'{S}."t 1"': [2 * gigabyte, 1, 0]})
    assert shell(tree, "health", "--remember").returncode in (0, 4)
    assert health(tree) == []
    sizes = {f'{S}."t 1"': [8 * gigabyte, 1, 0]}
    tree.sql(
        f"UPDATE schema_kit.health_snapshot SET sizes = sizes || '{json.dumps(sizes)}'::jsonb "
        "WHERE taken_at > now() - interval '1 day'"
    )
    (one,) = health(tree)
    assert keys([one]) == {("table_grows", "t 1", "")}
    assert "2.0 GB to 8.0 GB" in one["evidence"]
    tree.sql(
        "CREATE TABLE schema_kit.ttl_policy (table_name text, age text)",
        f"INSERT INTO schema_kit.ttl_policy VALUES ('{S}.\"t 1\"', '1 year')",
    )
    assert health(tree) == []


@pytest.fixture
def counted(database: Database, monkeypatch: pytest.MonkeyPatch) -> Database:
    """A view stands for pg_stat_statements, which would need its library."""
    database.sql(
        f"CREATE SCHEMA {S}",
        f"CREATE TABLE {S}.days (id bigint PRIMARY KEY) PARTITION BY RANGE (id)",
        *(f'CREATE TABLE {S}."day {n}" PARTITION OF {S}.days FOR VALUES FROM ({n}) TO ({n + 1})' for n in range(3)),
        "CREATE TABLE told (query text, calls bigint, total_exec_time float8)",
        "CREATE VIEW pg_stat_statements AS SELECT o.oid AS dbid, t.* FROM pg_database o, told t "
        "WHERE o.datname = current_database()",
        "CREATE VIEW pg_stat_statements_info AS SELECT now() - interval '10 days' AS stats_reset, 7::bigint AS dealloc",
        "ALTER TABLE told ADD PRIMARY KEY (query)",
    )
    monkeypatch.setattr(statements, "EXTENSION", "SELECT 'public', true")
    monkeypatch.setattr(
        statements, "_ROOM", statements._ROOM.replace("current_setting('pg_stat_statements.max')::int", "5")
    )
    return database


def test_slow_statements_are_found_folded_and_without_values(counted: Database) -> None:
    of_day = f'SELECT * FROM {S}."day {{}}" WHERE id = $1'
    told = [(of_day.format(n), 100, 90_000.0) for n in range(3)]
    told += [("SELECT 'secret', id FROM quick", 9000, 900.0), ("CREATE ROLE bob PASSWORD 'secret'", 500, 1e9)]
    counted.sql(*("INSERT INTO told VALUES ('{}', {}, {})".format(q.replace("'", "''"), *rest) for q, *rest in told))
    found = health(counted)
    assert {one["code"] for one in found} == {"statement_slow", "statements_evicted"}
    (slow,) = [one for one in found if one["code"] == "statement_slow"]
    assert slow["evidence"].startswith(f'SELECT * FROM {S}."days" WHERE id = ?: 300 calls, 900 ms')
    assert "secret" not in str(found)
    remember(counted)
    assert "secret" not in str(counted.sql("SELECT statements FROM schema_kit.health_snapshot"))
    counted.sql(
        "UPDATE told SET calls = calls + 1000, total_exec_time = total_exec_time + 200000 WHERE query ~ 'quick'"
    )
    found = health(counted)
    assert {one["code"] for one in found} == {"statement_slow", "statement_slower", "statements_evicted"}
    counted.sql("UPDATE told SET calls = calls + 100000, total_exec_time = total_exec_time + 10")
    assert {one["code"] for one in health(counted)} == {"statements_evicted"}, "the window has fast ones"
    counted.sql("DELETE FROM told WHERE query !~ 'day'")
    assert health(counted) == []


def test_no_pg_stat_statements_is_a_sentence(database: Database) -> None:
    done = shell(database, "health")
    assert "pg_stat_statements is not installed" in done.stderr
    assert "pg_stat_statements" not in done.stdout
