"""A matrix of operations x shapes: what each is run on, and what the ordinary, blocking statements make of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext

from schema_kit import report
from schema_kit.execute import Event, StepDone
from schema_kit.ops import Settings
from schema_kit.script import LockPolicy
from tests.support.database import QUICK, Database

COLUMNS = "id bigint NOT NULL, k int NOT NULL, v int DEFAULT 1, ref bigint, word varchar(20)"
SHAPES: dict[str, tuple[str, ...]] = {
    "plain": (f"CREATE TABLE s.t ({COLUMNS})",),
    "partitioned": (
        f"CREATE TABLE s.t ({COLUMNS}) PARTITION BY RANGE (k)",
        "CREATE TABLE s.t1 PARTITION OF s.t FOR VALUES FROM (0) TO (5)",
        "CREATE TABLE s.t2 PARTITION OF s.t FOR VALUES FROM (5) TO (10)",
    ),
    "sub_partitioned": (
        f"CREATE TABLE s.t ({COLUMNS}) PARTITION BY RANGE (k)",
        "CREATE TABLE s.t1 PARTITION OF s.t FOR VALUES FROM (0) TO (5) PARTITION BY LIST (v)",
        "CREATE TABLE s.t1a PARTITION OF s.t1 FOR VALUES IN (1)",
        "CREATE TABLE s.t1b PARTITION OF s.t1 DEFAULT",
        "CREATE TABLE s.t2 PARTITION OF s.t FOR VALUES FROM (5) TO (10)",
    ),
}
ROWS = (
    "CREATE TABLE s.r (id bigint PRIMARY KEY)",
    "INSERT INTO s.r SELECT generate_series(1, 50)",
    "INSERT INTO s.t SELECT i, i % 10, 1 + i % 3, 1 + i % 50, 'w' || i FROM generate_series(1, 500) i",
)

# Whether a NOT NULL of a partition is its own as well as inherited depends on how its primary key came to be.
STATE = """
SELECT 'column', c.relname, a.attname, format_type(a.atttypid, a.atttypmod) || a.attnotnull
       || coalesce(pg_get_expr(d.adbin, d.adrelid), '')
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p')
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relnamespace = 's'::regnamespace AND a.attnum > 0 AND NOT a.attisdropped
UNION ALL
SELECT 'constraint', c.relname, CASE WHEN c.relispartition THEN '' ELSE k.conname END,
       pg_get_constraintdef(k.oid) || k.convalidated || (k.conparentid <> 0) || k.coninhcount
       || (k.contype <> 'n' AND k.conislocal)
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid WHERE c.relnamespace = 's'::regnamespace
UNION ALL
SELECT 'index', c.relname, CASE WHEN c.relispartition THEN '' ELSE i.relname END,
       regexp_replace(pg_get_indexdef(i.oid), '^.* USING ', '') || x.indisunique || x.indisvalid || x.indisready
       || EXISTS (SELECT 1 FROM pg_inherits WHERE inhrelid = i.oid)
FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid
WHERE c.relnamespace = 's'::regnamespace
"""

Operate = Callable[[Any], None]


def build(database: Database, shape: str) -> None:
    """The tables of a shape, with rows in them."""
    database.sql("DROP SCHEMA IF EXISTS s CASCADE", "CREATE SCHEMA s", *SHAPES[shape], *ROWS)


def state(database: Database) -> list[tuple[Any, ...]]:
    """Columns, constraints and indexes; names of those on partitions left out, as PostgreSQL makes them up itself."""
    return sorted(database.sql(STATE))


def thinned(values: Iterable[object], *kept: object) -> list[Any]:
    """Values of a matrix for parametrize: those that are kept are tried in a plain run, the others in a longer one."""
    return [value if value in kept else pytest.param(value, marks=pytest.mark.exhaustive) for value in values]


def longer(values: Iterable[Any], *named: Any, mark: pytest.MarkDecorator = pytest.mark.exhaustive) -> list[Any]:
    """The other way round: those that are named take longer, and are left to a longer run."""
    return [pytest.param(value, marks=mark) if value in named else value for value in values]


class Stopped(Exception):
    """A run was stopped by the test."""


@contextmanager
def told(monkeypatch: pytest.MonkeyPatch, stop_after: int | None = None) -> Iterator[list[Event]]:
    """Collect events; raise after so many steps are committed, as a crash would."""
    events: list[Event] = []

    def emit(event: Event) -> None:
        events.append(event)
        if stop_after is not None and sum(isinstance(e, StepDone) for e in events) >= stop_after:
            raise Stopped

    with monkeypatch.context() as patch:
        patch.setattr(report, "to_logging", emit)
        yield events


def perform(
    database: Database, operate: Operate, policy: LockPolicy = QUICK, on: Callable[[Event], None] | None = None
) -> None:
    """Run operations as a program outside of migrations does: on an autocommit connection."""
    with pytest.MonkeyPatch.context() as patch, database.sqlalchemy() as connection:
        if on:
            patch.setattr(report, "to_logging", on)
        operate(Operations(MigrationContext.configure(connection, opts={"schema_kit": Settings(policy=policy)})))
