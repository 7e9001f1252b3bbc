"""Conversions that are stopped at any step: they resume, and go back, and are aborted."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import pytest

from schema_kit import execute
from schema_kit.catalog import Catalog
from schema_kit.catalog.session import rows
from schema_kit.errors import SchemaKitError
from schema_kit.model import Partitioning
from schema_kit.steps import conversion
from schema_kit.steps.indexes import CreateIndexConcurrently
from schema_kit.tasks.conversion import Convert
from schema_kit.tasks.conversion import unpartition as plan_unpartition
from tests.support.catalog import changes, facts, without_config
from tests.support.conversion import (
    PLAIN,
    Stopped,
    T,
    convert,
    scene,
    set_up,
    stopping_after,
    threads,
    unpartition,
    until,
)
from tests.support.database import QUICK, Database
from tests.support.tables import checksum

pytestmark = [pytest.mark.conversion, pytest.mark.majors]


@pytest.mark.deep
def test_a_conversion_goes_on_from_wherever_it_was_stopped(database: Database) -> None:
    database.sql(*scene())
    rows = checksum(database, "app.t")
    steps = convert(database, T, incoming="composite")
    whole = facts(database)
    assert len(steps) >= 12
    for count in range(1, len(steps)):
        set_up(database, *scene())
        with pytest.raises(Stopped):
            convert(database, T, incoming="composite", emit=stopping_after(count))
        convert(database, T, incoming="composite")
        assert facts(database) == whole, f"stopped after {count}: {steps[count - 1].summary}"
        assert checksum(database, "app.t")[0] == rows[0]
        assert convert(database, T, incoming="composite") == ()


@pytest.mark.exhaustive
def test_a_conversion_is_aborted_wherever_it_was_stopped(database: Database) -> None:
    database.sql(*scene())
    steps = convert(database, T, incoming="composite")
    swap = next(place for place, step in enumerate(steps) if isinstance(step, conversion.Swap))
    for count in range(1, swap + 1):
        set_up(database, *scene())
        before = facts(database)
        with pytest.raises(Stopped):
            convert(database, T, incoming="composite", emit=stopping_after(count))
        unpartition(database, T)
        left = without_config(facts(database))
        assert left.keys() == before.keys(), f"stopped after {count}: {steps[count - 1].summary}"
        assert changes(before, left, "physical") - {("sequence", "app.t_id_seq")} == set()
        assert unpartition(database, T) == ()


def test_giving_up_leaves_what_is_not_a_conversions(database: Database) -> None:
    database.sql(
        *PLAIN,
        "CREATE TABLE app.t__new (id bigint, at timestamptz) PARTITION BY RANGE (at)",
        "CREATE UNIQUE INDEX t__key ON app.t (id, at)",
        "ALTER TABLE app.t ADD CONSTRAINT schema_kit_bound CHECK (id > 0)",
    )
    before = facts(database)
    assert unpartition(database, T) == ()
    assert facts(database) == before


@pytest.mark.exhaustive
def test_stopped_after_each_step_in_turn(database: Database) -> None:
    database.sql(*scene())
    steps = convert(database, T, incoming="composite")
    whole = facts(database)
    set_up(database, *scene())
    stops = 0
    while True:
        try:
            convert(database, T, incoming="composite", emit=stopping_after(1))
            break
        except Stopped:
            stops += 1
            assert stops <= 2 * len(steps)
    assert facts(database) == whole


@pytest.mark.exhaustive
def test_the_rollback_resumes_wherever_it_was_stopped(database: Database) -> None:
    database.sql(*scene())
    whole = facts(database)
    convert(database, T, incoming="composite")
    count = 0
    while True:
        count += 1
        connection = database.sqlalchemy()
        try:
            decide = partial(plan_unpartition, Catalog(connection), T)
            execute.run(connection, decide, QUICK, stopping_after(1))
            break
        except Stopped:
            assert count < 20
    assert count > 2
    assert changes(whole, without_config(facts(database)), "physical") == set()


def test_a_build_that_was_ended_in_the_middle_is_done_again(database: Database) -> None:
    database.sql(*scene())
    with pytest.raises(Stopped):
        convert(database, T, incoming="drop", emit=until(CreateIndexConcurrently))
    holder = database.connect(autocommit=False)
    holder.execute("LOCK TABLE app.t IN ROW EXCLUSIVE MODE")
    connection, build = (
        database.sqlalchemy(),
        Convert(Partitioning(T, "at", "1 mon", premake=2), "drop", "attach"),
    )
    pid = rows(connection, "SELECT pg_backend_pid()")[0][0]

    def end(over: Callable[[], bool]) -> None:
        waits = f"SELECT 1 FROM pg_locks WHERE pid = {pid} AND NOT granted AND locktype = 'virtualxid'"
        end = time.monotonic() + 30
        while not over() and not database.sql(waits) and time.monotonic() < end:
            time.sleep(0.01)
        database.sql(f"SELECT pg_terminate_backend({pid})")

    with threads(end) as raised, pytest.raises(SchemaKitError, match="terminating connection"):
        execute.run(connection, lambda: build.plan(Catalog(connection)), QUICK, database.events.append)
    assert raised == []
    holder.rollback()
    assert database.sql("SELECT indisvalid FROM pg_index WHERE indexrelid = 'app.t__key'::regclass") == [(False,)]
    convert(database, T, incoming="drop")
    assert database.sql("SELECT count(*) FROM pg_index WHERE NOT indisvalid") == [(0,)]
