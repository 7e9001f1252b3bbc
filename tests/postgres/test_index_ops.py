"""Indexes during traffic: on every shape, again, stopped anywhere, offline, and with a blocker."""

from __future__ import annotations

import io
import textwrap

import pytest
import sqlalchemy as sa
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext

from schema_kit.errors import LockNotAvailable
from schema_kit.execute import StepStarted
from tests.support.database import Database
from tests.support.indexes import INVALID, NAMES, done, matrix, prepare
from tests.support.locks import busy
from tests.support.matrix import Operate, Stopped, build, longer, perform, state, told
from tests.support.operations import INDEXES, NEW, OLD, create, reindex, reindex_table, replace

pytestmark = [pytest.mark.indexes, pytest.mark.majors]

NODES = """
SELECT relname, relfilenode FROM pg_class
WHERE relnamespace = 's'::regnamespace AND relkind = 'i' AND relname <> 'r_pkey' ORDER BY relname
"""

each = pytest.mark.parametrize("name", INDEXES)
seen = pytest.mark.parametrize("name", [name for name in INDEXES if INDEXES[name].visible])


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
def test_waits_next_to_a_writer(database: Database, monkeypatch: pytest.MonkeyPatch, name: str, shape: str) -> None:
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


KILLED = longer(["create", "replace", "drop", "reindex"], "drop", "reindex", mark=pytest.mark.deep)


@pytest.mark.exhaustive
@pytest.mark.parametrize("shape", ["partitioned", "sub_partitioned"])
@pytest.mark.parametrize("name", ["create", "replace", "drop"])
def test_a_lock_that_cannot_be_taken_is_reported_and_running_again_goes_on(
    database: Database, monkeypatch: pytest.MonkeyPatch, name: str, shape: str
) -> None:
    case = INDEXES[name]
    expected = prepare(database, case, shape)
    other = database.connect(autocommit=False)
    # The parent alone: a build on a partition would wait for it without end, and without blocking a session.
    other.execute("LOCK TABLE ONLY s.t IN ROW EXCLUSIVE MODE")
    with told(monkeypatch), pytest.raises(LockNotAvailable) as refused:
        perform(database, case.operate)
    assert f"pid {other.info.backend_pid}" in str(refused.value)
    other.rollback()
    with told(monkeypatch):
        perform(database, case.operate)
    assert state(database) == expected


def test_a_partition_that_comes_up_meanwhile_is_not_an_obstacle(
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


def test_a_partitioned_reindex_of_postgresql_itself_would_queue_writers(database: Database) -> None:
    """Why it is done part by part: SHARE on the whole tree at first, behind each writer."""
    build(database, "partitioned")
    database.sql(OLD)
    writer = database.connect(autocommit=False)
    writer.execute("INSERT INTO s.t VALUES (1, 1, 1, 1)")
    other = database.connect()
    other.execute("SET lock_timeout = '200ms'")
    with pytest.raises(Exception, match="lock timeout"):
        other.execute("REINDEX TABLE CONCURRENTLY s.t")
    writer.rollback()


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
            continue  # nothing was observed, so it is taken to exist
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


def test_nothing_is_started_for_what_exists(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    build(database, "sub_partitioned")
    database.sql(NEW)
    with told(monkeypatch) as events:
        perform(database, create)
        perform(database, replace)
    assert not any(isinstance(event, StepStarted) for event in events)
