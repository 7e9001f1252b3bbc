"""Values of enums in commits of their own, and materialized views refreshed while they are read."""

from __future__ import annotations

import io
import threading
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations

from schema_kit import environment
from schema_kit.errors import DeclarationError, LockNotAvailable, PlanError
from schema_kit.execute import Event, StepStarted, Waiting
from schema_kit.script import LockPolicy
from tests.support.database import QUICK, Database
from tests.support.matrix import Operate, perform

pytestmark = [pytest.mark.columns, pytest.mark.majors]


def performed(database: Database, operate: Operate, policy: LockPolicy = QUICK, on: Any = None) -> list[str]:
    """Run operations; what they did is returned."""
    told: list[str] = []

    def emit(event: Event) -> None:
        if isinstance(event, StepStarted):
            told.append(event.step.summary)
        if on:
            on(event)

    perform(database, operate, policy, emit)
    return told


def offline(operate: Operate) -> str:
    script = io.StringIO()
    context = MigrationContext.configure(dialect_name="postgresql", opts={"as_sql": True, "output_buffer": script})
    operate(Operations(context))
    return script.getvalue()


# Enums


def labels(database: Database, enum: str = "mood") -> list[str]:
    return [row[0] for row in database.sql(f"SELECT unnest(enum_range(NULL::{enum}))::text")]


def test_a_value_comes_where_it_is_asked_for_and_once(database: Database) -> None:
    database.sql("CREATE TYPE mood AS ENUM ('good', 'bad')", "CREATE TABLE t (mood mood)")

    def operate(op: Any) -> None:
        op.add_enum_value_concurrently("mood", "last")
        op.add_enum_value_concurrently("mood", "first", before="good")
        op.add_enum_value_concurrently("mood", "middle", after="good")

    assert performed(database, operate) == [
        "add value 'last' to enum public.mood",
        "add value 'first' to enum public.mood before 'good'",
        "add value 'middle' to enum public.mood after 'good'",
    ]
    assert labels(database) == ["first", "good", "middle", "bad", "last"]
    assert performed(database, operate) == []


def test_a_value_can_be_used_at_once_in_the_migration_that_adds_it(database: Database) -> None:
    database.sql("CREATE TYPE mood AS ENUM ('good')", "CREATE TABLE t (mood mood)")
    url = sa.make_url(database.url).set(drivername="postgresql+psycopg")
    with environment.connect(url) as connection:
        context = MigrationContext.configure(connection)
        with context.begin_transaction():
            op: Any = Operations(context)
            op.add_enum_value_concurrently("mood", "bad")
            op.execute("INSERT INTO t VALUES ('bad')")
            with context.autocommit_block():
                op.add_enum_value_concurrently("mood", "worse", after="bad")
            op.execute("INSERT INTO t VALUES ('worse')")
    assert database.sql("SELECT count(*)::int FROM t") == [(2,)]


def test_names_need_no_care(database: Database) -> None:
    long = "ย" * 21
    database.sql('CREATE SCHEMA "S.x"', f"""CREATE TYPE "S.x"."{long}" AS ENUM ('it''s \\')""")
    for value in (long, "'); DROP SCHEMA public; --", 'C"\\', ""):
        performed(
            database,
            lambda op, v=value: op.add_enum_value_concurrently(long, v, schema="S.x", before="it's \\"),  # type: ignore[misc]
        )
    assert labels(database, f'"S.x"."{long}"') == [long, "'); DROP SCHEMA public; --", 'C"\\', "", "it's \\"]


def test_the_order_that_counts_is_before_or_after_not_right_next_to(database: Database) -> None:
    database.sql("CREATE TYPE mood AS ENUM ('a', 'c', 'b')")
    assert performed(database, lambda op: op.add_enum_value_concurrently("mood", "b", after="a")) == []
    with pytest.raises(PlanError, match=r"in another place.* The order is 'a', 'c', 'b'"):
        performed(database, lambda op: op.add_enum_value_concurrently("mood", "b", before="a"))


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("no_such", {}, "there is no such enum"),
        ("t", {}, "there is no such enum"),
        ("mood", {"after": "sad"}, "it has no value 'sad', only 'good', 'bad'"),
        ("empty", {"before": "sad"}, "it has no value 'sad'"),
    ],
)
def test_an_enum_that_is_not_as_it_should_be_is_refused(
    database: Database, name: str, options: dict[str, Any], message: str
) -> None:
    database.sql("CREATE TYPE mood AS ENUM ('good', 'bad')", "CREATE TYPE empty AS ENUM ()", "CREATE TABLE t (id int)")
    with pytest.raises(PlanError, match=message):
        performed(database, lambda op: op.add_enum_value_concurrently(name, "new", **options))
    assert labels(database) == ["good", "bad"]


@pytest.mark.parametrize(
    ("value", "options", "message"),
    [
        ("a", {"before": "b", "after": "c"}, "both before and after"),
        ("ย" * 22, {}, "66 bytes, and PostgreSQL takes 63"),
        ("a", {"after": "a"}, "itself"),
        ("nul \0", {}, "NUL"),
    ],
)
def test_what_makes_no_sense_is_refused_without_a_database(value: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(DeclarationError, match=message):
        offline(lambda op: op.add_enum_value_concurrently("mood", value, **options))


def test_a_script_adds_the_value_in_a_commit_of_its_own() -> None:
    script = offline(lambda op: op.add_enum_value_concurrently("mood", "it's", before="a"))
    assert """ALTER TYPE "public"."mood" ADD VALUE IF NOT EXISTS 'it''s' BEFORE 'a';\nCOMMIT;""" in script


def test_another_session_that_changes_the_type_is_waited_for(database: Database) -> None:
    database.sql("CREATE TYPE mood AS ENUM ('good')")
    other = database.connect(autocommit=False)
    other.execute("ALTER TYPE mood ADD VALUE 'new'")
    waits = []

    def on(event: Event) -> None:
        if isinstance(event, Waiting):
            waits.append(event)
            other.commit()

    performed(database, lambda op: op.add_enum_value_concurrently("mood", "new"), on=on)
    assert len(waits) == 1
    assert labels(database) == ["good", "new"]


# Materialized views

VIEW = (
    "CREATE TABLE t (id int, n int)",
    "INSERT INTO t SELECT i, i FROM generate_series(1, 100) i",
    "CREATE MATERIALIZED VIEW m AS SELECT id, n FROM t",
    "CREATE UNIQUE INDEX m_id ON m (id)",
    "UPDATE t SET n = 0",
)


def refresh(op: Any) -> None:
    op.refresh_materialized_view_concurrently("m")


def test_a_view_is_refreshed_once_a_run_while_it_is_read(database: Database) -> None:
    database.sql(*VIEW)
    reader = database.connect(autocommit=False)
    assert reader.execute("SELECT sum(n)::int FROM m").fetchall() == [(5050,)]
    for _ in range(2):
        assert performed(database, refresh) == ["refresh public.m while it is read"]
    assert reader.execute("SELECT sum(n)::int FROM m").fetchall() == [(0,)]


def test_a_view_that_was_never_filled_is_filled_once(database: Database) -> None:
    database.sql(*VIEW[:2], "CREATE MATERIALIZED VIEW m AS SELECT id, n FROM t WITH NO DATA", VIEW[3])
    assert performed(database, refresh) == [
        "refresh public.m for the first time (no session can read it yet, nor while this runs)"
    ]
    assert database.sql("SELECT sum(n)::int FROM m") == [(5050,)]


@pytest.mark.parametrize(
    "statements",
    [
        ("DROP INDEX m_id",),
        ("DROP INDEX m_id", "REFRESH MATERIALIZED VIEW m WITH NO DATA"),
        ("DROP INDEX m_id", "CREATE INDEX ON m (id)"),
        ("DROP INDEX m_id", "CREATE UNIQUE INDEX ON m (id) WHERE id > 0"),
        ("DROP INDEX m_id", "CREATE UNIQUE INDEX ON m ((id + 0))"),
        ("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'm_id'::regclass",),
    ],
)
def test_a_view_without_a_fitting_unique_index_is_refused(database: Database, statements: tuple[str, ...]) -> None:
    database.sql(*VIEW, *statements)
    with pytest.raises(PlanError, match=r'CREATE UNIQUE INDEX CONCURRENTLY ON "public"\."m"'):
        performed(database, refresh)


@pytest.mark.parametrize("other", ["CREATE TABLE m (id int)", "CREATE VIEW m AS SELECT 1 AS id", "SELECT 1"])
def test_what_is_not_a_materialized_view_is_refused(database: Database, other: str) -> None:
    database.sql(other)
    with pytest.raises(PlanError, match=r"there is no such materialized view|and this is for a materialized view"):
        performed(database, refresh)


@pytest.mark.exhaustive
def test_a_long_refresh_is_not_ended_by_a_statement_timeout(database: Database) -> None:
    database.sql(*VIEW, "CREATE MATERIALIZED VIEW slow AS SELECT id, pg_sleep(0.004) IS NULL FROM t WITH NO DATA")
    database.sql("CREATE UNIQUE INDEX ON slow (id)")
    policy = LockPolicy(first=50, longest=100, attempts=2, statement_timeout=50)
    for _ in range(2):
        performed(database, lambda op: op.refresh_materialized_view_concurrently("slow"), policy)
    assert database.sql("SELECT count(*)::int FROM slow") == [(100,)]


def test_another_refresh_is_waited_for_and_named(database: Database) -> None:
    database.sql(*VIEW)
    other = database.connect(autocommit=False)
    other.execute("REFRESH MATERIALIZED VIEW CONCURRENTLY m")
    with pytest.raises(LockNotAvailable) as raised:
        performed(database, refresh, LockPolicy(first=20, longest=20, attempts=2))
    assert "ExclusiveLock on public.m" in raised.value.blockers[0]
    timer = threading.Timer(0.2, other.commit)
    timer.start()
    performed(database, refresh)
    timer.join()


def test_views_with_any_name_are_refreshed_from_inside_a_transaction(database: Database) -> None:
    database.sql(
        *VIEW[:2],
        'CREATE SCHEMA "S"',
        'CREATE MATERIALIZED VIEW "S"."มุม.มอง ""x""" AS SELECT id FROM t',
        'CREATE UNIQUE INDEX ON "S"."มุม.มอง ""x""" (id)',
        "DELETE FROM t",
    )
    url = sa.make_url(database.url).set(drivername="postgresql+psycopg")
    with environment.connect(url) as connection:
        context = MigrationContext.configure(connection)
        with context.begin_transaction():
            op: Any = Operations(context)
            op.refresh_materialized_view_concurrently('มุม.มอง "x"', schema="S")
    assert database.sql('SELECT count(*)::int FROM "S"."มุม.มอง ""x"""') == [(0,)]


def test_a_script_refreshes_in_the_plain_way() -> None:
    assert '\nREFRESH MATERIALIZED VIEW "S"."m";\n' in offline(
        lambda op: op.refresh_materialized_view_concurrently("m", schema="S")
    )
