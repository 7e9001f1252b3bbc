"""Indexes whose build is killed, and what it leaves: taken up again, or cleared first."""

from __future__ import annotations

import signal
import subprocess
import sys
from contextlib import suppress

import pytest
import sqlalchemy as sa

from tests.support.database import Database
from tests.support.indexes import INVALID, done, matrix, prepare
from tests.support.locks import OF_THIS_DATABASE, wait_until
from tests.support.matrix import SHAPES, Stopped, build, longer, perform, state, told
from tests.support.operations import INDEXES, create, drop, reindex_table

pytestmark = [pytest.mark.indexes, pytest.mark.majors]


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
