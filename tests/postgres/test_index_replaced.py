"""Indexes that are replaced: one exists at every moment, under its name and with its comment."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from schema_kit.errors import PlanError
from schema_kit.names import QualifiedName, fit, ident
from schema_kit.steps import indexes
from tests.support.database import Database
from tests.support.indexes import NAMES, done, matrix, prepare
from tests.support.matrix import Stopped, build, longer, perform, state, told
from tests.support.operations import INDEXES, NEW, OLD, replace

pytestmark = [pytest.mark.indexes, pytest.mark.majors]


@matrix
def test_an_index_exists_at_every_moment_of_a_replacement(
    database: Database, monkeypatch: pytest.MonkeyPatch, shape: str
) -> None:
    build(database, shape)
    database.sql(OLD)
    valid = (
        "SELECT count(*) FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid WHERE relname = 'ix' AND indisvalid"
    )
    steps = 1
    while True:
        build(database, shape)
        database.sql(OLD)
        try:
            with told(monkeypatch, steps):
                perform(database, replace)
        except Stopped:
            assert database.sql(valid) == [(1,)], f"after {steps} steps"
            steps += 1
        else:
            break
    assert steps > 2
    names = [name for (name,) in database.sql(NAMES)]
    leaves = {"plain": [], "partitioned": ["t1", "t2"], "sub_partitioned": ["t1", "t1a", "t1b", "t2"]}[shape]
    assert names == sorted(["ix", "r_pkey", *(f"{leaf}_ix" for leaf in leaves)])


@pytest.mark.exhaustive
@matrix
def test_a_replacement_that_was_begun_with_another_definition_is_in_the_way(
    database: Database, monkeypatch: pytest.MonkeyPatch, shape: str
) -> None:
    refused = 0
    for stop_after in range(1, 12):
        expected = prepare(database, INDEXES["replace"], shape)
        with told(monkeypatch, stop_after), suppress(Stopped):
            perform(database, lambda op: op.replace_index_concurrently("ix", "t", ["k", "v"], schema="s"))
        try:
            with told(monkeypatch):
                perform(database, replace)
        except PlanError as error:
            assert "ix__replacement has another definition" in str(error)  # noqa: PT017 - not at every stop
            refused += 1
            with told(monkeypatch):
                perform(database, lambda op: op.drop_index_concurrently("ix__replacement", schema="s"))
                perform(database, replace)
        assert state(database) == expected, stop_after
    assert 0 < refused < 11


@matrix
def test_others_with_the_names_of_a_replacement_stay(
    database: Database, monkeypatch: pytest.MonkeyPatch, shape: str
) -> None:
    for name in ("ix__replaced", "ix__replacement"):
        build(database, shape)
        database.sql(OLD, f"CREATE INDEX {name} ON s.t (word)")
        before = state(database)
        with told(monkeypatch), pytest.raises(PlanError, match=name):
            perform(database, replace)
        assert state(database) == before
        database.sql("DROP INDEX s.ix", NEW)
        before = state(database)
        with told(monkeypatch) as events:
            perform(database, replace)
        assert events == []
        assert state(database) == before


def test_a_comment_goes_over_to_the_new_index(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare(database, INDEXES["replace"], "plain", "COMMENT ON INDEX s.ix IS 'it''s \\ ours'")
    with told(monkeypatch):
        perform(database, replace)
    assert database.sql("SELECT obj_description('s.ix'::regclass)") == [("it's \\ ours",)]


HARD = {
    "capitals": ("Schema", "Table", "Index"),
    "dots": ("a.b", "c.d", "e.f"),
    "quotes": ('a"b', "c'd", "e\"f'g"),
    "words of SQL": ("select", "table ON x USING y", "index USING z"),
    "Thai": ("ร้าน", "ข้อความ", "ดัชนี"),
    "percent": ("100%", "%s", "%(name)s"),
    "63 bytes": ("s" * 63, "t" * 63, "i" * 63),
    "63 bytes of Thai": ("ก" * 21, "ข" * 21, "ค" * 21),
}


@pytest.mark.parametrize("partitioned", longer([False, True], True), ids=["plain", "partitioned"])
@pytest.mark.parametrize("names", HARD.values(), ids=HARD)
def test_names(
    database: Database, monkeypatch: pytest.MonkeyPatch, names: tuple[str, str, str], partitioned: bool
) -> None:
    schema, table, index = names
    name, column = QualifiedName(schema, table), f"col {table}"[:20]
    database.sql(
        f"CREATE SCHEMA {ident(schema)}",
        f"CREATE TABLE {name.sql} (id int, {ident(column)} int) {'PARTITION BY RANGE (id)' if partitioned else ''}",
    )
    if partitioned:
        for place in (1, 2):
            leaf = name.sibling(fit(table, f"_{place}"))
            database.sql(f"CREATE TABLE {leaf.sql} PARTITION OF {name.sql} FOR VALUES FROM ({place}) TO ({place + 1})")
    acts: list[Callable[[Any], None]] = [
        lambda op: op.create_index_concurrently(index, table, ["id", column], schema=schema),
        lambda op: op.replace_index_concurrently(index, table, [column], schema=schema),
        lambda op: op.reindex_concurrently(index, schema=schema),
        lambda op: op.reindex_concurrently(table_name=table, schema=schema),
        lambda op: op.drop_index_concurrently(index, schema=schema),
    ]
    for place, act in enumerate(acts):
        for again in (False, True):
            with told(monkeypatch) as events:
                perform(database, act)
            assert bool(done(events)) != (again and place in (0, 1, 4)), place
    assert (
        database.sql("SELECT 1 FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid WHERE relnamespace >= 16384") == []
    )


def test_the_indexes_alone_are_locked_while_names_change(database: Database) -> None:
    build(database, "partitioned")
    database.sql(OLD, "CREATE INDEX ix__replacement ON s.t (v, word DESC)")
    step = indexes.RenameIndexes(
        QualifiedName("s", "t"),
        QualifiedName("s", "ix"),
        "ix__replaced",
        (
            (QualifiedName("s", "ix"), "ix__replaced"),
            (QualifiedName("s", "ix__replacement"), "ix"),
            (QualifiedName("s", "t1_v_idx"), "t1_ix"),
        ),
        "a comment",
    )
    traffic = database.connect(autocommit=False)
    traffic.execute("INSERT INTO s.t VALUES (1, 1, 1, 1)")
    traffic.execute("SET enable_seqscan = off")
    traffic.execute("SELECT * FROM s.t WHERE v = 1")
    sender = database.connect(autocommit=False)
    sender.execute("SET lock_timeout = '1s'")
    for statement in step.sql():
        sender.execute(statement.encode())
    taken = database.sql(
        "SELECT DISTINCT c.relkind, l.mode FROM pg_locks l JOIN pg_class c ON c.oid = l.relation "
        f"WHERE l.pid = {sender.info.backend_pid} AND c.relnamespace = 's'::regnamespace"
    )
    assert set(taken) <= {
        ("I", "ShareUpdateExclusiveLock"),
        ("i", "ShareUpdateExclusiveLock"),
        ("p", "AccessShareLock"),
        ("r", "AccessShareLock"),
    }
    after = database.connect(autocommit=False)
    after.execute("SET lock_timeout = '1s'")
    after.execute("INSERT INTO s.t VALUES (2, 2, 2, 2)")
    after.execute("SET enable_seqscan = off")
    after.execute("SELECT * FROM s.t WHERE v = 1")
    sender.rollback()
