"""Unused over a window and on every server: snapshots that `--remember` keeps, and counters of `--replica`."""

from __future__ import annotations

import pytest

from tests.support.cli import shell
from tests.support.database import Database
from tests.support.health import S, health, keys

pytestmark = [pytest.mark.health, pytest.mark.cli, pytest.mark.majors]

LATER = "UPDATE schema_kit.health_snapshot SET taken_at = taken_at - interval '40 days'"
"""The snapshots are of 40 days ago: now is later."""


@pytest.fixture
def indexed(database: Database) -> Database:
    """Three indexes: one that is used after the snapshot, one that is not, one that comes later."""
    database.sql(
        f"CREATE SCHEMA {S}",
        f'CREATE TABLE {S}."t 1" (id bigint PRIMARY KEY, v int, w int, x int) PARTITION BY HASH (id)',
        *(
            f'CREATE TABLE {S}."p {n}" PARTITION OF {S}."t 1" FOR VALUES WITH (MODULUS 2, REMAINDER {n})'
            for n in range(2)
        ),
        f'INSERT INTO {S}."t 1" SELECT i, i, i, i FROM generate_series(1, 30000) i',
        f'CREATE INDEX "v 1" ON {S}."t 1" (v)',
        f'CREATE INDEX "w 1" ON {S}."t 1" (w)',
        f'ANALYZE {S}."t 1"',
    )
    return database


def scan(database: Database, column: str) -> None:
    database.sql("SET enable_seqscan = off", f'SELECT count(*) FROM {S}."t 1" WHERE {column} = 7')


def test_unused_speaks_of_the_window_since_a_snapshot(indexed: Database) -> None:
    scan(indexed, "v")
    scan(indexed, "w")
    done = shell(indexed, "health", "--remember", "--ignore", "setting_unsafe")
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr
    scan(indexed, "v")
    indexed.sql(f'CREATE INDEX "x 1" ON {S}."t 1" (x)')
    assert health(indexed) == [], "a window of an instant says nothing"
    indexed.sql(LATER)
    found = health(indexed)
    assert keys(found) == {("index_unused", "t 1", "w 1"), ("index_perhaps_unused", "t 1", "x 1")}
    for _ in range(2):
        assert shell(indexed, "health", "--remember").returncode in (0, 4)
    assert indexed.sql("SELECT count(*) FROM schema_kit.health_snapshot WHERE server = ''") == [(3,)]
    indexed.sql("UPDATE schema_kit.health_snapshot SET taken_at = taken_at - interval '401 days'")
    shell(indexed, "health", "--remember")
    assert indexed.sql("SELECT count(*) FROM schema_kit.health_snapshot") == [(1,)], "kept for 400 days"


def test_counters_of_a_replica_count(indexed: Database) -> None:
    """The second server is the same one under another name: its scans are counted separately."""
    shell(indexed, "health", "--remember", "--replica", indexed.url)
    scan(indexed, "v")
    indexed.sql(LATER)
    found = health(indexed, "--replica", indexed.url)
    assert keys(found) == {("index_unused", "t 1", "w 1")}
    assert indexed.sql("SELECT count(DISTINCT server) FROM schema_kit.health_snapshot") == [(2,)]
    away = "postgresql://postgres@127.0.0.1:1/nowhere"
    done = shell(indexed, "health", "--replica", away)
    assert done.returncode == 1
    assert "is the server running" in done.stderr
