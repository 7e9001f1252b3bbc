"""The call that puts an index back makes the index that existed: the reverse of each repair that drops one."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

import schema_kit
from schema_kit import op
from schema_kit.health import observe
from schema_kit.health.indexes import made
from tests.support.database import QUICK, Database

pytestmark = [pytest.mark.health, pytest.mark.indexes, pytest.mark.majors]

TAILS = (
    '(v, "W w" DESC)',
    '("W w" DESC NULLS LAST, v ASC NULLS FIRST)',
    '(lower("W w") text_pattern_ops DESC, (v + 1))',
    '("W w" COLLATE "C" text_pattern_ops)',
    '(v) INCLUDE ("I, n", k) WITH (fillfactor = 70, deduplicate_items = off)',
    "(v) WHERE (\"W w\" <> ':a %s '' \\ WHERE (' AND v > 0)",
    "(v) WHERE ((v)::text ~~ '%x%')",
    "(replace(\"W w\", ':b', '%(c)s, \\') DESC) INCLUDE (v) WHERE v IS NOT NULL",
    "USING hash (v)",
    "USING gin (tags) WITH (fastupdate = off)",
    "USING gin (tags array_ops) WHERE tags <> '{}'",
    "USING brin (v int4_minmax_ops, at) WITH (pages_per_range = 16)",
    "USING gist (r)",
    "((v * 2), (\"W w\" || ':d'), (at AT TIME ZONE 'Asia/Bangkok'))",
)


@pytest.mark.parametrize("table", ["plain", "Part ed"])
def test_each_index_is_put_back_as_it_was(database: Database, table: str) -> None:
    columns = 'k bigint, v int, "W w" text, "I, n" int, tags text[], at timestamptz, r int4range'
    database.sql(
        'CREATE SCHEMA "S.h"',
        f'CREATE TABLE "S.h".plain ({columns})',
        f'CREATE TABLE "S.h"."Part ed" ({columns}) PARTITION BY HASH (k)',
        *(
            f'CREATE TABLE "S.h"."p\'{n}" PARTITION OF "S.h"."Part ed" FOR VALUES WITH (MODULUS 2, REMAINDER {n})'
            for n in range(2)
        ),
        *(f'CREATE INDEX "i\'{n}" ON "S.h"."{table}" {tail}' for n, tail in enumerate(TAILS)),
        f'CREATE UNIQUE INDEX "u n" ON "S.h"."{table}" (k, v) INCLUDE (at)',
    )
    connection = database.sqlalchemy()
    seen = [index for index in observe.read(connection, None).indexes if index.parent is None]
    assert len(seen) == len(TAILS) + 1
    database.sql(*(f"DROP INDEX {index.name.sql}" for index in seen))
    for index in seen:
        with schema_kit.operations(connection, policy=QUICK):
            exec(made(index), {"op": op, "sa": sa})  # noqa: S102 - what a revision holds
    again = [index for index in observe.read(connection, None).indexes if index.parent is None]
    assert {index.name: index.text for index in again} == {index.name: index.text for index in seen}
    assert {index.name for index in again if not index.valid} == set()
