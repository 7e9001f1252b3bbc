"""Columns and tables during traffic: on every shape, again, stopped anywhere; what would rewrite is refused."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from schema_kit.errors import DeclarationError, PlanError
from schema_kit.execute import StepDone, StepStarted, Waiting
from tests.support.database import Database
from tests.support.locks import busy
from tests.support.matrix import SHAPES, Operate, Stopped, build, longer, perform, state, thinned, told
from tests.support.operations import COLUMNS, Spelled, add_column, alter_word

pytestmark = [pytest.mark.columns, pytest.mark.majors]

matrix = pytest.mark.parametrize("shape", thinned(SHAPES, "partitioned"))
KEY = "ALTER TABLE s.t ALTER v SET NOT NULL, ADD PRIMARY KEY (id, k, v)"


@matrix
@pytest.mark.parametrize("name", longer(COLUMNS, "add_volatile", "add_constant_reference", "all_at_once"))
def test_same_end_as_the_blocking_way_again_and_stopped_anywhere(
    database: Database, monkeypatch: pytest.MonkeyPatch, name: str, shape: str
) -> None:
    operate, blocking = COLUMNS[name]
    before = (
        KEY,
        "CREATE INDEX ON s.t (word)",
        "CREATE INDEX ON s.t (ref, word)",
        "ALTER TABLE s.t ADD FOREIGN KEY (ref) REFERENCES s.r",
    )
    build(database, shape)
    database.sql(*before, blocking)
    expected = state(database)
    build(database, shape)
    database.sql(*before)
    with told(monkeypatch) as events:
        perform(database, operate)
    assert state(database) == expected
    steps = sum(isinstance(event, StepDone) for event in events)
    with told(monkeypatch) as events:
        perform(database, operate)
    assert events == [], "a second run has nothing to do"
    for stop_after in range(1, steps):
        database.sql("DROP SCHEMA IF EXISTS schema_kit CASCADE")
        build(database, shape)
        database.sql(*before)
        with told(monkeypatch, stop_after), pytest.raises(Stopped):
            perform(database, operate)
        perform(database, operate)
        assert state(database) == expected, f"stopped after {stop_after} of {steps}"


def test_a_default_that_changes_is_filled_in_once_and_for_all(database: Database) -> None:
    build(database, "plain")
    database.sql(KEY)
    files = "SELECT pg_relation_filenode('s.t')"
    before = database.sql(files)
    perform(database, COLUMNS["add_volatile"][0])
    assert database.sql("SELECT count(DISTINCT c), count(*) FROM s.t") == [(500, 500)]
    assert database.sql(files) == before, "the table was not rewritten"
    values = database.sql("SELECT id, c FROM s.t ORDER BY id")
    perform(database, COLUMNS["add_volatile"][0])
    assert database.sql("SELECT id, c FROM s.t ORDER BY id") == values
    perform(database, COLUMNS["drop"][0])
    perform(database, lambda op: op.drop_column_concurrently("t", "c", schema="s"))
    perform(database, COLUMNS["add_volatile"][0])
    assert database.sql("SELECT count(DISTINCT c) FROM s.t") == [(500,)], "added anew, filled anew"


@pytest.mark.parametrize(
    ("operate", "error", "says"),
    [
        (alter_word(type_=sa.String(5)), PlanError, "writes every row again"),
        (alter_word(type_=sa.Integer), PlanError, "cannot be cast automatically"),
        (add_column(sa.Column("c", sa.BigInteger, sa.Identity())), DeclarationError, "identity"),
        (
            add_column(sa.Column("c", sa.Integer, sa.Computed("v * 2", persisted=True))),
            DeclarationError,
            "stored generated",
        ),
        (add_column(sa.Column("c", sa.Integer, nullable=False)), DeclarationError, "NOT NULL without a default"),
        (
            add_column(sa.Column("c", sa.Integer, unique=True)),
            DeclarationError,
            "create_unique_constraint_concurrently",
        ),
        (add_column(sa.Column("c", sa.Integer, index=True)), DeclarationError, "create_index_concurrently"),
        (add_column(sa.Column("c", sa.Integer, sa.Computed("v * 2"))), DeclarationError, "persisted=False"),
        (
            add_column(sa.Column("c", sa.Integer, sa.CheckConstraint("c > 0"))),
            DeclarationError,
            "create_check_constraint_",
        ),
        (
            add_column(sa.Column("c", sa.Enum("a", "b", native_enum=False, create_constraint=True))),
            DeclarationError,
            "create_check_constraint_concurrently",
        ),
        (
            add_column(sa.Column("c", sa.BigInteger, sa.ForeignKey("s.r.id"), sa.ForeignKey("s.t.id"))),
            DeclarationError,
            "create_foreign_key_concurrently for each",
        ),
        (add_column(sa.Column("c", Spelled("s.positive"))), PlanError, "a domain with constraints"),
        (
            add_column(sa.Column("c", Spelled("s.positive"), server_default=sa.text("1"))),
            PlanError,
            "a domain with constr",
        ),
        (add_column(sa.Column("v", sa.Integer, server_default=sa.text("2"))), PlanError, r"there:    1\n  declared: 2"),
        (add_column(sa.Column("word", sa.Integer)), PlanError, r"is character varying\(20\), not integer"),
        (add_column(sa.Column("c", sa.Uuid, server_default=sa.func.gen_random_uuid())), PlanError, "primary key"),
        (lambda op: op.alter_column_concurrently("t", "v", schema="s", type_=sa.BigInteger), PlanError, "every row"),
        (lambda op: op.alter_column_concurrently("t", "no", schema="s", type_=sa.Text), PlanError, "no such column"),
        (lambda op: op.add_column_concurrently("no", sa.Column("c", sa.Text), schema="s"), PlanError, "no such table"),
        (
            lambda op: op.drop_table_concurrently("r", schema="s"),
            PlanError,
            "refer to it: t_ref_fkey of s.t",
        ),
        (lambda op: op.drop_column_concurrently("t", "seen", schema="s"), PlanError, r"view s\.w depends on it"),
        (lambda op: op.drop_table_concurrently("t", schema="s"), PlanError, r"view s\.w depends on it"),
    ],
)
def test_what_cannot_be_done_during_traffic_is_refused(
    database: Database, operate: Operate, error: type[Exception], says: str
) -> None:
    build(database, "plain")
    database.sql(
        "CREATE DOMAIN s.positive AS int CHECK (VALUE > 0)",
        "ALTER TABLE s.t ADD FOREIGN KEY (ref) REFERENCES s.r, ADD seen int",
        "CREATE VIEW s.w AS SELECT seen FROM s.t",
    )
    before = state(database)
    with pytest.raises(error, match=says):
        perform(database, operate)
    assert state(database) == before


@matrix
@pytest.mark.parametrize(("name", "there"), [("add_constant_reference", "bigint"), ("add_volatile", "uuid")])
def test_an_existing_column_gets_what_it_lacks(
    database: Database, monkeypatch: pytest.MonkeyPatch, name: str, there: str, shape: str
) -> None:
    operate, blocking = COLUMNS[name]
    build(database, shape)
    database.sql(KEY, blocking)
    expected = state(database)
    build(database, shape)
    database.sql(KEY, f"ALTER TABLE s.t ADD c {there}")
    if name == "add_constant_reference":
        database.sql("UPDATE s.t SET c = 7")
    perform(database, operate)
    assert state(database) == expected
    with told(monkeypatch) as events:
        perform(database, operate)
    assert events == []


def test_a_foreign_key_of_a_column_with_a_default_is_validated_during_writes(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(database, "plain")
    with told(monkeypatch) as events:
        perform(database, COLUMNS["add_constant_reference"][0])
    sent = [event.step.sql()[0].partition(" ADD ")[2] for event in events if isinstance(event, StepStarted)]
    assert sent[0] == 'COLUMN "c" BIGINT DEFAULT 7 NOT NULL'
    assert sent[1].endswith("NOT VALID")


@pytest.mark.parametrize(
    ("shape", "before", "column", "says"),
    [
        ("plain", "CREATE VIEW s.w AS SELECT word FROM s.t", "word", "view s.w depends on it"),
        ("partitioned", "CREATE VIEW s.w AS SELECT word FROM s.t1", "word", "view s.w depends on it"),
        ("plain", "CREATE POLICY p ON s.t USING (word > '')", "word", "policy p on table s.t depends on it"),
        ("partitioned", "SELECT", "k", "it is in the partition key of table s.t"),
        ("sub_partitioned", "SELECT", "v", "it is in the partition key of table s.t1"),
        (
            "plain",
            "CREATE UNIQUE INDEX own ON s.t (id, word); CREATE TABLE s.o (i bigint, w varchar(20), "
            "CONSTRAINT o_fkey FOREIGN KEY (i, w) REFERENCES s.t (id, word))",
            "word",
            "constraint o_fkey on table s.o depends on it",
        ),
        ("partitioned", "CREATE VIEW s.w AS SELECT word FROM s.t1", None, "view s.w depends on it"),
        ("plain", "CREATE FUNCTION s.f(s.t) RETURNS int LANGUAGE sql AS 'SELECT 1'", None, r"function s.f\(s.t\)"),
    ],
)
def test_what_stops_a_drop_is_found_before_the_first_step(
    database: Database, shape: str, before: str, column: str | None, says: str
) -> None:
    build(database, shape)
    database.sql(
        "CREATE INDEX ON s.t (word, k, v)", "ALTER TABLE s.t ADD FOREIGN KEY (ref) REFERENCES s.r", *before.split(";")
    )
    there = state(database)
    with pytest.raises(PlanError, match=says):
        perform(
            database,
            lambda op: (
                op.drop_column_concurrently("t", column, schema="s")
                if column
                else op.drop_table_concurrently("t", schema="s")
            ),
        )
    assert state(database) == there


def test_a_table_that_refers_to_itself_or_to_partitions_goes_and_a_partition_does_not(database: Database) -> None:
    build(database, "partitioned")
    database.sql(
        KEY,
        "CREATE TABLE s.o (id bigint PRIMARY KEY, k int, v int, up bigint REFERENCES s.o, "
        "FOREIGN KEY (id, k, v) REFERENCES s.t)",
        "ALTER TABLE s.t ADD FOREIGN KEY (ref) REFERENCES s.r",
    )
    with pytest.raises(PlanError, match="it is a partition: detach it first"):
        perform(database, lambda op: op.drop_table_concurrently("t1", schema="s"))
    perform(database, lambda op: op.drop_column_concurrently("o", "up", schema="s"))
    perform(database, lambda op: op.drop_table_concurrently("o", schema="s"))
    perform(database, lambda op: op.drop_table_concurrently("t", schema="s"))
    assert database.sql("SELECT to_regclass('s.t'), to_regclass('s.o')") == [(None, None)]


def test_what_only_a_partition_has_is_tried_too_and_statistics_come_back(database: Database) -> None:
    build(database, "partitioned")
    database.sql("CREATE INDEX own ON s.t1 (v)", "CREATE INDEX words ON s.t1 (upper(word))")
    with pytest.raises(PlanError, match="builds an index again"):
        perform(database, COLUMNS["widen"][0])
    database.sql("DROP INDEX s.words")
    perform(database, COLUMNS["widen"][0])
    seen = "SELECT count(*) FROM pg_stats WHERE schemaname = 's' AND attname = 'word'"
    assert database.sql(seen) == [(3,)], "the table's and both partitions'"
    database.sql("ALTER TABLE s.t2 ADD CONSTRAINT own CHECK (word > '')")
    before = state(database)
    with pytest.raises(PlanError, match=r"checks every row again \(own\)"):
        perform(database, COLUMNS["to_text"][0])
    assert state(database) == before


def test_the_zone_of_the_session_decides_what_a_timestamp_means(database: Database) -> None:
    """Without a rewrite under UTC only; elsewhere PostgreSQL would write each row again."""
    build(database, "plain")
    database.sql("ALTER TABLE s.t ADD at timestamp DEFAULT '2026-01-01'")
    name = database.sql("SELECT current_database()")[0][0]

    def operate(op: Any) -> None:
        op.alter_column_concurrently("t", "at", schema="s", type_=sa.DateTime(timezone=True))

    database.sql(f"ALTER DATABASE {name} SET TimeZone = 'Asia/Bangkok'")
    with pytest.raises(PlanError, match="writes every row again"):
        perform(database, operate)
    database.sql(f"ALTER DATABASE {name} SET TimeZone = 'UTC'")
    perform(database, operate)
    assert database.sql("SELECT min(at) AT TIME ZONE 'UTC' FROM s.t")[0][0].isoformat() == "2026-01-01T00:00:00"


@matrix
def test_a_reader_in_the_way_is_waited_for(database: Database, monkeypatch: pytest.MonkeyPatch, shape: str) -> None:
    build(database, shape)
    with told(monkeypatch) as events, busy(database, "SELECT count(*) FROM s.t"):
        perform(database, COLUMNS["add"][0])
    waits = [event for event in events if isinstance(event, Waiting)]
    assert waits
    assert any("AccessShareLock on s.t" in blocker for wait in waits for blocker in wait.blockers)
