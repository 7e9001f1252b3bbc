"""Definitions of indexes: made as declared, known again, and another one refused with both."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from schema_kit.errors import ExecutionError, PlanError
from tests.support.database import Database
from tests.support.indexes import NAMES, done, matrix, prepare
from tests.support.matrix import build, longer, perform, state, told
from tests.support.operations import INDEXES, create, reindex, unique

pytestmark = [pytest.mark.indexes, pytest.mark.majors]

DEFINED: dict[str, tuple[dict[str, Any], str]] = {
    "unique": ({"columns": ["id", "v"], "unique": True}, "UNIQUE .*btree \\(id, v\\)$"),
    "descending": (
        {"columns": [sa.column("v").desc().nullslast(), sa.text("word asc nulls first")]},
        "\\(v DESC NULLS LAST, word NULLS FIRST\\)$",
    ),
    "call": ({"columns": [sa.func.lower(sa.column("word"))]}, "\\(lower\\(\\(word\\)::text\\)\\)$"),
    "text": ({"columns": [sa.text("word || v DESC")]}, "\\(\\(\\(\\(word\\)::text \\|\\| v\\)\\) DESC\\)$"),
    "sum": ({"columns": [(sa.column("id") + sa.column("v")).desc()]}, "\\(\\(\\(id \\+ v\\)\\) DESC\\)$"),
    "text that names the table": ({"columns": [sa.text("(t.word || t.v)")]}, "\\(word\\)::text \\|\\| v"),
    "modulo": ({"columns": [sa.column("v") % 3]}, "\\(\\(\\(v % 3\\)\\)\\)$"),
    "cast": ({"columns": [sa.text("word::varchar(3)")]}, "varchar|character varying"),
    "collation": ({"columns": [sa.text('word COLLATE "C"')]}, 'COLLATE "C"'),
    "operator class": (
        {"columns": [sa.column("word").desc()], "postgresql_ops": {"word": "varchar_pattern_ops"}},
        "\\(word varchar_pattern_ops DESC\\)$",
    ),
    "operator class of a label": (
        {
            "columns": [sa.func.lower(sa.column("word")).label("low")],
            "postgresql_ops": {"low": "text_pattern_ops"},
        },
        "text_pattern_ops\\)$",
    ),
    "parameters of an operator class": (
        {
            "columns": ["word"],
            "postgresql_using": "gist",
            "postgresql_ops": {"word": "public.gist_trgm_ops(siglen=32)"},
        },
        "gist_trgm_ops \\(siglen='32'\\)",
    ),
    "trigrams": (
        {"columns": ["word"], "postgresql_using": "GIN", "postgresql_ops": {"word": "gin_trgm_ops"}},
        "USING gin \\(word (public.)?gin_trgm_ops\\)",
    ),
    "gist": ({"columns": [sa.text("point(v, k)")], "postgresql_using": "gist"}, "USING gist"),
    "spgist": ({"columns": ["word"], "postgresql_using": "spgist", "postgresql_ops": {"word": "text_ops"}}, "spgist"),
    "brin": (
        {
            "columns": ["v"],
            "postgresql_using": "brin",
            "postgresql_with": {"pages_per_range": 4, "autosummarize": True},
        },
        "USING brin \\(v\\) WITH \\(pages_per_range='4', autosummarize='true'\\)",
    ),
    "hash": ({"columns": ["v"], "postgresql_using": "hash"}, "USING hash"),
    "include": ({"columns": ["id"], "postgresql_include": ["v", sa.column("k")]}, "INCLUDE \\(v, k\\)"),
    "where": (
        {"columns": ["id"], "postgresql_where": sa.and_(sa.column("v") > 1, sa.column("word").like("w%\\\\%"))},
        "WHERE .*'w%\\\\\\\\%'",
    ),
    "where as text": ({"columns": ["id"], "postgresql_where": sa.text("word <> :x").bindparams(x="'")}, "''''"),
    "where of a zone": (
        {"columns": ["id"], "postgresql_where": sa.text("at > '2026-01-01'")},
        "at > '2026-01-01 00:00:00\\+07",
    ),
    "function of the search path": ({"columns": [sa.text("twice(v)")]}, "twice\\(v\\)"),
    "with": ({"columns": ["id"], "postgresql_with": {"fillfactor": 50}}, "WITH \\(fillfactor='50'\\)"),
    "tablespace": ({"columns": ["id"], "postgresql_tablespace": "pg_default"}, "btree \\(id\\)$"),
}


@pytest.mark.parametrize("partitioned", longer([False, True], True), ids=["plain", "partitioned"])
@pytest.mark.parametrize("name", DEFINED)
def test_a_definition_is_what_was_declared_and_is_known_again(
    database: Database, monkeypatch: pytest.MonkeyPatch, name: str, partitioned: bool
) -> None:
    given, expected = DEFINED[name]
    if partitioned and name == "text that names the table":
        pytest.skip("a partition has another name")
    database.sql(
        "CREATE EXTENSION pg_trgm",
        f"CREATE TABLE t (id bigint, v int, k int, word varchar(20), at timestamptz) "
        f"{'PARTITION BY RANGE (id)' if partitioned else ''}",
        "CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (10)" if partitioned else "SELECT 1",
        "CREATE SCHEMA elsewhere",
        "CREATE FUNCTION elsewhere.twice(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1 * 2'",
    )
    database.sql(
        f"ALTER DATABASE {database.sql('SELECT current_database()')[0][0]} SET search_path = public, elsewhere"
    )
    database.sql(f"ALTER DATABASE {database.sql('SELECT current_database()')[0][0]} SET timezone = 'Asia/Bangkok'")
    rest = {key: value for key, value in given.items() if key != "columns"}
    for index in ("ix", "replaced"):
        if index == "replaced":
            database.sql("CREATE INDEX replaced ON t (id, k)")

        def operate(op: Any, index: str = index) -> None:
            act = op.create_index_concurrently if index == "ix" else op.replace_index_concurrently
            act(index, "t", given["columns"], **rest)

        with told(monkeypatch) as events:
            perform(database, operate)
        assert done(events)
        assert database.sql(
            f"SELECT pg_get_indexdef('{index}'::regclass) ~ '{expected.replace(chr(39), chr(39) * 2)}'"
        ) == [(True,)], database.sql(f"SELECT pg_get_indexdef('{index}'::regclass)")
        with told(monkeypatch) as events:
            perform(database, operate)
        assert events == []


@pytest.mark.parametrize("distinct", [False, True])
def test_nulls_not_distinct_is_another_definition(
    database: Database, monkeypatch: pytest.MonkeyPatch, distinct: bool
) -> None:
    build(database, "plain")

    def operate(op: Any) -> None:
        op.create_index_concurrently(
            "ix", "t", ["id"], schema="s", unique=True, postgresql_nulls_not_distinct=not distinct
        )

    database.sql(f"CREATE UNIQUE INDEX ix ON s.t (id) {'NULLS NOT DISTINCT' if distinct else ''}")
    with told(monkeypatch), pytest.raises(PlanError, match="NULLS NOT DISTINCT"):
        perform(database, operate)


@pytest.mark.parametrize(
    "there",
    [
        "CREATE UNIQUE INDEX ix ON s.t (id, k, v)",
        "CREATE INDEX ix ON s.t USING brin (id, k, v)",
        "CREATE INDEX ix ON s.t (id, v, k)",
        "CREATE INDEX ix ON s.t (id, k, v DESC)",
        "CREATE INDEX ix ON s.t (id, k) INCLUDE (v)",
        "CREATE INDEX ix ON s.t (id, k, v) WHERE v > 1",
        "CREATE INDEX ix ON s.t (id, k, v) WITH (fillfactor = 60)",
    ],
)
@matrix
def test_another_definition_is_refused_with_both(
    database: Database, monkeypatch: pytest.MonkeyPatch, there: str, shape: str
) -> None:
    build(database, shape)
    database.sql(there)
    before = state(database)

    def operate(op: Any) -> None:
        op.create_index_concurrently("ix", "t", ["id", "k", "v"], schema="s")

    with told(monkeypatch) as events, pytest.raises(PlanError) as refused:
        perform(database, operate)
    assert events == []
    assert state(database) == before
    there_line, declared_line = refused.value.reason.splitlines()[1:]
    assert there_line.split(":", 1)[1] != declared_line.split(":", 1)[1]
    assert there_line.endswith(
        there.partition("s.t ")[2].removeprefix("USING ").replace("60", "'60'")[-8:].lstrip("(")
    ) or ("WHERE" in there or "WITH" in there)
    assert declared_line.endswith("btree (id, k, v)")


def test_a_part_with_another_definition_is_not_attached(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    build(database, "partitioned")
    database.sql("CREATE INDEX t2_ix ON s.t2 (word)")
    before = state(database)
    with told(monkeypatch), pytest.raises(PlanError, match=r"s\.t2_ix has another definition"):
        perform(database, create)
    assert state(database) == before
    database.sql("DROP INDEX s.t2_ix", "CREATE INDEX t2_ix ON s.t2 (v, word DESC)")
    with told(monkeypatch) as events:
        perform(database, create)
    assert not any("t2_ix on" in summary for summary in done(events)), "it is taken as it is"
    assert database.sql("SELECT indisvalid FROM pg_index WHERE indexrelid = 's.ix'::regclass") == [(True,)]


@matrix
def test_duplicate_keys_are_named(database: Database, monkeypatch: pytest.MonkeyPatch, shape: str) -> None:
    build(database, shape)
    database.sql(
        "INSERT INTO s.t SELECT 9000 + i % 7, 7, 1, NULL, 'double' FROM generate_series(1, 21) i",
        "INSERT INTO s.t SELECT 9000, 7, 1, NULL, 'double'",
    )
    expected = prepare(database, INDEXES["create_unique"], shape)
    database.sql("INSERT INTO s.t SELECT 9000 + least(i % 9, 6), 7, 1, NULL, 'double' FROM generate_series(1, 27) i")
    with told(monkeypatch), pytest.raises(ExecutionError) as refused:
        perform(database, unique)
    message = str(refused.value)
    assert refused.value.sqlstate == "23505"
    assert "(id, k, v)=(9006, 7, 1) occurs 9 times" in message
    assert "7 keys occur more than once, 20 rows too many" in message
    assert message.count("occurs") == 5
    database.sql("DELETE FROM s.t WHERE word = 'double'")
    with told(monkeypatch):
        perform(database, unique)
    assert state(database) == expected


def test_an_invalid_unique_index_over_twins_is_refused_and_stays(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(database, "plain")
    database.sql("INSERT INTO s.t SELECT 7, 7, 1 FROM generate_series(1, 2)")
    with told(monkeypatch), pytest.raises(ExecutionError):
        perform(database, unique)
    with told(monkeypatch), pytest.raises(ExecutionError, match="23505"):
        perform(database, reindex)
    database.sql("DELETE FROM s.t WHERE id = 7 AND ctid NOT IN (SELECT min(ctid) FROM s.t WHERE id = 7)")
    with told(monkeypatch):
        perform(database, reindex)
    assert database.sql(NAMES) == [("ix",), ("r_pkey",)]
    assert database.sql("SELECT indisvalid FROM pg_index WHERE indexrelid = 's.ix'::regclass") == [(True,)]
