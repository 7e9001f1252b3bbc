"""op.unpartition next to transactions whose snapshot is older: they see every row once, and all that moved arrived."""

from __future__ import annotations

import threading
import time
from typing import Any

import psycopg
import pytest

from schema_kit import op, operations
from schema_kit.catalog import copying
from schema_kit.errors import ExecutionError, PlanError, SchemaKitError
from schema_kit.script import LockPolicy
from schema_kit.steps import emptied
from tests.support.database import QUICK, Database
from tests.support.matrix import perform

pytestmark = [pytest.mark.conversion, pytest.mark.majors]

PATIENT = LockPolicy(first=5000, longest=5000, attempts=3)
COUNT = "SELECT count(*), count(DISTINCT id), sum(n) FROM t"


@pytest.fixture
def partitioned(database: Database) -> Database:
    """Five months of rows, and a table that has nothing to do with them."""
    database.sql(
        "CREATE TABLE t (id bigint, at timestamptz NOT NULL, n int, PRIMARY KEY (id, at)) PARTITION BY RANGE (at)",
        *(
            f"CREATE TABLE t{month} PARTITION OF t FOR VALUES FROM ('2026-0{month}-01') TO ('2026-0{month + 1}-01')"
            for month in range(1, 5)
        ),
        "CREATE TABLE t5 PARTITION OF t FOR VALUES FROM ('2026-05-01') TO ('2026-06-01') PARTITION BY HASH (id)",
        "CREATE TABLE t5a PARTITION OF t5 FOR VALUES WITH (MODULUS 1, REMAINDER 0)",
        "INSERT INTO t SELECT i, '2026-01-01'::timestamptz + i * interval '1 day', 1 FROM generate_series(1, 149) i",
        "CREATE TABLE other (x int)",
    )
    return database


def undo(database: Database, policy: LockPolicy = QUICK) -> None:
    """What a migration's downgrade does."""
    connection = database.sqlalchemy()
    with operations(connection, policy=policy):
        op.unpartition("t", keep_primary_key=True)
    connection.close()


def left(database: Database) -> int:
    """Tables that held the rows and still exist."""
    return int(database.sql("SELECT count(*) FROM pg_inherits WHERE inhparent = 't'::regclass")[0][0])


def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave what older transactions see to the next run at once."""
    monkeypatch.setattr(emptied, "PATIENCE_SECONDS", 0)
    monkeypatch.setattr(copying, "PATIENCE_SECONDS", 0)


@pytest.mark.exhaustive
@pytest.mark.parametrize("isolation", ["REPEATABLE READ", "SERIALIZABLE"])
def test_an_older_transaction_sees_all_rows(
    partitioned: Database, monkeypatch: pytest.MonkeyPatch, isolation: str
) -> None:
    impatient(monkeypatch)
    old = partitioned.connect(autocommit=False)
    old.execute(f"SET TRANSACTION ISOLATION LEVEL {isolation}".encode())
    old.execute("SELECT count(*) FROM other")
    undo(partitioned)
    assert old.execute(COUNT).fetchone() == (149, 149, 149)
    assert partitioned.sql(COUNT) == [(149, 149, 149)]
    assert partitioned.sql("SELECT count(*) FROM ONLY t") == [(149,)]
    assert old.execute("UPDATE t SET n = 2 WHERE id = 1").rowcount == 1  # it has not moved
    with pytest.raises(psycopg.errors.SerializationFailure):
        old.execute("UPDATE t SET n = 2 WHERE id = 149")
    assert left(partitioned) == 4
    old.rollback()
    undo(partitioned)
    assert left(partitioned) == 0
    assert partitioned.sql(COUNT, "SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relname ~ '^t[0-9_]'") == [
        (0,)
    ]
    undo(partitioned)  # and there is nothing more to do


def test_a_transaction_that_queues_behind_the_lock_sees_all_rows(
    partitioned: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its snapshot is taken before it waits."""
    impatient(monkeypatch)
    holder, reader = partitioned.connect(autocommit=False), partitioned.connect(autocommit=False)
    holder.execute("LOCK TABLE t IN ACCESS SHARE MODE")
    undoing = threading.Thread(target=undo, args=(partitioned, PATIENT))
    undoing.start()
    wait_for(partitioned, 1)
    seen: list[Any] = []

    def read() -> None:
        reader.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        seen.append(reader.execute(COUNT).fetchone())
        seen.append(reader.execute(COUNT).fetchone())

    reading = threading.Thread(target=read)
    reading.start()
    wait_for(partitioned, 2)
    holder.rollback()
    reading.join()
    undoing.join()
    assert seen == [(149, 149, 149)] * 2
    assert partitioned.sql("SELECT relkind::text FROM pg_class WHERE oid = 't'::regclass") == [("r",)]


def wait_for(database: Database, count: int) -> None:
    """Until so many sessions wait for a lock on the table."""
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 't'::regclass"
    for _ in range(600):
        if database.sql(waiting)[0][0] >= count:
            return
        time.sleep(0.05)
    raise AssertionError("nobody waits")


SWALLOW = "CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'"


@pytest.mark.parametrize(
    ("hindrance", "said"),
    [
        ((SWALLOW, "CREATE TRIGGER s BEFORE INSERT ON t1 FOR EACH ROW EXECUTE FUNCTION swallow()"), "so many arrived"),
        (("CREATE RULE r AS ON INSERT TO t1 DO INSTEAD NOTHING",), "so many arrived"),
        (("CREATE RULE r AS ON DELETE TO t DO INSTEAD NOTHING",), "rule r"),
        (("CREATE VIEW v AS SELECT * FROM t3",), "depend"),
        (
            (
                "CREATE TABLE r (id bigint, at timestamptz, FOREIGN KEY (id, at) REFERENCES t3 ON DELETE CASCADE)",
                "INSERT INTO r SELECT id, at FROM t3",
            ),
            "depend",
        ),
    ],
    ids=["a trigger", "a rule", "a rule of the table", "a view", "a cascade"],
)
def test_what_does_not_arrive_as_a_whole_stays(partitioned: Database, hindrance: tuple[str, ...], said: str) -> None:
    partitioned.sql(*hindrance)
    with pytest.raises(SchemaKitError, match=said):
        undo(partitioned)
    assert partitioned.sql(COUNT) == [(149, 149, 149)]
    assert partitioned.sql("SELECT relkind::text FROM pg_class WHERE oid = 't'::regclass") == [("p",)]
    assert partitioned.sql("SELECT count(*) FROM pg_trigger WHERE tgenabled = 'D'") == [(0,)]


def test_triggers_of_a_partition_do_not_fire_for_rows_that_move(partitioned: Database) -> None:
    partitioned.sql(
        "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS "
        "'BEGIN INSERT INTO other VALUES (1); RETURN OLD; END'",
        "CREATE TRIGGER n BEFORE DELETE ON t4 FOR EACH ROW EXECUTE FUNCTION note()",
    )
    undo(partitioned)
    assert partitioned.sql("SELECT count(*) FROM other") == [(0,)]
    assert partitioned.sql(COUNT) == [(149, 149, 149)]


def test_rows_written_into_what_was_emptied_are_not_dropped(
    partitioned: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    impatient(monkeypatch)
    old = partitioned.connect(autocommit=False)
    old.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    old.execute("SELECT count(*) FROM other")
    undo(partitioned)
    partitioned.sql("INSERT INTO t3 VALUES (999, '2026-03-05', 1)")
    old.rollback()
    with pytest.raises(ExecutionError, match="rows were written into what was emptied"):
        undo(partitioned)
    assert partitioned.sql(COUNT) == [(150, 150, 150)]


def test_a_partition_that_is_a_foreign_table_is_refused_before_anything_is_written(database: Database) -> None:
    database.sql(
        "CREATE FOREIGN DATA WRAPPER elsewhere",
        "CREATE SERVER there FOREIGN DATA WRAPPER elsewhere",
        "CREATE TABLE f (id bigint, at timestamptz) PARTITION BY RANGE (at)",
        "CREATE TABLE f_1 PARTITION OF f FOR VALUES FROM ('2026-01-01') TO ('2026-02-01')",
        "CREATE FOREIGN TABLE f_2 PARTITION OF f FOR VALUES FROM ('2026-02-01') TO ('2026-03-01') SERVER there",
    )
    with pytest.raises(PlanError, match=r"partition public\.f_2 is a foreign table: detach it first"):
        perform(database, lambda op: op.unpartition("f", keep_primary_key=True))
    assert database.sql("SELECT count(*) FROM pg_inherits WHERE inhparent = 'f'::regclass") == [(2,)]
