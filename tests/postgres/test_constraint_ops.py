"""Constraints during traffic: on every shape, again, stopped anywhere, and with a blocker."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from schema_kit.errors import ExecutionError, LockNotAvailable, PlanError
from schema_kit.execute import StepDone, StepStarted, Waiting
from tests.support.database import Database
from tests.support.locks import busy
from tests.support.matrix import SHAPES, Operate, Stopped, build, perform, state, thinned, told
from tests.support.operations import CONSTRAINTS, Case

pytestmark = [pytest.mark.constraints, pytest.mark.majors]

matrix = pytest.mark.parametrize("shape", thinned(SHAPES, "partitioned"))
each = pytest.mark.parametrize("name", CONSTRAINTS)


def _expected(database: Database, case: Case, shape: str) -> list[tuple[Any, ...]]:
    build(database, shape)
    database.sql(*case.before, case.blocking)
    expected = state(database)
    build(database, shape)
    database.sql(*case.before)
    return expected


@matrix
@each
def test_same_end_as_the_blocking_way_again_and_stopped_anywhere(
    database: Database, monkeypatch: pytest.MonkeyPatch, name: str, shape: str
) -> None:
    case = CONSTRAINTS[name]
    expected = _expected(database, case, shape)
    with told(monkeypatch) as events:
        perform(database, case.operate)
    assert state(database) == expected
    steps = sum(isinstance(event, StepDone) for event in events)
    assert steps > 0
    with told(monkeypatch) as events:
        perform(database, case.operate)
    assert events == [], "a second run has nothing to do"
    for stop_after in range(1, steps):
        build(database, shape)
        database.sql(*case.before)
        with told(monkeypatch, stop_after), pytest.raises(Stopped):
            perform(database, case.operate)
        with told(monkeypatch) as events:
            perform(database, case.operate)
        assert state(database) == expected, f"stopped after {stop_after} of {steps}"
        assert sum(isinstance(event, StepStarted) for event in events) <= steps, "work that was done is not done again"


@pytest.mark.parametrize("shape", thinned(SHAPES, "plain"))
@each
def test_waits_for_a_writer_and_names_it(
    database: Database, monkeypatch: pytest.MonkeyPatch, name: str, shape: str
) -> None:
    case = CONSTRAINTS[name]
    expected = _expected(database, case, shape)
    with told(monkeypatch) as events, busy(database, "INSERT INTO s.t VALUES (1000, 1, 1, 1)"):
        perform(database, case.operate)
    assert state(database) == expected
    waits = [event for event in events if isinstance(event, Waiting)]
    # VALIDATE and a concurrent build work next to a writer or wait without blocking a session.
    assert waits or name.startswith(("validate", "unique"))
    others = "No blocking session", "autovacuum:"  # which may come along, and gives way by itself
    seen = [text for wait in waits for text in wait.blockers if not any(other in text for other in others)]
    assert all("RowExclusiveLock on s.t" in text or "RowShareLock on s.r" in text for text in seen), seen


@pytest.mark.exhaustive
def test_aborts_and_names_the_blockers(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    build(database, "plain")
    before = state(database)
    other = database.connect(autocommit=False)
    other.execute("SET application_name = 'nightly report'")
    other.execute("SELECT count(*) FROM s.t WHERE word = 'a secret'")
    with told(monkeypatch), pytest.raises(LockNotAvailable) as refused:
        perform(database, CONSTRAINTS["check"].operate)
    message = str(refused.value)
    assert "nightly report" in message
    assert f"pid {other.info.backend_pid}" in message
    assert "a secret" not in message
    assert state(database) == before


@matrix
def test_orphans_are_counted_and_shown(database: Database, shape: str) -> None:
    build(database, shape)
    database.sql("INSERT INTO s.t SELECT i, i % 10, 1, 777 FROM generate_series(501, 504) i")
    with pytest.raises(ExecutionError, match=r"rows of s\.t\w* refer to rows of s\.r that are not there") as refused:
        perform(database, CONSTRAINTS["foreign_key"].operate)
    assert "(ref) = (777), " in str(refused.value)
    assert refused.value.sqlstate == "23503"


@matrix
@pytest.mark.parametrize(
    ("name", "row", "sqlstate"),
    [("check", "(900, 1, 9, 1)", "23514"), ("not_null", "(900, 1, 1, NULL)", "23502")],
)
def test_rows_that_fail_are_counted(database: Database, shape: str, name: str, row: str, sqlstate: str) -> None:
    build(database, shape)
    database.sql(f"INSERT INTO s.t (id, k, v, ref) VALUES {row}")
    with pytest.raises(ExecutionError, match=r"1 rows of s\.t\w* stand in the way") as refused:
        perform(database, CONSTRAINTS[name].operate)
    assert refused.value.sqlstate in (sqlstate, "23514")  # up to 17, NOT NULL is validated by a check


@pytest.mark.parametrize(
    ("there", "operate"),
    [
        ("ALTER TABLE s.t ADD CONSTRAINT t_v_check CHECK (v > 0)", CONSTRAINTS["check"].operate),
        (
            "ALTER TABLE s.t ADD CONSTRAINT t_ref_fkey FOREIGN KEY (ref) REFERENCES s.r",
            CONSTRAINTS["foreign_key"].operate,
        ),
        (
            "ALTER TABLE s.t ADD CONSTRAINT t_ref_fkey FOREIGN KEY (ref) REFERENCES s.r ON DELETE SET NULL (ref)",
            lambda op: op.create_foreign_key_concurrently(
                "t_ref_fkey", "t", "r", ["ref"], ["id"], ondelete="SET NULL", source_schema="s", referent_schema="s"
            ),
        ),
        ("ALTER TABLE s.t ADD CONSTRAINT t_key UNIQUE (id)", CONSTRAINTS["unique"].operate),
        ("ALTER TABLE s.t ADD CONSTRAINT t_key UNIQUE (id, k, v) DEFERRABLE", CONSTRAINTS["unique"].operate),
        ("ALTER TABLE s.t ADD CONSTRAINT t_key UNIQUE (id, k, v)", CONSTRAINTS["unique_deferrable"].operate),
        ("ALTER TABLE s.t ADD CONSTRAINT t_key UNIQUE (id, k, v) INCLUDE (word)", CONSTRAINTS["unique"].operate),
        ("ALTER TABLE s.t ADD CONSTRAINT t_key UNIQUE NULLS NOT DISTINCT (id, k, v)", CONSTRAINTS["unique"].operate),
        ("CREATE UNIQUE INDEX t_key ON s.t (id, k, v) NULLS NOT DISTINCT", CONSTRAINTS["unique"].operate),
        ("CREATE UNIQUE INDEX t_key ON s.t (id, k, v) WHERE v > 0", CONSTRAINTS["unique"].operate),
        ("CREATE INDEX t_key ON s.t (id, k, v)", CONSTRAINTS["unique"].operate),
        ("ALTER TABLE s.t ADD CONSTRAINT t_key CHECK (v > 0)", CONSTRAINTS["unique"].operate),
        ("CREATE INDEX t_key ON s.r (id)", CONSTRAINTS["unique"].operate),
        ("ALTER TABLE s.t ADD CONSTRAINT t_pkey UNIQUE (id, k, v)", CONSTRAINTS["primary_key"].operate),
        ("ALTER TABLE s.t ADD CONSTRAINT other PRIMARY KEY (id)", CONSTRAINTS["primary_key"].operate),
    ],
)
def test_the_same_name_with_another_meaning_is_refused(database: Database, there: str, operate: Operate) -> None:
    build(database, "plain")
    if database.connect().info.server_version < 150000 and ("NULLS NOT" in there or "SET NULL (" in there):
        pytest.skip("comes with PostgreSQL 15")
    database.sql(there)
    before = state(database)
    with pytest.raises(PlanError, match=r"declared:|already|of that name"):
        perform(database, operate)
    assert state(database) == before


@pytest.mark.parametrize(
    ("shape", "there", "operate", "says"),
    [
        (
            "partitioned",
            "CREATE UNIQUE INDEX t_key ON s.t (id, k, v)",
            CONSTRAINTS["unique"].operate,
            "Drop or rename it",
        ),
        ("partitioned", "CREATE UNIQUE INDEX t1_t_key ON s.t1 (id)", CONSTRAINTS["unique"].operate, "t1_t_key of s.t1"),
        (
            "sub_partitioned",
            "SELECT",
            lambda op: op.create_unique_constraint_concurrently("t_key", "t", ["id", "k"], schema="s"),
            "s.t1 is partitioned by v",
        ),
        (
            "partitioned",
            "ALTER TABLE s.t2 ADD CONSTRAINT t_ref_fkey FOREIGN KEY (ref) REFERENCES s.r",
            CONSTRAINTS["foreign_key"].operate,
            "t_ref_fkey of s.t2 exists",
        ),
    ],
)
def test_what_stands_in_the_way_below_is_found_before_the_first_step(
    database: Database, shape: str, there: str, operate: Operate, says: str
) -> None:
    build(database, shape)
    if "FOREIGN" in there and database.connect().info.server_version >= 180000:
        pytest.skip("PostgreSQL finds a name for each partition's itself")
    database.sql(there)
    before = state(database)
    with pytest.raises(PlanError, match=says):
        perform(database, operate)
    assert state(database) == before


def test_what_is_not_enforced_is_neither_validated_nor_taken_for_a_key(database: Database) -> None:
    build(database, "plain")
    if database.connect().info.server_version < 180000:
        pytest.skip("comes with PostgreSQL 18")
    database.sql(
        "ALTER TABLE s.t ADD CONSTRAINT t_ref_fkey FOREIGN KEY (ref) REFERENCES s.r ON DELETE CASCADE NOT ENFORCED",
        "ALTER TABLE s.t ADD CONSTRAINT mine CHECK (v > 0) NOT ENFORCED",
    )
    for name in ("t_ref_fkey", "mine"):
        with pytest.raises(PlanError, match="NOT ENFORCED"):
            perform(database, lambda op, name=name: op.validate_constraint(name, "t", schema="s"))  # type: ignore[misc]
    with pytest.raises(PlanError, match="NOT ENFORCED"):
        perform(database, CONSTRAINTS["foreign_key"].operate)


def test_of_two_keys_that_say_the_same_the_named_one_is_validated(database: Database) -> None:
    build(database, "plain")
    database.sql(
        "ALTER TABLE s.t ADD CONSTRAINT first FOREIGN KEY (ref) REFERENCES s.r",
        "ALTER TABLE s.t ADD CONSTRAINT second FOREIGN KEY (ref) REFERENCES s.r NOT VALID",
    )
    perform(database, lambda op: op.validate_constraint("second", "t", schema="s"))
    assert database.sql("SELECT convalidated FROM pg_constraint WHERE conname = 'second'") == [(True,)]


def test_mixed_nulls_of_a_full_match_are_counted(database: Database) -> None:
    build(database, "plain")
    database.sql("CREATE TABLE s.q (a bigint, b int, UNIQUE (a, b))", "TRUNCATE s.t", "INSERT INTO s.t VALUES (1, 1)")
    with pytest.raises(ExecutionError, match=r"1 rows of s\.t have NULL in one of \(ref, k\)"):
        perform(
            database,
            lambda op: op.create_foreign_key_concurrently(
                "f", "t", "q", ["ref", "k"], ["a", "b"], match="FULL", source_schema="s", referent_schema="s"
            ),
        )


def test_odd_names(database: Database) -> None:
    table, column, name = 'Tä"ble.ตาราง', 'Col"umn %s', "ก" * 21
    quoted = '"' + table.replace('"', '""') + '"'
    database.sql(
        'CREATE SCHEMA "S.ch"',
        f'CREATE TABLE "S.ch".{quoted} ("Col""umn %s" int)',
        f'INSERT INTO "S.ch".{quoted} SELECT generate_series(1, 9)',
    )

    def operate(op: Any) -> None:
        op.set_not_null_concurrently(table, column, schema="S.ch")
        op.create_unique_constraint_concurrently(name, table, [column], schema="S.ch")
        op.create_check_constraint_concurrently("C'heck", table, sa.column(column, sa.Integer) % 10 > 0, schema="S.ch")
        op.create_foreign_key_concurrently(
            "F.k", table, table, [column], [column], source_schema="S.ch", referent_schema="S.ch"
        )

    perform(database, operate)
    found = database.sql(
        "SELECT conname FROM pg_constraint WHERE connamespace = '\"S.ch\"'::regnamespace AND convalidated"
    )
    assert {name, "C'heck", "F.k"} <= {row[0] for row in found}
    perform(database, operate)
