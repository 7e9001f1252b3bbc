"""Updates in batches, enum values and refreshes, decided without a server."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schema_kit.errors import PlanError
from schema_kit.model import BatchRun, BatchTarget, KeyColumn, MaterializedView, Stored
from schema_kit.names import QualifiedName
from schema_kit.plans import enums, views
from schema_kit.plans.batches import run_name, update_in_batches
from schema_kit.script import LockPolicy, render, write
from schema_kit.steps.batches import Change, StartBatches, UpdateAtOnce, UpdateBatch
from schema_kit.steps.enums import AddEnumValue
from schema_kit.steps.storage import EnsureTable
from schema_kit.steps.views import RefreshMaterializedView

pytestmark = pytest.mark.columns

T = QualifiedName("S", "ta.ble")
CHANGE = Change(T, (('Na"me', "lower(x) -- so"), ("n", "n + 1")), "n > 0")
BATCH = UpdateBatch("run", CHANGE, (), 0.5, 10.0, 0.2)
KEY = (KeyColumn("id", "bigint"), KeyColumn("at", "timestamp with time zone", moment=True))
TARGET = BatchTarget(KEY, (("id", 1), ("at", 2), ('Na"me', 3), ("n", 5)), 77)
RUN = BatchRun(str(T), str(CHANGE), "77:3,5", ("id", "at"))


def kinds(target: BatchTarget) -> list[type]:
    return [type(step) for step in update_in_batches(BATCH, 1000, target).steps]


def test_what_is_left_is_decided_from_what_exists() -> None:
    there = replace(TARGET, has_progress=Stored.CURRENT)
    assert kinds(TARGET) == [EnsureTable, StartBatches, UpdateBatch]
    assert kinds(there) == [StartBatches, UpdateBatch]
    assert kinds(replace(there, run=RUN)) == [UpdateBatch]
    assert kinds(replace(there, run=replace(RUN, finished=True))) == []
    assert kinds(replace(there, run=replace(RUN, finished=True, target="77:3,4"))) == [StartBatches, UpdateBatch]
    assert kinds(replace(there, run=replace(RUN, target="78:3,5"))) == [UpdateBatch]
    with pytest.raises(PlanError, match="began in the order of"):
        kinds(replace(there, run=replace(RUN, key=("id",))))


def test_the_name_depends_on_what_is_done_and_not_on_the_order_it_is_said_in() -> None:
    other = replace(CHANGE, assignments=CHANGE.assignments[::-1])
    assert run_name(CHANGE) == run_name(other)
    assert run_name(CHANGE).startswith('S."ta.ble" ')
    names = {run_name(replace(CHANGE, where=None)), run_name(replace(CHANGE, table=T.sibling("t"))), run_name(CHANGE)}
    assert len(names) == 3


def test_a_batch_is_one_statement_under_its_own_settings() -> None:
    batch = replace(BATCH, key=KEY)
    begin, *settings, statement, commit = render(batch, LockPolicy(), 100)
    assert (begin, commit) == ("BEGIN", "COMMIT")
    assert settings == [
        "SET LOCAL transaction_isolation = 'read committed'",
        "SET LOCAL enable_seqscan = 'off'",
        "SET LOCAL enable_bitmapscan = 'off'",
        "SET LOCAL enable_sort = 'off'",
        "SET LOCAL jit = 'off'",
        "SET LOCAL row_security = 'off'",
        "SET LOCAL lock_timeout = '100ms'",
        "SET LOCAL statement_timeout = '0ms'",
    ]
    assert 'SET "Na""me" = lower(x) -- so\n, "n" = n + 1\n' in statement
    assert "to_jsonb(schema_kit_key_2)" in statement, "moments do not depend on DateStyle"
    assert (
        '("id", "at") OPERATOR("pg_catalog".>) ((SELECT (last_key ->> 0)::bigint FROM schema_kit_at), '
        "(SELECT (last_key ->> 1)::timestamp with time zone FROM schema_kit_at))"
    ) in statement
    assert "SKIP LOCKED" not in statement, "a row that is passed over would be lost"


def test_keys_whose_operators_live_apart_are_compared_one_by_one() -> None:
    key = (KeyColumn("a", "ext.citext", "ext"), KeyColumn("b", "integer"), KeyColumn("c", "integer"))
    (statement,) = replace(BATCH, key=key).sql()
    a = "(SELECT (last_key ->> 0)::ext.citext FROM schema_kit_at)"
    rest = ", ".join(f"(SELECT (last_key ->> {place})::integer FROM schema_kit_at)" for place in (1, 2))
    assert (
        f'("a" OPERATOR("ext".>=) {a} AND ("a" OPERATOR("ext".>) {a} OR ("b", "c") OPERATOR("pg_catalog".>) ({rest})))'
    ) in statement


def test_a_dry_run_says_that_batches_are_repeated() -> None:
    plan = update_in_batches(BATCH, 1000, TARGET)
    assert "-- repeated, a commit each time, until no row is left" in write(plan, LockPolicy())
    assert UpdateAtOnce(CHANGE).sql()[0].endswith(" WHERE n > 0")


def test_a_comment_that_ends_the_where_takes_nothing_along() -> None:
    change = replace(CHANGE, where="n > 0 -- so")
    assert UpdateAtOnce(change).sql()[0].endswith(" WHERE n > 0 -- so\n")
    assert "(n > 0 -- so\n)" in replace(BATCH, key=KEY, change=change).sql()[0]


def test_a_refresh_of_a_view_that_was_filled_in_the_plain_way_is_done() -> None:
    view = QualifiedName("s", "m")
    assert RefreshMaterializedView(view, concurrently=False) == RefreshMaterializedView(view)
    (step,) = views.refresh(view, MaterializedView(populated=False, unique=True)).steps
    assert step.sql() == ('REFRESH MATERIALIZED VIEW "s"."m"',)
    (step,) = views.refresh(view, MaterializedView(populated=True, unique=True)).steps
    assert step.sql() == ('REFRESH MATERIALIZED VIEW CONCURRENTLY "s"."m"',)


def test_an_existing_value_is_left() -> None:
    wanted = AddEnumValue(QualifiedName("s", "e"), "b", "AFTER", "a")
    assert enums.add_value(wanted, ("a",)).steps == (wanted,)
    assert enums.add_value(wanted, ("a", "x", "b")).steps == ()
    with pytest.raises(PlanError, match="PostgreSQL moves no value"):
        enums.add_value(wanted, ("b", "a"))
