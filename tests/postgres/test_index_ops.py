"""Indexes beside traffic: on every shape, again, stopped anywhere, killed, and with somebody in the way."""

from __future__ import annotations

import io
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext

from schema_kit.errors import DeclarationError, ExecutionError, LockNotAvailable, PlanError
from schema_kit.execute import StepDone, StepStarted
from schema_kit.names import QualifiedName, fit, ident
from schema_kit.steps import indexes
from tests.support.database import Database
from tests.support.locks import OF_THIS_DATABASE, busy, wait_until
from tests.support.matrix import SHAPES, Operate, Stopped, build, longer, perform, state, thinned, told
from tests.support.operations import INDEXES, NEW, OLD, IndexCase, create, drop, reindex, reindex_table, replace, unique

pytestmark = [pytest.mark.indexes, pytest.mark.majors]

INVALID = "UPDATE pg_index SET indisvalid = false WHERE indexrelid IN (SELECT oid FROM pg_class WHERE relname ~ '%s')"

NAMES = "SELECT relname FROM pg_class WHERE relnamespace = 's'::regnamespace AND relkind IN ('i', 'I') ORDER BY relname"
NODES = """
SELECT relname, relfilenode FROM pg_class
WHERE relnamespace = 's'::regnamespace AND relkind = 'i' AND relname <> 'r_pkey' ORDER BY relname
"""


matrix = pytest.mark.parametrize("shape", thinned(SHAPES, "plain", "partitioned"))
each = pytest.mark.parametrize("name", INDEXES)
seen = pytest.mark.parametrize("name", [name for name in INDEXES if INDEXES[name].visible])


def prepare(database: Database, case: IndexCase, shape: str, *more: str) -> list[tuple[Any, ...]]:
    """What the end shall be; and the beginning again."""
    build(database, shape)
    database.sql(*case.before, *case.blocking, "SELECT 1")
    expected = state(database)
    build(database, shape)
    database.sql(*case.before, *more, "SELECT 1")
    return expected


def done(events: list[Any]) -> list[str]:
    return [event.step.summary for event in events if isinstance(event, StepDone)]


# The matrix


@matrix
@each
def test_same_end_as_the_blocking_way_again_and_stopped_anywhere(
    database: Database, monkeypatch: pytest.MonkeyPatch, name: str, shape: str
) -> None:
    case = INDEXES[name]
    expected = prepare(database, case, shape)
    nodes = database.sql(NODES)
    with told(monkeypatch) as events:
        perform(database, case.operate)
    assert state(database) == expected
    names, steps = database.sql(NAMES), len(done(events))
    assert steps > 0
    if not case.visible:
        assert [row[0] for row in database.sql(NODES)] == [row[0] for row in nodes]
        assert not set(database.sql(NODES)) & set(nodes), "each was built again"
    if case.visible:
        with told(monkeypatch) as events:
            perform(database, case.operate)
        assert events == [], "a second run has nothing to do"
    for stop_after in range(1, steps):
        build(database, shape)
        database.sql(*case.before, "SELECT 1")
        with told(monkeypatch, stop_after), pytest.raises(Stopped):
            perform(database, case.operate)
        with told(monkeypatch) as events:
            perform(database, case.operate)
        assert state(database) == expected, f"stopped after {stop_after} of {steps}"
        assert database.sql(NAMES) == names
        assert not case.visible or len(done(events)) == steps - stop_after, "work that was done is not done again"


@matrix
@each
def test_waits_beside_a_writer(database: Database, monkeypatch: pytest.MonkeyPatch, name: str, shape: str) -> None:
    case = INDEXES[name]
    expected = prepare(database, case, shape)
    with told(monkeypatch), busy(database, "INSERT INTO s.t VALUES (1000, 1, 1, 1)", seconds=0.3):
        perform(database, case.operate)
    assert state(database) == expected


@matrix
@each
def test_what_is_invalid_becomes_valid(
    database: Database, monkeypatch: pytest.MonkeyPatch, name: str, shape: str
) -> None:
    case = INDEXES[name]
    # What a creation that was killed leaves: the parents, and a part that is INVALID and not attached.
    killed = {
        "plain": (NEW,),
        "partitioned": ("CREATE INDEX ix ON ONLY s.t (v, word DESC)", "CREATE INDEX t1_ix ON s.t1 (v, word DESC)"),
        "sub_partitioned": (
            "CREATE INDEX ix ON ONLY s.t (v, word DESC)",
            "CREATE INDEX t1_ix ON ONLY s.t1 (v, word DESC)",
            "CREATE INDEX t1a_ix ON s.t1a (v, word DESC)",
        ),
    }[shape]
    if name == "create_unique":
        killed = tuple(sql.replace("INDEX", "UNIQUE INDEX").replace("(v, word DESC)", "(id, k, v)") for sql in killed)
    elif case.before:
        killed = ()
    expected = prepare(database, case, shape, *killed, INVALID % "_?ix$|_v_idx$")
    with told(monkeypatch):
        perform(database, case.operate)
    assert state(database) == expected


@matrix
@pytest.mark.parametrize("name", ["reindex", "reindex_table"])
def test_leftovers_of_a_reindex_are_cleared_first(
    database: Database, monkeypatch: pytest.MonkeyPatch, name: str, shape: str
) -> None:
    leaf = "s.t" if shape == "plain" else "s.t2"
    stem = "ix" if shape == "plain" else "t2_v_idx"
    left = [f"CREATE INDEX {stem}{end} ON {leaf} (v)" for end in ("_ccnew", "_ccnew1", "_ccold")]
    other = f"CREATE INDEX other_ccnew ON {leaf} (v)"
    expected = prepare(database, INDEXES[name], shape, *left, other, INVALID % "_cc(new|old)")
    with told(monkeypatch) as events:
        perform(database, INDEXES[name].operate)
    dropped = [summary for summary in done(events) if summary.startswith("drop index")]
    if name == "reindex":
        database.sql("DROP INDEX s.other_ccnew")  # another index's: none of our business
    assert len(dropped) == (3 if name == "reindex" else 4)
    assert state(database) == expected


# Killed

PROGRAM = """
import logging, sys
import sqlalchemy as sa
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
import schema_kit.ops
from schema_kit import environment
from tests.support import operations
with environment.connect(sa.make_url(sys.argv[1]), autocommit=True) as connection:
    operations.INDEXES[sys.argv[2]].operate(Operations(MigrationContext.configure(connection)))
"""

WAITING = """
SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()
AND pid <> pg_backend_pid() AND query ~ 'CONCURRENTLY'
"""


KILLED = longer(["create", "replace", "drop", "reindex"], "drop", "reindex", mark=pytest.mark.deep)


@pytest.mark.exhaustive
@pytest.mark.parametrize("server_side", ["goes on", "dies"])
@pytest.mark.parametrize(
    "name", longer(["create", "replace", "drop", "reindex"], "drop", "reindex", mark=pytest.mark.deep)
)
def test_killed(database: Database, monkeypatch: pytest.MonkeyPatch, name: str, server_side: str) -> None:
    case = INDEXES[name]
    expected = prepare(database, case, "plain")
    holder = database.connect(autocommit=False)
    holder.execute("INSERT INTO s.t VALUES (1000, 1, 1, 1)")
    url = sa.make_url(database.url).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
    tool = subprocess.Popen([sys.executable, "-c", PROGRAM, url, name])
    wait_until(lambda: database.sql(WAITING))
    backend = database.sql(WAITING)[0][0]
    tool.send_signal(signal.SIGKILL)
    assert tool.wait() == -signal.SIGKILL
    if server_side == "dies":
        database.sql(f"SELECT pg_terminate_backend({backend})")
        wait_until(lambda: not database.sql(f"SELECT 1 FROM pg_stat_activity WHERE pid = {backend}"))
        holder.rollback()
        assert state(database) != expected, "something is left"
        with told(monkeypatch):
            perform(database, case.operate)
    else:
        waiter = subprocess.Popen([sys.executable, "-c", PROGRAM, url, name])
        wait_until(lambda: database.sql(f"SELECT 1 FROM pg_locks WHERE NOT granted AND {OF_THIS_DATABASE}"))
        holder.rollback()
        assert waiter.wait() == 0
    assert state(database) == expected


# Definitions

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
def test_keys_that_are_there_twice_are_named(database: Database, monkeypatch: pytest.MonkeyPatch, shape: str) -> None:
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


# In the way


@pytest.mark.exhaustive
@pytest.mark.parametrize("shape", ["partitioned", "sub_partitioned"])
@pytest.mark.parametrize("name", ["create", "replace", "drop"])
def test_a_lock_that_is_not_to_be_had_is_told_and_running_again_goes_on(
    database: Database, monkeypatch: pytest.MonkeyPatch, name: str, shape: str
) -> None:
    case = INDEXES[name]
    expected = prepare(database, case, shape)
    other = database.connect(autocommit=False)
    # The parent alone: a build on a partition would wait for it without end, and without being in anybody's way.
    other.execute("LOCK TABLE ONLY s.t IN ROW EXCLUSIVE MODE")
    with told(monkeypatch), pytest.raises(LockNotAvailable) as refused:
        perform(database, case.operate)
    assert f"pid {other.info.backend_pid}" in str(refused.value)
    other.rollback()
    with told(monkeypatch):
        perform(database, case.operate)
    assert state(database) == expected


# What rests on an index


@pytest.mark.exhaustive
@pytest.mark.parametrize("operate", [drop, replace])
def test_an_index_that_something_rests_on_stays(
    database: Database, monkeypatch: pytest.MonkeyPatch, operate: Operate
) -> None:
    def refused(match: str, *statements: str, act: Operate = operate) -> None:
        build(database, "partitioned" if "PARTITION" in match else "plain")
        database.sql(*statements)
        before = state(database)
        with told(monkeypatch) as events, pytest.raises(PlanError, match=match):
            perform(database, act)
        assert events == []
        assert state(database) == before

    refused("carries the constraint ix", "ALTER TABLE s.t ADD CONSTRAINT ix UNIQUE (id)")
    refused("carries the constraint ix", "ALTER TABLE s.t ADD CONSTRAINT ix EXCLUDE (id WITH =)")
    refused(
        "foreign key f_id_fkey of s.f rests on it",
        "CREATE UNIQUE INDEX ix ON s.t (id)",
        "CREATE TABLE s.f (id bigint REFERENCES s.t (id))",
    )
    refused(
        "the replica identity of s.t rests on it",
        "CREATE UNIQUE INDEX ix ON s.t (id)",
        "ALTER TABLE s.t REPLICA IDENTITY USING INDEX ix",
    )


@pytest.mark.exhaustive
def test_a_part_of_a_partitioned_index_stays(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    build(database, "sub_partitioned")
    database.sql(OLD)
    before = state(database)
    for part, table in (("t2_v_idx", "t2"), ("t1_v_idx", "t1"), ("t1a_v_idx", "t1a")):
        for operate in (
            lambda op, part=part: op.drop_index_concurrently(part, schema="s"),
            lambda op, part=part, table=table: op.replace_index_concurrently(part, table, ["k"], schema="s"),
        ):
            with told(monkeypatch), pytest.raises(PlanError, match="it is the part of s"):
                perform(database, operate)
    assert state(database) == before


def test_an_index_of_another_table_is_refused(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    build(database, "plain")
    database.sql("CREATE INDEX ix ON s.r (id)")
    for operate in (create, replace, drop, lambda op: op.reindex_concurrently("ix", "t", schema="s")):
        with told(monkeypatch), pytest.raises(PlanError, match=r"belongs to s\.r, not to s\.t"):
            perform(database, operate)
    with told(monkeypatch):
        perform(database, lambda op: op.drop_index_concurrently("ix", schema="s"))
    assert database.sql("SELECT to_regclass('s.ix')") == [(None,)]


def test_a_reindex_says_what_it_cannot_do(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    build(database, "plain")
    database.sql("ALTER TABLE s.t ADD CONSTRAINT ix EXCLUDE (id WITH =)")
    with told(monkeypatch), pytest.raises(PlanError, match="the exclusion constraint ix"):
        perform(database, reindex)
    with told(monkeypatch), pytest.raises(PlanError, match="there is no such index"):
        perform(database, lambda op: op.reindex_concurrently("nothing", schema="s"))
    with told(monkeypatch), pytest.raises(PlanError, match="there is no such table"):
        perform(database, lambda op: op.reindex_concurrently(table_name="nothing", schema="s"))
    with told(monkeypatch), pytest.raises(DeclarationError, match="requires an index or a table"):
        perform(database, lambda op: op.reindex_concurrently())
    with told(monkeypatch) as events:
        perform(database, reindex_table)
    assert done(events) == ["build all indexes of s.t again concurrently"]


# Single points


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


def test_leftovers_on_a_toast_table_are_cleared(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    build(database, "plain")
    toast = "SELECT reltoastrelid FROM pg_class WHERE oid = 's.t'::regclass"
    database.sql("ALTER TABLE s.t ADD big text")
    holder = database.connect(autocommit=False)
    holder.execute(
        "INSERT INTO s.t (id, k, big) SELECT 1, 1, string_agg(md5(i::text), '') FROM generate_series(1, 999) i"
    )
    other = database.connect()
    other.execute("SET statement_timeout = 300")
    with pytest.raises(Exception, match="timeout"):
        other.execute("REINDEX TABLE CONCURRENTLY s.t")
    holder.rollback()
    assert database.sql(f"SELECT count(*) FROM pg_index WHERE indrelid = ({toast})") == [(2,)]
    with told(monkeypatch) as events:
        perform(database, reindex_table)
    assert any("pg_toast" in summary and "ccnew" in summary for summary in done(events))
    assert database.sql(f"SELECT count(*) FROM pg_index WHERE indrelid = ({toast})") == [(1,)]


@matrix
def test_an_index_is_there_at_every_moment_of_a_replacement(
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


def test_a_partition_that_comes_up_meanwhile_is_no_obstacle(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(database, "partitioned")
    database.sql(OLD)
    with told(monkeypatch, 2), pytest.raises(Stopped):
        perform(database, replace)
    database.sql("CREATE TABLE s.t3 PARTITION OF s.t FOR VALUES FROM (10) TO (20)")
    with told(monkeypatch):
        perform(database, replace)
    assert [name for (name,) in database.sql(NAMES)] == ["ix", "r_pkey", "t1_ix", "t2_ix", "t3_ix"]


@pytest.mark.exhaustive
def test_what_an_unfinished_creation_left_goes_with_the_index(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    for shape in SHAPES:
        for stop_after in range(1, 8):
            build(database, shape)
            before = state(database)
            with told(monkeypatch, stop_after), suppress(Stopped):
                perform(database, create)
            with told(monkeypatch):
                perform(database, drop)
            assert state(database) == before, f"{shape}, {stop_after}"


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


def test_a_partitioned_reindex_of_postgresql_itself_would_queue_writers(database: Database) -> None:
    """Why it is done part by part: SHARE on the whole tree at first, behind whoever writes."""
    build(database, "partitioned")
    database.sql(OLD)
    writer = database.connect(autocommit=False)
    writer.execute("INSERT INTO s.t VALUES (1, 1, 1, 1)")
    other = database.connect()
    other.execute("SET lock_timeout = '200ms'")
    with pytest.raises(Exception, match="lock timeout"):
        other.execute("REINDEX TABLE CONCURRENTLY s.t")
    writer.rollback()


# The doors


@each
def test_inside_an_autocommit_block_and_outside(database: Database, name: str) -> None:
    case = INDEXES[name]
    url = sa.make_url(database.url).set(drivername="postgresql+psycopg")
    for inside in (True, False):
        expected = prepare(database, case, "sub_partitioned")
        engine = sa.create_engine(url)
        with engine.connect() as connection:
            context = MigrationContext.configure(connection, opts={"transaction_per_migration": True})
            with context.begin_transaction():
                if inside:
                    with context.autocommit_block():
                        case.operate(Operations(context))
                else:
                    case.operate(Operations(context))
        engine.dispose()
        assert state(database) == expected


def offline(operate: Operate) -> str:
    buffer = io.StringIO()
    options = {"as_sql": True, "output_buffer": buffer, "literal_binds": True}
    operate(Operations(MigrationContext.configure(dialect_name="postgresql", opts=options)))
    return buffer.getvalue()


def test_offline_scripts_lead_to_the_same(database: Database) -> None:
    for name, case in INDEXES.items():
        if name == "replace_what_is_not_there":
            continue  # nobody has looked, so it is taken to be there
        expected = prepare(database, case, "plain")
        script = offline(case.operate)
        assert "CONCURRENTLY" in script, name
        statements = [line for line in script.splitlines() if line and not line.startswith("--")]
        with_transactions = [statement for statement in statements if statement not in ("BEGIN;", "COMMIT;")]
        database.sql(*with_transactions)
        assert state(database) == expected, name


def test_offline_reindex_is_the_statement_alone() -> None:
    script = textwrap.dedent(offline(reindex))
    assert 'REINDEX INDEX CONCURRENTLY "s"."ix";' in script
    assert 'REINDEX TABLE CONCURRENTLY "s"."t";' in offline(reindex_table)
    assert 'DROP INDEX CONCURRENTLY IF EXISTS "s"."ix";' in offline(
        lambda op: op.drop_index_concurrently("ix", schema="s")
    )


def test_nothing_is_started_for_what_is_there(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    build(database, "sub_partitioned")
    database.sql(NEW)
    with told(monkeypatch) as events:
        perform(database, create)
        perform(database, replace)
    assert not any(isinstance(event, StepStarted) for event in events)
