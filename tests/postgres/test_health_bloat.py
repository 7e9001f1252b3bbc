"""Bloat is reported where it is, folded, and of nothing that is full, whatever the columns."""

from __future__ import annotations

import pytest

from schema_kit.health import bloat
from tests.support.database import Database
from tests.support.health import S, health, repair

pytestmark = [pytest.mark.health, pytest.mark.majors]

COLUMNS = {
    "narrow": ("a bool, b bool", "true, false"),
    "padded": ("a bool, b bigint, c bool, d bigint", "true, i, false, i"),
    "short texts": ("a text, b text", "'x' || i, 'y'"),
    "long texts": ("a text, b int", "repeat(md5(i::text), 30), i"),
    "in TOAST": ("a text", "(SELECT string_agg(md5(i::text || n), '') FROM generate_series(1, 90) n)"),
    "mostly NULL": (
        ", ".join(f"c{n} bigint" for n in range(40)),
        "CASE WHEN i % 9 = 0 THEN i END" + ", NULL" * 39,
    ),
    "arrays and json": ("a int[], b jsonb", "ARRAY[i, i, i], jsonb_build_object('k', i)"),
    "numeric and uuid": ("a numeric, b uuid, c timestamptz", "i / 7.0, gen_random_uuid(), now()"),
}


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test can fill is worth telling."""
    monkeypatch.setattr(bloat, "WORTH_BYTES", 200 * 1024)


def bloated(database: Database) -> list[tuple[str, str, str]]:
    return [
        (one["code"], one["table"].split(".")[-1].strip('"'), one["object"])
        for one in health(database)
        if one["code"].endswith("bloated")
    ]


@pytest.mark.exhaustive
@pytest.mark.parametrize("fill", [100, 40])
def test_nothing_is_said_of_what_is_full(database: Database, fill: int) -> None:
    for place, (columns, values) in enumerate(COLUMNS.values()):
        database.sql(
            f"CREATE TABLE t{place} (id bigint, {columns}) WITH (fillfactor = {fill})",
            f"INSERT INTO t{place} SELECT i, {values} FROM generate_series(1, 9000) i",
            f"CREATE INDEX i{place} ON t{place} (id) WITH (fillfactor = {max(fill, 50)})",
            f"CREATE INDEX e{place} ON t{place} ((id % 500), id)",
        )
    database.sql("VACUUM ANALYZE")
    assert bloated(database) == []


@pytest.mark.exhaustive
@pytest.mark.parametrize("kind", COLUMNS)
def test_what_lost_nine_of_ten_rows_is_reported_until_it_is_repaired(database: Database, kind: str) -> None:
    columns, values = COLUMNS[kind]
    database.sql(
        f"CREATE TABLE t (id bigint, {columns})",
        f"INSERT INTO t SELECT i, {values} FROM generate_series(1, 30000) i",
        "CREATE INDEX t_id ON t (id)",
        "DELETE FROM t WHERE id % 10 > 0",
        "VACUUM (ANALYZE, INDEX_CLEANUP ON) t",
    )
    assert set(bloated(database)) == {("index_bloated", "t", "t_id"), ("table_bloated", "t", "")}
    for finding in health(database):
        if finding["code"].endswith("bloated"):
            repair(database, finding)
    database.sql("ANALYZE t")
    assert bloated(database) == []


def test_partitions_are_reported_as_their_table(database: Database) -> None:
    database.sql(
        f"CREATE SCHEMA {S}",
        f'CREATE TABLE {S}."t 1" (id bigint PRIMARY KEY, v int) PARTITION BY HASH (id)',
        *(
            f'CREATE TABLE {S}."p {n}" PARTITION OF {S}."t 1" FOR VALUES WITH (MODULUS 2, REMAINDER {n})'
            for n in range(2)
        ),
        f'CREATE INDEX "v 1" ON {S}."t 1" (v, id)',
        f'INSERT INTO {S}."t 1" SELECT i, i FROM generate_series(1, 50000) i',
        f'DELETE FROM {S}."t 1" WHERE id % 10 > 0',
        f'VACUUM (ANALYZE, INDEX_CLEANUP ON) {S}."t 1"',
    )
    found = [one for one in health(database) if one["code"].endswith("bloated")]
    assert [(one["code"], one["object"]) for one in found] == [
        ("index_bloated", "t 1_pkey"),
        ("index_bloated", "v 1"),
        ("table_bloated", ""),
    ]
    for finding in found:
        repair(database, finding)
    database.sql("ANALYZE")
    assert bloated(database) == []
