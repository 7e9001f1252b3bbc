"""An index that takes another's place has what was set for the other's expressions, and is what CLUSTER orders by."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import pytest
import sqlalchemy as sa

import schema_kit
from schema_kit import execute, op
from schema_kit.errors import PlanError, SchemaKitError
from schema_kit.steps import Step
from schema_kit.steps.indexes import RenameIndexes
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


UNIQUE = "CREATE UNIQUE INDEX ix ON t (id, at)"
MEANWHILE = {
    "comment": ("COMMENT ON INDEX ix IS 'a comment'", ""),
    "comment of a part": ("COMMENT ON INDEX {index} IS 'of a part'", ""),
    "mark of CLUSTER": ("ALTER TABLE {leaf} CLUSTER ON {index}", ""),
    "statistics": ("ALTER INDEX {index} ALTER COLUMN 3 SET STATISTICS 77", ""),
    "replica identity": (
        "ALTER TABLE {leaf} REPLICA IDENTITY USING INDEX {index}",
        "replica identity of public.{leaf}",
    ),
    "foreign key": ("CREATE TABLE k (id bigint, at date, FOREIGN KEY (id, at) REFERENCES t (id, at))", "foreign key"),
    "constraint": ("ALTER TABLE t ADD UNIQUE USING INDEX ix", "carries the constraint"),
}
SET_FOR = """
SELECT x.indrelid::regclass::text, obj_description(x.indexrelid), x.indisclustered, x.indisreplident,
       (SELECT max(a.attstattarget) FROM pg_attribute a WHERE a.attrelid = x.indexrelid)
FROM pg_index x WHERE x.indexrelid = 'ix'::regclass
  OR x.indexrelid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = 'ix'::regclass) ORDER BY 1
"""


@pytest.mark.parametrize("shape", [PLAIN, PARTITIONED], ids=["plain", "partitioned"])
@pytest.mark.parametrize("what", MEANWHILE)
def test_what_others_do_while_it_is_built_stays(
    database: Database, monkeypatch: pytest.MonkeyPatch, shape: tuple[str, ...], what: str
) -> None:
    """It goes over to the new index, or the old one stays: what rests on it would go with it."""
    if what == "constraint" and shape is PARTITIONED:
        pytest.skip("PostgreSQL has no such command for a partitioned table")
    expression = what == "statistics"
    database.sql(*shape, "ALTER TABLE t ALTER id SET NOT NULL, ALTER at SET NOT NULL")
    database.sql("CREATE INDEX ix ON t (id, at, (id + 1))" if expression else UNIQUE)
    leaf, index = ("t", "ix") if shape is PLAIN else ("t_1", "t_1_id_at_expr_idx" if expression else "t_1_id_at_idx")
    statement, refused = (text.format(leaf=leaf, index=index) for text in MEANWHILE[what])
    send, set_for = execute._send, list[object]()

    def other_first(connection: sa.Connection, step: Step, *more: Any) -> None:
        if isinstance(step, RenameIndexes) and not set_for:
            database.sql(statement)
            set_for.extend(database.sql(SET_FOR))
        send(connection, step, *more)

    monkeypatch.setattr(execute, "_send", other_first)
    with (
        pytest.raises(SchemaKitError, match=refused.format(leaf=leaf)) if refused else nullcontext(),
        schema_kit.operations(database.sqlalchemy(), policy=QUICK),
    ):
        if expression:
            op.replace_index_concurrently("ix", "t", ["id", "at", sa.text("(id + 1)"), "word"])
        else:
            op.replace_index_concurrently("ix", "t", ["id", "at"], unique=True, postgresql_with={"fillfactor": 60})
    assert set_for
    assert database.sql(SET_FOR) == set_for
    kept = database.sql("SELECT pg_get_indexdef('ix'::regclass) !~ 'word|fillfactor'")[0][0]
    assert kept == bool(refused)


REPLACED = "replace_index_concurrently", ("ix", "t", ["id", "at", "word"])
DROPPED = "drop_index_concurrently", ("ix", "t")


@pytest.mark.parametrize(("name", "arguments"), [REPLACED, DROPPED], ids=["replaced", "dropped"])
def test_the_replica_identity_of_a_partition_rests_on_a_part(
    database: Database, name: str, arguments: tuple[Any, ...]
) -> None:
    database.sql(*PARTITIONED, "ALTER TABLE t ALTER id SET NOT NULL, ALTER at SET NOT NULL", UNIQUE)
    database.sql("ALTER TABLE t_1 REPLICA IDENTITY USING INDEX t_1_id_at_idx")
    before = database.sql(SET_FOR)
    with (
        pytest.raises(PlanError, match=r"identity of public\.t_1 rests on public\.t_1_id_at_idx"),
        schema_kit.operations(database.sqlalchemy(), policy=QUICK),
    ):
        getattr(op, name)(*arguments)
    assert database.sql(SET_FOR) == before
