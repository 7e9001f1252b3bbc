"""Tables that others refer to become partitioned: their foreign keys get the key column, go, or stand in the way."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import errors

from schema_kit.errors import PlanError
from schema_kit.execute import Event, StepDone, StepProgress
from tests.support.catalog import changes, facts, without_config
from tests.support.conversion import FAMILY, PLAIN, T, boundary, convert, unpartition
from tests.support.database import Database
from tests.support.tables import checksum

pytestmark = [pytest.mark.conversion, pytest.mark.majors]


def test_incoming_foreign_keys_are_refused_by_name(database: Database) -> None:
    database.sql(*FAMILY)
    before = facts(database)
    with pytest.raises(PlanError, match="of_t") as refused:
        convert(database, T)
    assert "likes_t" in str(refused.value)
    assert "app.friend" in str(refused.value)
    assert "composite" in str(refused.value)
    assert facts(database) == before


def test_incoming_foreign_keys_are_dropped_where_that_is_wanted(database: Database) -> None:
    database.sql(*FAMILY)
    before = facts(database)
    convert(database, T, incoming="drop")
    after = facts(database)
    assert {key for key in before.keys() - after.keys() if key[0] == "constraint"} == {
        ("constraint", "app.child.of_t"),
        ("constraint", "app.friend.likes_t"),
    }
    database.sql("INSERT INTO app.child (t_id) VALUES (-1)")


@pytest.mark.exhaustive
def test_incoming_foreign_keys_get_the_key_column(database: Database, roles: tuple[str, str]) -> None:
    _, stranger = roles
    database.sql(*FAMILY, f"GRANT USAGE ON SCHEMA app TO {stranger}", f"GRANT INSERT ON app.child TO {stranger}")
    before = facts(database)
    convert(database, T, incoming="composite")

    progress = [
        event.state
        for event in database.events
        if isinstance(event, StepProgress) and event.step.summary == "fill t_at of app.child"
    ]
    assert len(progress) == 3, "12,000 rows in batches of 5,000"
    wrong = "SELECT count(*) FROM app.{0} c LEFT JOIN app.t ON t.id = c.t_id WHERE c.t_at IS DISTINCT FROM t.at"
    assert database.sql(wrong.format("child")) == database.sql(wrong.format("friend")) == [(0,)]

    # What old code does goes on as before.
    assert database.sql(
        "INSERT INTO app.child (t_id) VALUES (7) RETURNING t_at = (SELECT at FROM app.t WHERE id = 7)"
    ) == [(True,)]
    assert database.sql("INSERT INTO app.friend VALUES (1000, NULL) RETURNING t_at") == [(None,)]
    assert database.sql(
        "UPDATE app.friend SET t_id = 8 WHERE id = 1000 RETURNING t_at = (SELECT at FROM app.t WHERE id = 8)"
    ) == [(True,)]
    assert database.sql("UPDATE app.friend SET t_id = NULL WHERE id = 1000 RETURNING t_at") == [(None,)]
    for table, name in (("child", "of_t"), ("friend", "likes_t")):
        with pytest.raises(errors.ForeignKeyViolation) as orphan:
            database.sql(f"INSERT INTO app.{table} (id, t_id) VALUES (-1, -1)")
        assert orphan.value.diag.constraint_name == name
        with pytest.raises(errors.ForeignKeyViolation):
            database.sql(f"INSERT INTO app.{table} (id, t_id, t_at) VALUES (-1, 7, 'epoch')")
        with pytest.raises(errors.ForeignKeyViolation):
            database.sql(f"UPDATE app.{table} SET t_id = -1 WHERE t_id = 10")

    later = boundary(database, "app.t")
    before_move = database.sql("SELECT tableoid::regclass::text FROM app.t WHERE id = 20")
    database.sql(f"UPDATE app.t SET at = '{later}' WHERE id = 20")
    assert database.sql("SELECT tableoid::regclass::text FROM app.t WHERE id = 20") != before_move
    for table, count in (("child", 4), ("friend", 1)):
        assert database.sql(f"SELECT count(*) FROM app.{table} WHERE t_id = 20 AND t_at = '{later}'") == [(count,)]

    database.sql("DELETE FROM app.t WHERE id IN (20, 30)")
    assert database.sql("SELECT count(*) FROM app.child WHERE t_id IN (20, 30)") == [(0,)]
    assert database.sql("SELECT t_id, t_at FROM app.friend WHERE id IN (20, 30)") == [(None, None)] * 2

    with psycopg.connect(database.url) as connection:
        connection.execute(f"SET ROLE {stranger}".encode())
        connection.execute("INSERT INTO app.child (id, t_id) VALUES (-5, 9)")
        with pytest.raises(errors.InsufficientPrivilege):
            connection.execute("SELECT 1 FROM app.t")
        connection.rollback()

    rows = [checksum(database, f"(SELECT id, t_id FROM app.{table})") for table in ("child", "friend")]
    unpartition(database, T)
    back = without_config(facts(database))
    assert changes(before, back, "physical") - {("sequence", "app.child_id_seq")} == set()
    assert rows == [checksum(database, f"(SELECT id, t_id FROM app.{table})") for table in ("child", "friend")]
    with pytest.raises(errors.ForeignKeyViolation):
        database.sql("INSERT INTO app.child (t_id) VALUES (-1)")


def test_keys_are_compared_as_the_foreign_key_does(database: Database) -> None:
    database.sql(
        "CREATE SCHEMA ext",
        "CREATE EXTENSION citext SCHEMA ext",
        "CREATE SCHEMA app",
        "CREATE TABLE app.t (id ext.citext PRIMARY KEY, at timestamptz NOT NULL DEFAULT now())",
        "CREATE TABLE app.child (id bigint PRIMARY KEY, t_id ext.citext REFERENCES app.t)",
        "INSERT INTO app.t VALUES ('Abc')",
        "INSERT INTO app.child VALUES (1, 'ABC')",
    )
    convert(database, T, incoming="composite")
    database.sql("INSERT INTO app.child VALUES (2, 'abC')")
    assert database.sql("SELECT count(*) FROM app.child c JOIN app.t ON t.at = c.t_at") == [(2,)]


@pytest.mark.exhaustive
def test_the_first_insert_during_the_conversion_is_filled_too(database: Database) -> None:
    database.sql(*FAMILY)

    def while_filling(event: Event) -> None:
        if isinstance(event, StepDone):
            database.sql(
                "INSERT INTO app.child (t_id, note) VALUES (5, 'meanwhile')",
                "UPDATE app.t SET at = at - interval '1 s' WHERE id = 5",
            )

    convert(database, T, incoming="composite", emit=while_filling)
    assert database.sql(
        """SELECT count(*) > 10, bool_and(c.t_at = t.at) FROM app.child c JOIN app.t ON t.id = c.t_id
           WHERE note = 'meanwhile'"""
    ) == [(True, True)]


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("CREATE TABLE app.t2 (id bigint PRIMARY KEY, t_id bigint REFERENCES app.t ON UPDATE CASCADE)", "ON UPDATE"),
        ("CREATE TABLE app.t2 (id bigint PRIMARY KEY, t_id bigint REFERENCES app.t DEFERRABLE)", "DEFERRABLE"),
        (
            "CREATE TABLE app.t2 (id bigint PRIMARY KEY, t_id bigint REFERENCES app.t ON DELETE SET DEFAULT)",
            "SET DEFAULT",
        ),
        ("ALTER TABLE app.t ADD COLUMN up bigint REFERENCES app.t", "the table's own"),
        (
            "CREATE TABLE app.t2 (id bigint PRIMARY KEY, t_id bigint REFERENCES app.t) PARTITION BY RANGE (id)",
            "app.t2 is partitioned",
        ),
        (
            "CREATE TABLE app.t2 (id bigint PRIMARY KEY, t_id bigint REFERENCES app.t, updated_at timestamptz);"
            "CREATE FUNCTION app.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"
            "CREATE TRIGGER stamps BEFORE UPDATE ON app.t2 FOR EACH ROW EXECUTE FUNCTION app.f()",
            "trigger stamps of app.t2 would fire",
        ),
        (
            "CREATE TABLE app.t2 (id bigint PRIMARY KEY, t_id bigint REFERENCES app.t);"
            "ALTER TABLE app.t FORCE ROW LEVEL SECURITY",
            "FORCE ROW LEVEL SECURITY",
        ),
    ],
)
def test_foreign_keys_without_a_composite_way_are_named(database: Database, statement: str, words: str) -> None:
    database.sql(*PLAIN, statement)
    before = facts(database)
    with pytest.raises(PlanError, match=words):
        convert(database, T, incoming="composite")
    assert facts(database) == before
