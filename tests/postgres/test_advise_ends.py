"""The ends of columns on the scratch: beyond those of the sample, where an index would show the planner more."""

from __future__ import annotations

import pytest

from tests.support.advise import copied, cost, planner, version
from tests.support.database import Database

pytestmark = [pytest.mark.health, pytest.mark.majors, pytest.mark.exhaustive]

TYPES = {
    "a smallint": "(i / 4 - 5000)::smallint",
    "b integer": "i * 7 - 90000",
    "c bigint": "i::bigint * 1000000007",
    "d numeric": "i / 3.0",
    'e "date"': "'1999-01-01'::date + i / 2",
    "f timestamp": "'2026-01-01'::timestamp + i * interval '1 minute'",
    "g timestamptz": "'2026-01-01'::timestamptz + i * interval '1 minute'",
    'h "float8"': "sqrt(i)",
    "i integer": "2147483647 - i * 8",
    "j timestamp": "CASE WHEN i > 9990 THEN 'infinity' ELSE '2026-01-01'::timestamp + i * interval '1 day' END",
}
BOUNDS = """
SELECT attname, (histogram_bounds::text::text[])[2:cardinality(histogram_bounds::text::text[]) - 1],
       (histogram_bounds::text::text[])[cardinality(histogram_bounds::text::text[])]
FROM pg_stats WHERE tablename = 't 1' ORDER BY 1
"""


def test_ends_are_moved_by_what_a_sample_misses(database: Database) -> None:
    database.sql(
        'CREATE TABLE "t 1" (' + ", ".join(f"{name.split()[0]} {name.split()[1]}" for name in TYPES) + ", k int)",
        f'INSERT INTO "t 1" SELECT {", ".join(TYPES.values())}, i FROM generate_series(1, 10000) i',
        *(f'CREATE INDEX ON "t 1" ({name.split()[0]})' for name in TYPES),
        "SET default_statistics_target = 10",
        'ANALYZE "t 1"',
    )
    there = {row[0]: row[1:] for row in database.sql(BOUNDS)}
    with copied(database) as scratch:
        moved = {row[0]: row[1:] for row in scratch.rows(BOUNDS)}
    assert [name for name in there if moved[name][0] != there[name][0]] == [], "only the ends move"
    assert {name for name in there if moved[name][1] == there[name][1]} >= {"k", "j"}, "no index, or no greater value"


def test_the_newest_rows_cost_what_they_cost_in_production(database: Database) -> None:
    within = 0.03 if version(database) == 18 else 0.1
    database.sql(
        "CREATE TABLE log (id bigint PRIMARY KEY, at timestamptz, note text)",
        "INSERT INTO log SELECT i, '2026-01-01'::timestamptz + i * interval '1 minute', repeat('x', 40) "
        "FROM generate_series(1, 120000) i",
        "CREATE INDEX ON log (at)",
        "VACUUM ANALYZE log",
    )
    asked = [
        f"SELECT * FROM log WHERE {column} > {edge}"
        for column, edges in (("id", ("119990", "119000")), ("at", ("'2026-03-25 07:50+00'", "'2026-03-24'")))
        for edge in edges
    ]
    with copied(database) as scratch:
        judge = planner(scratch)
        told = [judge.plan(statement).cost for statement in asked]
    assert told == [pytest.approx(cost(database, one), rel=within) for one in asked]
