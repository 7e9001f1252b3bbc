"""An index that takes another's place has what was set for the other's expressions, and is what CLUSTER orders by."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

import schema_kit
from schema_kit import op
from tests.support.database import QUICK, Database

pytestmark = [pytest.mark.conversion, pytest.mark.majors]

PLAIN = ("CREATE TABLE t (id bigint, at date, word text)", "INSERT INTO t VALUES (1, '2026-01-02', 'a')")
PARTITIONED = (
    "CREATE TABLE t (id bigint, at date, word text) PARTITION BY RANGE (at)",
    "CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM ('2026-01-01') TO ('2026-02-01')",
    "INSERT INTO t VALUES (1, '2026-01-02', 'a')",
)
TARGETS = """
SELECT x.indrelid::regclass::text, a.attnum::int, a.attstattarget::int, x.indisclustered FROM pg_index x
JOIN pg_attribute a ON a.attrelid = x.indexrelid WHERE a.attstattarget >= 0 ORDER BY 1, 2
"""


@pytest.mark.parametrize("shape", [PLAIN, PARTITIONED], ids=["plain", "partitioned"])
def test_statistics_targets_and_the_mark_of_cluster_move(database: Database, shape: tuple[str, ...]) -> None:
    database.sql(*shape, "CREATE INDEX ix ON t (lower(word), (id + 1), at)")
    leaf, index = ("t", "ix") if shape is PLAIN else ("t_1", "t_1_lower_expr_at_idx")
    for name in {"ix", index}:
        database.sql(
            f"ALTER INDEX {name} ALTER COLUMN 1 SET STATISTICS 77",
            f"ALTER INDEX {name} ALTER COLUMN 2 SET STATISTICS 0",
        )
    database.sql(f"ALTER TABLE {leaf} CLUSTER ON {index}")
    with schema_kit.operations(database.sqlalchemy(), policy=QUICK):
        op.replace_index_concurrently("ix", "t", ["at", sa.text("(id + 1)"), sa.text("lower(word)")])
    tables = {"t", leaf}
    expected = [(table, place, to, table == leaf) for table in sorted(tables) for place, to in ((2, 0), (3, 77))]
    assert database.sql(TARGETS) == expected
    with schema_kit.operations(database.sqlalchemy(), policy=QUICK):
        op.replace_index_concurrently("ix", "t", [sa.text("lower(word)")], postgresql_where="word <> ''")
    assert database.sql(TARGETS) == [(table, 1, 77, False) for table in sorted(tables)]


@pytest.mark.parametrize("shape", [PLAIN, PARTITIONED], ids=["plain", "partitioned"])
def test_comments_move_those_of_parts_too(database: Database, shape: tuple[str, ...]) -> None:
    database.sql(*shape, "CREATE INDEX ix ON t (word)", "COMMENT ON INDEX ix IS 'the whole''s'")
    if shape is PARTITIONED:
        database.sql("COMMENT ON INDEX t_1_word_idx IS 'a part''s'")
    said = (
        "SELECT x.indrelid::regclass::text, obj_description(x.indexrelid) FROM pg_index x "
        "WHERE x.indrelid IN ('t'::regclass, to_regclass('t_1')) ORDER BY 1"
    )
    before = database.sql(said)
    assert len(before) == (2 if shape is PARTITIONED else 1)
    with schema_kit.operations(database.sqlalchemy(), policy=QUICK):
        op.replace_index_concurrently("ix", "t", ["word", "id"])
    assert database.sql(said) == before
    assert "id" in str(database.sql("SELECT pg_get_indexdef('ix'::regclass)"))
