"""Updates in batches: each row once, in batches that fit, planned and shown before they are sent."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations

from schema_kit import environment, execute
from schema_kit.execute import Event, StepProgress, StepStarted, Waiting
from schema_kit.names import QualifiedName
from schema_kit.script import render
from schema_kit.steps.batches import UpdateBatch
from tests.support.batches import (
    ONE_MORE,
    ROWS,
    SMALL,
    TABLE,
    Stopped,
    batches,
    counts,
    offline,
    step,
    stopped_after,
    update,
)
from tests.support.database import QUICK, Database
from tests.support.locks import wait_until
from tests.support.matrix import perform

pytestmark = [pytest.mark.columns, pytest.mark.majors]


def test_every_row_is_updated_and_a_second_run_does_nothing(database: Database) -> None:
    database.sql(*TABLE, "ANALYZE t")
    events = update(database)
    assert counts(database) == [(1, ROWS)]
    assert batches(events) == ROWS // 10 + 1
    told = [event for event in events if isinstance(event, StepProgress)]
    assert told[4].state == "50 rows, 50 of them changed"
    assert told[4].share == 0.5
    assert told[-1].share == 1
    assert update(database) == []
    assert counts(database) == [(1, ROWS)]
    assert database.sql(
        "SELECT table_name, change, key_columns, last_key, rows_seen, rows_changed, finished_at > started_at "
        "FROM schema_kit.batch_progress"
    ) == [("public.t", 'SET "n" = n + 1', ["id"], [str(ROWS)], ROWS, ROWS, True)]


def test_it_can_be_run_again_by_forgetting_it_or_under_another_name(database: Database) -> None:
    database.sql(*TABLE)
    update(database, name="twice")
    database.sql("DELETE FROM schema_kit.batch_progress WHERE name = 'twice'")
    update(database, name="twice")
    update(database, name="ชื่อ 'it''s' \\ \"name\"")
    assert counts(database) == [(3, ROWS)]


def test_an_empty_table_is_finished_at_once(database: Database) -> None:
    database.sql(TABLE[0])
    assert batches(update(database)) == 1
    assert update(database) == []


def test_batches_grow_while_they_are_quick_and_shrink_while_they_are_slow(database: Database) -> None:
    database.sql(TABLE[0], "INSERT INTO t (id) SELECT generate_series(1, 400)")
    sizes = "SELECT batch_size FROM schema_kit.batch_progress WHERE name = 'run'"
    update(database, name="run", target_seconds=60)
    assert database.sql(sizes) == [(640,)]  # 10, 20, 40, 80, 160, 320
    database.sql("DELETE FROM schema_kit.batch_progress")
    slow = {"n": sa.text("n + 1 + 0 * length(pg_sleep(0.0005)::text)")}
    assert batches(update(database, slow, name="run", batch_size=160)) == 15  # 160, 80, 40, 20, then tens
    assert database.sql(sizes) == [(10,)]


def test_it_pauses_for_as_long_as_there_is_a_reason(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    database.sql(*TABLE, "CREATE TABLE reason (text text)", "INSERT INTO reason VALUES ('the replica is tired')")
    monkeypatch.setattr(UpdateBatch, "pressure", "SELECT text FROM public.reason")
    monkeypatch.setattr(execute, "_GIVE_WAY_SECONDS", 0.01)
    waits: list[Waiting] = []

    def emit(event: Event) -> None:
        if isinstance(event, Waiting):
            waits.append(event)
            if len(waits) == 3:
                assert counts(database) == [(0, 100)], "before the first batch, too"
                database.sql("DELETE FROM reason")

    perform(database, lambda op: op.update_in_batches("t", ONE_MORE, **SMALL), on=emit)
    assert [wait.blockers for wait in waits] == [("the replica is tired",)] * 3
    assert counts(database) == [(1, ROWS)]


def test_the_reasons_are_replicas_that_lag_and_dead_rows_under_vacuum(database: Database) -> None:
    database.sql("CREATE TABLE t (id int PRIMARY KEY, n int DEFAULT 0) WITH (autovacuum_enabled = off)")
    database.sql("INSERT INTO t SELECT generate_series(1, 30000)", "UPDATE t SET n = 0")
    with pytest.raises(Stopped):
        perform(database, lambda op: op.update_in_batches("t", ONE_MORE, **SMALL), on=stopped_after(1))
    pressure = step(database).pressure
    assert pressure is not None
    assert database.sql(pressure) == []
    late = pressure.replace(
        "FROM pg_stat_replication r",
        "FROM (VALUES ('east', NULL::inet, 1, interval '11.26 s', NULL::pg_lsn, NULL::timestamptz), "
        "('west', NULL, 1, '9 s', NULL, NULL), ('north', NULL, 1, '9 s', '0/1', now() - interval '12.2 s'), "
        "('idle', NULL, 1, '1 s', pg_current_wal_flush_lsn(), now() - interval '1 hour')) r "
        "(application_name, client_addr, pid, replay_lag, flush_lsn, reply_time)",
    )
    assert {text.rpartition(".")[0] for (text,) in database.sql(late)} == {
        "replica east lags 11",
        "replica north has not answered for 12",
    }
    with database.connect() as vacuum:
        vacuum.execute("SET vacuum_cost_delay = 100; SET vacuum_cost_limit = 1")

        def clean() -> None:
            with suppress(psycopg.errors.QueryCanceled):
                vacuum.execute("VACUUM t")

        thread = threading.Thread(target=clean)
        thread.start()
        wait_until(lambda: database.sql(pressure))
        assert "of the rows of public.t are dead, and vacuum is at work" in database.sql(pressure)[0][0]
        database.sql("UPDATE schema_kit.batch_progress SET batch_at = now() - interval '61 s'")
        assert database.sql(pressure) == [], "a batch goes through every minute, whoever lags"
        vacuum.cancel()
        thread.join()
    assert step(database, max_replica_lag=None, max_dead_share=None).pressure is None


def test_a_script_holds_one_plain_update() -> None:
    script = offline(lambda op: op.update_in_batches("t", {"n": 1}, where="n IS NULL", schema="S"))
    assert '\nUPDATE "S"."t" SET "n" = 1 WHERE n IS NULL;\n' in script
    assert "SET LOCAL row_security = 'off';" in script
    assert "-- update S.t in one statement: this script is for a database that was empty at base" in script


def test_inside_a_transaction_it_takes_alembics_autocommit_block(database: Database) -> None:
    database.sql(*TABLE)
    url = sa.make_url(database.url).set(drivername="postgresql+psycopg")
    with environment.connect(url) as connection:
        context = MigrationContext.configure(connection)
        with context.begin_transaction():
            made: Any = Operations(context)
            made.update_in_batches("t", ONE_MORE)
            with context.autocommit_block():
                made.update_in_batches("t", ONE_MORE, name="again")
    assert counts(database) == [(2, ROWS)]


def test_it_is_planned_in_four_steps_and_reported(database: Database) -> None:
    database.sql(*TABLE)
    started = [event.step.summary for event in update(database, name="run") if isinstance(event, StepStarted)]
    assert started == [
        "create schema_kit.batch_progress",
        "begin the update run",
        "update n of public.t in batches",
        "look for rows of public.t that were missed",
    ]
    assert QualifiedName("schema_kit", "batch_progress").sql in render(step(database, name="run 2"), QUICK)[-2]
