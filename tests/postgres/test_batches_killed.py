"""Updates in batches that are stopped, killed, or lose their session: each row once all the same."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from schema_kit import execute
from schema_kit.catalog import session
from schema_kit.errors import ExecutionError
from schema_kit.execute import Event, StepProgress
from tests.support.batches import ONE_MORE, ROWS, SMALL, TABLE, Stopped, counts, stopped_after, update
from tests.support.database import Database
from tests.support.locks import wait_until
from tests.support.matrix import perform

pytestmark = [pytest.mark.columns, pytest.mark.majors]


def test_stopped_after_each_batch_it_resumes(database: Database) -> None:
    database.sql(*TABLE)
    for _ in range(ROWS // 10 + 1):
        with pytest.raises(Stopped):
            perform(database, lambda op: op.update_in_batches("t", ONE_MORE, **SMALL), on=stopped_after(1))
    update(database)  # which looks for rows that were missed
    assert update(database) == []
    assert counts(database) == [(1, ROWS)]


@pytest.mark.parametrize("seed", range(3))
def test_stopped_before_any_statement_it_resumes(
    database: Database, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    database.sql(*TABLE)
    chance, stops = random.Random(seed), 0
    with pytest.MonkeyPatch.context() as patch:
        left = [0]

        def failing(send: Callable[[sa.Connection, Any], Any]) -> Callable[[sa.Connection, Any], Any]:
            def failing(connection: sa.Connection, sql: Any) -> Any:
                left[0] -= 1
                if left[0] == 0:
                    raise Stopped
                return send(connection, sql)

            return failing

        patch.setattr(execute, "send", failing(session.send))
        patch.setattr(execute, "send_together", failing(session.send_together))
        while True:
            left[0] = chance.randint(1, 5)
            try:
                update(database)
            except Stopped:
                stops += 1
            else:
                break
    assert stops > 3
    assert counts(database) == [(1, ROWS)]


PROGRAM = """
import sys
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations
import schema_kit.ops
from schema_kit import environment
with environment.connect(sa.make_url(sys.argv[1]).set(drivername="postgresql+psycopg"), autocommit=True) as connection:
    Operations(MigrationContext.configure(connection)).update_in_batches(
        "t", {"n": sa.text("n + 1")}, batch_size=10, target_seconds=1e-6)
"""


@pytest.mark.exhaustive
def test_killed_in_the_middle_it_resumes(database: Database) -> None:
    rows = 6000
    database.sql(TABLE[0], f"INSERT INTO t (id) SELECT generate_series(1, {rows})")
    chance = random.Random(7)
    for share in (0.2, 0.6):
        with subprocess.Popen([sys.executable, "-c", PROGRAM, database.url]) as program:
            wait_until(lambda share=share: seen(database) > share * rows)  # type: ignore[misc]
            time.sleep(chance.uniform(0, 0.02))
            os.kill(program.pid, signal.SIGKILL)
        assert seen(database) < rows
    update(database)
    assert counts(database) == [(1, rows)]


def test_a_session_that_the_server_ends_loses_nothing(database: Database) -> None:
    database.sql(*TABLE)

    def end(event: Event) -> None:
        if isinstance(event, StepProgress) and event.state.startswith("50 "):
            database.sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE application_name = 'schema_kit' AND datname = current_database()"
            )

    with pytest.raises((ExecutionError, sa.exc.DBAPIError)):
        perform(database, lambda op: op.update_in_batches("t", ONE_MORE, **SMALL), on=end)
    assert seen(database) == 50
    update(database)
    assert counts(database) == [(1, ROWS)]


def seen(database: Database) -> int:
    try:
        return sum(row[0] for row in database.sql("SELECT rows_seen FROM schema_kit.batch_progress"))
    except psycopg.errors.UndefinedTable:
        return 0
