"""Keys of every kind of type: what compares them never asks search_path, which a trigger's function does not have."""

from __future__ import annotations

from typing import Any

import pytest

from schema_kit import execute, op, operations
from schema_kit.catalog import Catalog
from schema_kit.errors import ExecutionError
from schema_kit.execute import Event, StepDone
from schema_kit.model import KeyColumn, Partitioning
from schema_kit.names import QualifiedName
from schema_kit.steps.copy_chunks import CopyChunk, CutChunks
from schema_kit.steps.copying import BeginCopy
from schema_kit.tasks.conversion import Convert
from tests.support.database import QUICK, Database

pytestmark = [pytest.mark.conversion, pytest.mark.majors]

T = QualifiedName("s", "t")

TYPES = {
    "array": ("text[]", "ARRAY['a', {i}::text]"),
    "composite": ("s.pair", "ROW({i}, 'x,\"' || {i})::s.pair"),
    "array of composites": ("s.pair[]", "ARRAY[ROW({i}, 'x')::s.pair]"),
    "domain": ("s.positive", "{i}::s.positive"),
    "enum": ("s.mood", "(enum_range(NULL::s.mood))[{i}]"),
    "range": ("int4range", "int4range({i}, {i} + 1)"),
    "citext": ("ext.citext", "('K' || {i})::ext.citext"),
    "domain of citext": ("s.word", "('K' || {i})::s.word"),
    "hstore": ("ext.hstore", "ext.hstore('k', {i}::text)"),
    "cube": ("ext.cube", "ext.cube({i}::float8)"),
    "ltree": ("ext.ltree", "('a.b' || {i})::ext.ltree"),
    "seg": ("ext.seg", "('{i} .. 99')::ext.seg"),
    "isn": ("ext.ean13", "ext.ean13('978000000' || lpad({i}::text, 3, '0') || '0!')"),
}
EXTENSIONS = {"citext": "citext", "domain of citext": "citext", "isn": "isn"}
MOODS = ", ".join(f"'m{100 - i:02}'" for i in range(1, 61))
SETTING = (
    "CREATE SCHEMA s",
    "CREATE SCHEMA ext",
    "CREATE TYPE s.pair AS (a int, b text)",
    "CREATE DOMAIN s.positive AS bigint CHECK (value > 0)",
    f"CREATE TYPE s.mood AS ENUM ({MOODS})",
)


def value(kind: str, number: int | str) -> str:
    """A key, in SQL."""
    text = TYPES[kind][1]
    return text.replace(
        "'{i} .. 99'", f"{number} || ' .. 99'" if isinstance(number, str) else f"'{number} .. 99'"
    ).replace("{i}", str(number))


def build(database: Database, kind: str, key: str) -> None:
    """A table and its twin, which stays plain, with the same rows."""
    database.sql(*SETTING)
    if kind not in ("array", "composite", "array of composites", "domain", "enum", "range"):
        database.sql(f"CREATE EXTENSION {EXTENSIONS.get(kind, kind)} SCHEMA ext")
    if kind == "domain of citext":
        database.sql("CREATE DOMAIN s.word AS ext.citext")
    database.sql(
        f"CREATE TABLE s.t (id int NOT NULL, k {TYPES[kind][0]} NOT NULL, at timestamptz NOT NULL, v text, "
        f"PRIMARY KEY ({key}))",
        f"INSERT INTO s.t SELECT i, {value(kind, 'i')}, date_trunc('day', now()) - i * interval '1 day', 'old' "
        "FROM generate_series(1, 40) i",
        "CREATE TABLE s.twin (LIKE s.t INCLUDING ALL)",
        "INSERT INTO s.twin TABLE s.t",
    )


def write(database: Database, kind: str, first: int) -> None:
    """Rows change, move to other keys, go and come: of both tables alike."""
    for table in ("t", "twin"):
        database.sql(
            f"UPDATE s.{table} SET v = 'new' WHERE id = {first}",
            f"UPDATE s.{table} SET k = {value(kind, first + 40)}, id = id + 40 WHERE id = {first + 1}",
            f"DELETE FROM s.{table} WHERE id = {first + 2}",
            f"INSERT INTO s.{table} VALUES "
            f"({first + 50}, {value(kind, first + 50)}, date_trunc('day', now()) - interval '50 days', 'in')",
        )


def rows(database: Database, table: str) -> list[tuple[Any, ...]]:
    """Its rows, in order."""
    return database.sql(f"SELECT id, k::text, at, v FROM s.{table} ORDER BY id")


KEYS = [
    pytest.param(kind, key, marks=pytest.mark.exhaustive if (place + len(key)) % 2 else pytest.mark.deep)
    for place, kind in enumerate(TYPES)
    for key in ("k", "k, at")
]


@pytest.mark.parametrize(("kind", "key"), KEYS)
def test_a_table_whose_key_is_of_any_type_is_copied_during_writes(database: Database, kind: str, key: str) -> None:
    build(database, kind, key)
    connection = database.sqlalchemy()
    catalog = Catalog(connection)
    policy = Partitioning(T, "at", "1 month")
    convert = Convert(policy, "refuse", "copy")
    firsts = {BeginCopy: 1, CutChunks: 5, CopyChunk: 9}

    def emit(event: Event) -> None:
        if isinstance(event, StepDone) and type(event.step) in firsts:
            write(database, kind, firsts.pop(type(event.step)))

    execute.run(connection, lambda: convert.plan(catalog), QUICK, emit)
    assert not firsts
    assert database.sql("SELECT relkind::text FROM pg_class WHERE oid = 's.t'::regclass") == [("p",)]
    assert rows(database, "t") == rows(database, "twin")


@pytest.mark.parametrize(("kind", "key"), KEYS)
def test_batches_page_through_a_key_of_any_type(database: Database, kind: str, key: str) -> None:
    build(database, kind, key)
    connection = database.sqlalchemy()
    with operations(connection, policy=QUICK):
        op.update_in_batches("t", {"v": "new"}, schema="s", batch_size=7)
    assert database.sql("SELECT v, count(*) FROM s.t GROUP BY v") == [("new", 40)]


def test_what_a_trigger_asks_is_asked_before_it_is_committed(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An operator that is not found: nothing of the copy stays, and writers go on."""
    build(database, "hstore", "k")
    connection = database.sqlalchemy()
    convert = Convert(Partitioning(T, "at", "1 month"), "refuse", "copy")
    monkeypatch.setattr(KeyColumn, "operator", lambda self, symbol: symbol)
    with pytest.raises(ExecutionError, match="operator does not exist"):
        execute.run(connection, lambda: convert.plan(Catalog(connection)), QUICK, lambda event: None)
    assert database.sql("SELECT 1 FROM pg_trigger WHERE tgrelid = 's.t'::regclass") == []
    database.sql("UPDATE s.t SET v = 'still' WHERE id = 1")
