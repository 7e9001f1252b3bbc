"""What a refusal says after steps were committed: which, what they leave, how to go on, how to abort."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
import sqlalchemy as sa

import schema_kit
from schema_kit import environment, op, report
from schema_kit.errors import ExecutionError, PlanError
from schema_kit.execute import Event, StepDone
from schema_kit.script import LockPolicy
from tests.support.database import Database

pytestmark = [pytest.mark.steps, pytest.mark.majors]

QUICK = LockPolicy(first=50, longest=200, attempts=6)

PLAIN = (
    "CREATE TABLE t (id bigint PRIMARY KEY, at timestamptz NOT NULL, v int, other text)",
    "INSERT INTO t SELECT g, now() - g * interval '9 days', g FROM generate_series(1, 30) g",
)
SET = (
    "CREATE TABLE t (id bigint, at timestamptz NOT NULL, v int, other text, PRIMARY KEY (id, at)) "
    "PARTITION BY RANGE (at)",
    "CREATE TABLE t_old PARTITION OF t FOR VALUES FROM (MINVALUE) TO ('2026-01-01 00:00+00')",
    "CREATE TABLE t_default PARTITION OF t DEFAULT",
    "INSERT INTO t SELECT g, '2025-12-20'::timestamptz - g * interval '9 days', g FROM generate_series(1, 30) g",
    "INSERT INTO t SELECT g, '2026-02-20'::timestamptz + g * interval '9 days', g FROM generate_series(31, 40) g",
)


@dataclass(frozen=True)
class Case:
    """An operation, and what others do in its middle so that it cannot go on."""

    operate: Callable[[], None]
    meanwhile: str
    reason: str
    before: tuple[str, ...] = PLAIN
    abort: str = ""
    lingers: str = ""
    first: Callable[[], None] | None = None


def _convert(strategy: str) -> Callable[[], None]:
    return lambda: op.convert_to_partitioned("t", "at", "1 month", strategy=strategy)  # type: ignore[arg-type]


def _policy() -> None:
    op.set_partition_policy("t", control="at", interval="1 month")


UNPROVED = "ALTER TABLE t ADD CONSTRAINT late CHECK (v > 0) NOT VALID"
INHERITED = "CREATE TABLE heir () INHERITS (t)"

CASES = {
    "attach": Case(_convert("attach"), UNPROVED, "check late", abort="partitions convert public.t --abort"),
    "attach_inherited": Case(_convert("attach"), INHERITED, "heir", lingers="check schema_kit_bound refuses rows"),
    "copy": Case(
        _convert("copy"),
        UNPROVED,
        "check late",
        abort="partitions convert public.t --abort",
        lingers="trigger schema_kit_copy_log",
    ),
    "drain": Case(
        lambda: op.drain_default_concurrently("t"),
        "CREATE VIEW late AS SELECT * FROM t_default",
        "view public.late",
        SET,
        "partitions drain-default public.t --abort",
        "trigger schema_kit_copy_log",
        _policy,
    ),
    "split": Case(
        lambda: op.split_partition_concurrently("t", "t_old"),
        "CREATE VIEW late AS SELECT * FROM t_old",
        "view public.late",
        SET,
        "partitions split public.t_old --abort",
        "trigger schema_kit_copy_log",
        _policy,
    ),
    "create_index": Case(
        lambda: op.create_index_concurrently("ix", "t", ["v"]),
        "DROP INDEX IF EXISTS ix; CREATE INDEX ix ON t (other)",
        "has another definition than the declared one",
        SET,
        "op.drop_index_concurrently('ix'",
    ),
    "replace_index": Case(
        lambda: op.replace_index_concurrently("ix", "t", ["v"]),
        "ALTER TABLE t REPLICA IDENTITY USING INDEX ix",
        "replica identity",
        (*PLAIN, "ALTER TABLE t ALTER v SET NOT NULL", "CREATE UNIQUE INDEX ix ON t (v, id)"),
    ),
    "add_column": Case(
        lambda: op.add_column_concurrently(
            "t", sa.Column("c", sa.Integer, server_default=sa.text("(random() * 9)::int"))
        ),
        "ALTER TABLE t ALTER c TYPE bigint",
        "c",
    ),
    "foreign_key": Case(
        lambda: op.create_foreign_key_concurrently("late", "t", "r", ["v"], ["id"]),
        "ALTER TABLE t DROP CONSTRAINT late, ADD CONSTRAINT late FOREIGN KEY (id) REFERENCES r NOT VALID",
        "late",
        (
            *PLAIN,
            "CREATE TABLE r (id int PRIMARY KEY, big bigint UNIQUE)",
            "INSERT INTO r SELECT generate_series(1, 90)",
        ),
    ),
    "check": Case(
        lambda: op.create_check_constraint_concurrently("late", "t", "v > 0"),
        "ALTER TABLE t DROP CONSTRAINT late, ADD CONSTRAINT late CHECK (v < 99) NOT VALID",
        "says something else",
    ),
}


def _perform(database: Database, operate: Callable[[], None]) -> None:
    url = sa.make_url(database.url).set(drivername="postgresql+psycopg")
    with environment.connect(url, autocommit=True) as connection, schema_kit.operations(connection, policy=QUICK):
        operate()


@pytest.mark.parametrize("name", CASES)
def test_a_refusal_after_a_commit_says_what_is_committed(
    database: Database, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    case, done = CASES[name], list[str]()
    database.sql(*case.before)
    if case.first:
        _perform(database, case.first)

    def tell(event: Event) -> None:
        if isinstance(event, StepDone):
            done.append(event.step.summary)
            if len(done) == _when(name):
                database.sql(case.meanwhile)

    monkeypatch.setattr(report, "to_logging", tell)
    with pytest.raises(ExecutionError) as refused:
        _perform(database, case.operate)
    said = str(refused.value)
    assert refused.value.exit_code == 1
    assert "Nothing was changed" not in said
    assert case.reason in said
    count = f"{len(done)} step{'s' if len(done) > 1 else ''} of this run {'are' if len(done) > 1 else 'is'} committed"
    assert count in said, said
    assert all(summary in said for summary in (*done[:3], done[-1]))
    assert "run it again" in said
    assert case.abort in said
    assert case.lingers in said


def _when(name: str) -> int:
    """After which step others come: where the rest is decided again, and the table is still what it was."""
    return {"attach": 3, "attach_inherited": 3, "copy": 3, "drain": 3, "split": 3}.get(name, 1)


@pytest.mark.parametrize("name", ["check", "attach", "create_index"])
def test_a_refusal_before_any_commit_says_that_nothing_was_changed(database: Database, name: str) -> None:
    database.sql(*CASES[name].before, "ALTER TABLE t RENAME TO gone")
    with pytest.raises(PlanError, match="Nothing was changed"):
        _perform(database, CASES[name].operate)
