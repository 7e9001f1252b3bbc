"""Conversions by keys of each type, in each zone, of an empty table, and a second time."""

from __future__ import annotations

from contextlib import suppress

import pytest
from psycopg import errors

from schema_kit import execute
from schema_kit.catalog import Catalog
from schema_kit.execute import Event, StepDone
from schema_kit.model import Partitioning
from schema_kit.ops.operation import Task, task
from schema_kit.steps import Plan
from schema_kit.tasks.conversion import Convert
from schema_kit.tasks.conversion import unpartition as plan_unpartition
from tests.support.catalog import changes, facts, without_config
from tests.support.conversion import PLAIN, Stopped, T, boundary, convert, stopping_after, unpartition
from tests.support.database import QUICK, Database
from tests.support.matrix import longer
from tests.support.tables import checksum

pytestmark = [pytest.mark.conversion, pytest.mark.majors]


@pytest.mark.parametrize("kind", ["date", "timestamp", "timestamp(3)", "timestamptz", "timestamptz(0)"])
@pytest.mark.parametrize("zone", ["UTC", "Asia/Bangkok", "America/Sao_Paulo"])
def test_keys_of_each_type_are_partitioned_at_midnight_of_the_zone(database: Database, kind: str, zone: str) -> None:
    database.sql(
        "CREATE SCHEMA app",
        f"CREATE TABLE app.t (id bigint PRIMARY KEY, at {kind} NOT NULL)",
        f"""INSERT INTO app.t SELECT i, (now() AT TIME ZONE '{zone}')::date - i FROM generate_series(0, 99) i""",
    )
    rows = checksum(database, "app.t")
    convert(database, T, interval="7 days", timezone=zone, premake=3)
    assert checksum(database, "app.t") == rows
    bounds = database.sql(
        f"""SELECT (b[1]::timestamptz AT TIME ZONE '{zone}')::text FROM pg_class,
              regexp_matches(pg_get_expr(relpartbound, oid), 'FROM \\(''(.*?)''') b WHERE relispartition"""
        if kind.startswith("timestamptz")
        else """SELECT b[1]::timestamp::text FROM pg_class,
              regexp_matches(pg_get_expr(relpartbound, oid), 'FROM \\(''(.*?)''') b WHERE relispartition"""
    )
    assert bounds
    assert all(moment.endswith(" 00:00:00") for (moment,) in bounds)
    weekdays = database.sql(*(f"SELECT extract(isodow FROM '{moment}'::timestamp)" for (moment,) in bounds))
    assert weekdays == [(1,)]
    # The first and the last moment that the partitions hold, and not one more.
    last = database.sql(
        "SELECT max(substring(pg_get_expr(relpartbound, oid) FROM 'TO \\(''(.*)''')) FROM pg_class WHERE relispartition"
    )[0][0]
    step = "1" if kind == "date" else "interval '1 s'"
    database.sql(f"INSERT INTO app.t VALUES (-1, '{last}'::{kind} - {step})")
    with pytest.raises(errors.CheckViolation):
        database.sql(f"INSERT INTO app.t VALUES (-2, '{last}')")


@pytest.mark.exhaustive
def test_an_empty_table_and_a_second_time(database: Database) -> None:
    database.sql(*PLAIN)
    before = facts(database)
    assert convert(database, T)
    after = facts(database)
    assert convert(database, T) == ()
    assert facts(database) == after
    unpartition(database, T)
    assert changes(before, without_config(facts(database)), "physical") == set()
    assert unpartition(database, T) == ()


@pytest.mark.exhaustive
def test_the_policy_is_registered_and_brought_up_to_date_but_for_its_premake(database: Database) -> None:
    database.sql(*PLAIN)
    convert(database, T, premake=2)
    policy = "SELECT control, partition_interval, premake, timezone FROM schema_kit.part_config"
    assert database.sql(policy) == [("at", "1 mon", 2, "UTC")]
    database.sql("UPDATE schema_kit.part_config SET premake = 6")
    assert convert(database, T, premake=2) == (), "a premake that somebody has changed since is theirs"
    database.sql("UPDATE schema_kit.part_config SET timezone = 'Asia/Bangkok', automatic_maintenance = 'off'")
    assert len(convert(database, T, premake=2)) == 1
    assert convert(database, T, premake=2) == ()
    assert database.sql(policy) == [("at", "1 mon", 6, "UTC")]
    unpartition(database, T)
    assert database.sql(policy) == []


def test_what_the_database_sets_for_its_sessions_changes_nothing(database: Database) -> None:
    name = database.sql("SELECT current_database()")[0][0]
    found = []
    for settings in ("", "strange"):
        database.sql(
            *PLAIN,
            """INSERT INTO app.t (at)
               SELECT timestamptz '2026-02-03 23:30+00' + i * interval '1 day' FROM generate_series(1, 9) i""",
        )
        if settings:
            for setting in (
                "TimeZone = 'Asia/Kathmandu'",
                "DateStyle = 'SQL, DMY'",
                "IntervalStyle = 'sql_standard'",
                "search_path = 'nowhere'",
            ):
                database.sql(f"ALTER DATABASE {name} SET {setting}")
            assert database.sql("SHOW DateStyle") == [("SQL, DMY",)]
        convert(database, T, timezone="Asia/Bangkok")
        found.append(facts(database))
        database.sql("DROP SCHEMA app, schema_kit CASCADE")
    assert found[0] == found[1]


def test_daily_partitions_leave_time_to_swap(database: Database) -> None:
    database.sql(*PLAIN)
    with pytest.raises(Stopped):
        convert(database, T, interval="1 day", emit=stopping_after(3))
    database.sql("INSERT INTO app.t (at) VALUES (now() + interval '14 days')")
    database.sql("DELETE FROM app.t")
    convert(database, T, interval="1 day")
    upper = boundary(database, "app.t")
    assert database.sql(f"SELECT '{upper}' > now() + interval '14 days', '{upper}' < now() + interval '17 days'") == [
        (True, True)
    ]


KEYED = (
    "CREATE SCHEMA app",
    "CREATE TABLE app.t (tenant int, at timestamptz, body text, PRIMARY KEY (tenant, at))",
    "CREATE INDEX t_body ON app.t (body)",
    "CREATE TABLE app.note (id int PRIMARY KEY, tenant int, at timestamptz, "
    "CONSTRAINT about FOREIGN KEY (tenant, at) REFERENCES app.t ON DELETE CASCADE)",
    "INSERT INTO app.t SELECT i % 5, now() - i * interval '1 hour', 'b' || i FROM generate_series(1, 500) i",
    "INSERT INTO app.note SELECT row_number() OVER (), tenant, at FROM app.t LIMIT 100",
)
IDS = (
    "CREATE SCHEMA app",
    "CREATE TABLE app.t (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body text)",
    "CREATE INDEX t_body ON app.t (body)",
    "CREATE TABLE app.note (id int PRIMARY KEY, t_id bigint, "
    "CONSTRAINT about FOREIGN KEY (t_id) REFERENCES app.t ON DELETE CASCADE)",
    "INSERT INTO app.t (body) SELECT 'b' || i FROM generate_series(1, 500) i",
    "INSERT INTO app.note SELECT i, i FROM generate_series(1, 100) i",
)


@pytest.mark.parametrize(("made", "control", "interval"), [(KEYED, "at", "1 month"), (IDS, "id", "100")])
@pytest.mark.parametrize("stop", longer(range(1, 9), 1, 2, 4, 5, 7, 8))
def test_a_primary_key_that_holds_the_control_column_stays_as_it_is(
    database: Database, made: tuple[str, ...], control: str, interval: str, stop: int
) -> None:
    database.sql(*made)
    plain, content = facts(database), checksum(database, "app.t")
    connection = database.sqlalchemy()
    forth = Convert(Partitioning(T, control, interval, premake=2), "refuse", "attach").plan
    for plan in (forth, task(plan_unpartition, T, keep_primary_key=True)):
        done: list[Event] = []

        def count(event: Event, done: list[Event] = done) -> None:
            done += [event] if isinstance(event, StepDone) else []
            if len(done) == stop:
                raise Stopped

        def decide(plan: Task = plan) -> Plan:
            return plan(Catalog(connection))

        with suppress(Stopped):
            execute.run(connection, decide, QUICK, count)
        execute.run(connection, decide, QUICK, done.append)
        assert checksum(database, "app.t") == content
        assert database.sql("SELECT conname, convalidated FROM pg_constraint WHERE conname = 'about'") == [
            ("about", True)
        ]
        orphan = "(999, 99999)" if made is IDS else "(999, 9, now())"
        with pytest.raises(errors.ForeignKeyViolation):
            database.sql(f"INSERT INTO app.note VALUES {orphan}")
        new = "(body) VALUES ('new')" if made is IDS else "VALUES (9, now() + interval '5 weeks', 'new')"
        database.sql(f"INSERT INTO app.t {new}", "DELETE FROM app.t WHERE body = 'new'")
        if plan is forth:
            assert database.sql("SELECT pg_get_partkeydef('app.t'::regclass)") == [(f"RANGE ({control})",)]
            assert decide() == Plan(decide().title), "done is done"
    after = without_config(facts(database))
    position = ("sequence", "app.t_id_seq")
    assert {key: text for key, text in after.items() if key != position} == {
        key: text for key, text in plain.items() if key != position
    }
