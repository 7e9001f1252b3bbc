"""A table that is updated in batches, ten rows at a time."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations

from schema_kit.catalog import Catalog
from schema_kit.execute import Event, StepProgress
from schema_kit.script import LockPolicy
from schema_kit.steps.batches import UpdateBatch
from tests.support.database import QUICK, Database
from tests.support.matrix import perform
from tools.operations_chapter import Recorder

ROWS = 100
TABLE = (
    "CREATE TABLE t (id bigint PRIMARY KEY, n int NOT NULL DEFAULT 0, touched int NOT NULL DEFAULT 0, word text)",
    f"INSERT INTO t (id, word) SELECT i, 'w' || i FROM generate_series(1, {ROWS}) i",
)
ONE_MORE = {"n": sa.text("n + 1")}
SMALL: dict[str, Any] = {"batch_size": 10, "target_seconds": 1e-6}  # ten rows at a time, as small as it gets


class Stopped(Exception):
    """A run was stopped by the test."""


def update(
    database: Database, values: Any = None, table: str = "t", policy: LockPolicy = QUICK, **options: Any
) -> list[Event]:
    """Run the operation as a program outside of migrations does: on an autocommit connection."""
    events: list[Event] = []
    perform(
        database,
        lambda op: op.update_in_batches(table, values or ONE_MORE, **SMALL | options),
        on=events.append,
        policy=policy,
    )
    return events


def batches(events: list[Event]) -> int:
    return sum(isinstance(event, StepProgress) for event in events)


def stopped_after(count: int) -> Callable[[Event], None]:
    events: list[Event] = []

    def emit(event: Event) -> None:
        events.append(event)
        if batches(events) >= count:
            raise Stopped

    return emit


def counts(database: Database, table: str = "t") -> list[tuple[Any, ...]]:
    return database.sql(f"SELECT n, count(*)::int FROM {table} GROUP BY n ORDER BY n")


def step(database: Database, **options: Any) -> UpdateBatch:
    """The step that sends the batches, as it is planned."""
    op = Recorder()
    op.update_in_batches("t", ONE_MORE, **SMALL | options)
    last = op.tasks[0](Catalog(database.sqlalchemy())).steps[-1]
    assert isinstance(last, UpdateBatch)
    return last


def offline(operate: Callable[[Any], None]) -> str:
    script = io.StringIO()
    context = MigrationContext.configure(dialect_name="postgresql", opts={"as_sql": True, "output_buffer": script})
    operate(Operations(context))
    return script.getvalue()
