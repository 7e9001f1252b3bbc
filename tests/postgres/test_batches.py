"""Updates in batches: each row once, whatever interrupts them, whatever the key, and whoever else is at work."""

from __future__ import annotations

import datetime
import decimal
import io
import math
import os
import random
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations

from schema_kit import environment, execute
from schema_kit.catalog import Catalog, session
from schema_kit.errors import DeclarationError, ExecutionError, LockNotAvailable, PlanError
from schema_kit.execute import Event, StepProgress, StepStarted, Waiting
from schema_kit.names import QualifiedName
from schema_kit.ops import Settings
from schema_kit.script import LockPolicy, render
from schema_kit.steps.batches import UpdateBatch
from tests.support.database import QUICK, Database
from tests.support.locks import wait_until
from tests.support.matrix import perform
from tools.operations_chapter import Recorder

pytestmark = [pytest.mark.columns, pytest.mark.majors]

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


# Each row once


def test_every_row_is_updated_and_a_second_run_does_nothing(database: Database) -> None:
    database.sql(*TABLE, "ANALYZE t")
    events = update(database)
    assert counts(database) == [(1, ROWS)]
    assert batches(events) == ROWS // 10 + 1
    told = [event for event in events if isinstance(event, StepProgress)]
    assert told[4].state == "50 rows, 50 of them changed"
    assert told[4].share == 0.5
    assert told[-1].share == 1
    assert update(database) == []
    assert counts(database) == [(1, ROWS)]
    assert database.sql(
        "SELECT table_name, change, key_columns, last_key, rows_seen, rows_changed, finished_at > started_at "
        "FROM schema_kit.batch_progress"
    ) == [("public.t", 'SET "n" = n + 1', ["id"], [str(ROWS)], ROWS, ROWS, True)]


def test_it_can_be_run_again_by_forgetting_it_or_under_another_name(database: Database) -> None:
    database.sql(*TABLE)
    update(database, name="twice")
    database.sql("DELETE FROM schema_kit.batch_progress WHERE name = 'twice'")
    update(database, name="twice")
    update(database, name="ชื่อ 'it''s' \\ \"name\"")
    assert counts(database) == [(3, ROWS)]


def test_an_empty_table_is_finished_at_once(database: Database) -> None:
    database.sql(TABLE[0])
    assert batches(update(database)) == 1
    assert update(database) == []


def test_stopped_after_each_batch_it_goes_on_from_there(database: Database) -> None:
    database.sql(*TABLE)
    for _ in range(ROWS // 10 + 1):
        with pytest.raises(Stopped):
            perform(database, lambda op: op.update_in_batches("t", ONE_MORE, **SMALL), on=stopped_after(1))
    update(database)  # which looks for rows that were missed
    assert update(database) == []
    assert counts(database) == [(1, ROWS)]


@pytest.mark.parametrize("seed", range(3))
def test_stopped_before_any_statement_it_goes_on_from_there(
    database: Database, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    database.sql(*TABLE)
    chance, stops = random.Random(seed), 0
    with pytest.MonkeyPatch.context() as patch:
        left = [0]

        def failing(send: Callable[[sa.Connection, Any], Any]) -> Callable[[sa.Connection, Any], Any]:
            def failing(connection: sa.Connection, sql: Any) -> Any:
                left[0] -= 1
                if left[0] == 0:
                    raise Stopped
                return send(connection, sql)

            return failing

        patch.setattr(execute, "send", failing(session.send))
        patch.setattr(execute, "send_together", failing(session.send_together))
        while True:
            left[0] = chance.randint(1, 5)
            try:
                update(database)
            except Stopped:
                stops += 1
            else:
                break
    assert stops > 3
    assert counts(database) == [(1, ROWS)]


PROGRAM = """
import sys
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations
import schema_kit.ops
from schema_kit import environment
with environment.connect(sa.make_url(sys.argv[1]).set(drivername="postgresql+psycopg"), autocommit=True) as connection:
    Operations(MigrationContext.configure(connection)).update_in_batches(
        "t", {"n": sa.text("n + 1")}, batch_size=10, target_seconds=1e-6)
"""


@pytest.mark.exhaustive
def test_killed_in_the_middle_it_goes_on_from_there(database: Database) -> None:
    rows = 6000
    database.sql(TABLE[0], f"INSERT INTO t (id) SELECT generate_series(1, {rows})")
    chance = random.Random(7)
    for share in (0.2, 0.6):
        with subprocess.Popen([sys.executable, "-c", PROGRAM, database.url]) as program:
            wait_until(lambda share=share: seen(database) > share * rows)  # type: ignore[misc]
            time.sleep(chance.uniform(0, 0.02))
            os.kill(program.pid, signal.SIGKILL)
        assert seen(database) < rows
    update(database)
    assert counts(database) == [(1, rows)]


def test_a_session_that_the_server_ends_loses_nothing(database: Database) -> None:
    database.sql(*TABLE)

    def end(event: Event) -> None:
        if isinstance(event, StepProgress) and event.state.startswith("50 "):
            database.sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE application_name = 'schema_kit' AND datname = current_database()"
            )

    with pytest.raises((ExecutionError, sa.exc.DBAPIError)):
        perform(database, lambda op: op.update_in_batches("t", ONE_MORE, **SMALL), on=end)
    assert seen(database) == 50
    update(database)
    assert counts(database) == [(1, ROWS)]


def seen(database: Database) -> int:
    try:
        return sum(row[0] for row in database.sql("SELECT rows_seen FROM schema_kit.batch_progress"))
    except psycopg.errors.UndefinedTable:
        return 0


# Others at work


def test_two_runs_at_once_share_the_batches(database: Database) -> None:
    rows = 1000
    database.sql(TABLE[0], f"INSERT INTO t (id) SELECT generate_series(1, {rows})")
    update(database, where="false", name="makes the table of progress")
    errors: list[BaseException] = []

    def work() -> None:
        try:
            connection = database.sqlalchemy()
            made: Any = Operations(MigrationContext.configure(connection, opts={"schema_kit": Settings(policy=QUICK)}))
            made.update_in_batches("t", ONE_MORE, **SMALL)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert counts(database) == [(1, rows)]


@pytest.mark.parametrize("isolation", ["read committed", "serializable"])
def test_writers_go_on_and_nothing_of_theirs_is_lost(database: Database, isolation: str) -> None:
    rows = 1000
    database.sql(
        TABLE[0],
        f"INSERT INTO t (id) SELECT generate_series(1, {rows})",
        f"DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_isolation = ''{isolation}''', "
        "current_database()); END $$",
    )
    stop, errors, touches = threading.Event(), list[BaseException](), [0, 0]

    def write(writer: int) -> None:
        chance = random.Random(writer)
        try:
            with psycopg.connect(database.url, autocommit=True) as connection:
                connection.execute("SET default_transaction_isolation = 'read committed'")
                while not stop.is_set():
                    key = chance.randint(1, rows)
                    connection.execute("UPDATE t SET touched = touched + 1 WHERE id = %s", [key])
                    touches[writer] += 1
                    connection.execute("DELETE FROM t WHERE id = %s", [rows + 1 + writer])
                    connection.execute("INSERT INTO t (id, n) VALUES (%s, 1)", [rows + 1 + writer])
        except BaseException as error:
            errors.append(error)

    writers = [threading.Thread(target=write, args=(writer,)) for writer in range(2)]
    for thread in writers:
        thread.start()
    update(database, where="id <= 1000")
    stop.set()
    for thread in writers:
        thread.join()
    assert errors == []
    assert database.sql("SELECT n, count(*)::int FROM t WHERE id <= 1000 GROUP BY n") == [(1, rows)]
    assert database.sql("SELECT sum(touched)::int FROM t") == [(sum(touches),)]


@contextmanager
def holding(database: Database, *ids: int) -> Iterator[psycopg.Connection[Any]]:
    other = database.connect(autocommit=False)
    other.execute("SET application_name = 'the holder'")
    other.execute("UPDATE t SET touched = touched + 1 WHERE id = ANY (%s)", [list(ids)])
    yield other
    other.rollback()


def test_a_row_that_is_held_is_waited_for_and_updated_as_it_was_left(database: Database) -> None:
    database.sql(*TABLE)
    waits: list[Waiting] = []
    with holding(database, 55) as other:

        def emit(event: Event) -> None:
            if isinstance(event, Waiting):
                waits.append(event)
                other.commit()

        perform(database, lambda op: op.update_in_batches("t", ONE_MORE, **SMALL), on=emit)
    assert "(the holder): RowExclusiveLock on public.t, idle in transaction" in waits[0].blockers[0]
    assert counts(database) == [(1, ROWS)]
    assert database.sql("SELECT touched FROM t WHERE id = 55") == [(1,)]


def test_a_row_that_is_never_let_go_ends_it_and_nothing_is_lost(database: Database) -> None:
    database.sql(*TABLE)
    with holding(database, 55), pytest.raises(LockNotAvailable, match="the holder"):
        update(database, policy=LockPolicy(first=20, longest=20, attempts=3))
    assert counts(database) == [(0, 50), (1, 50)]
    update(database)
    assert counts(database) == [(1, ROWS)]


def test_tries_are_counted_anew_after_each_batch_that_came_through(database: Database) -> None:
    database.sql(*TABLE)
    with holding(database, 25) as first, holding(database, 45) as second, holding(database, 65) as third:
        holders = iter((first, second, third))

        def emit(event: Event) -> None:
            if isinstance(event, Waiting):
                next(holders).rollback()

        policy = LockPolicy(first=20, longest=20, attempts=2)
        perform(database, lambda op: op.update_in_batches("t", ONE_MORE, **SMALL), on=emit, policy=policy)
    assert counts(database) == [(1, ROWS)]


def test_no_row_stays_locked_between_batches(database: Database) -> None:
    database.sql(*TABLE)

    def emit(event: Event) -> None:
        if isinstance(event, StepProgress):
            assert database.sql("SELECT count(*)::int FROM (SELECT 1 FROM t FOR UPDATE SKIP LOCKED) t") == [(ROWS,)]
            assert database.sql("SELECT pid FROM pg_locks WHERE relation = 't'::regclass") == []

    perform(database, lambda op: op.update_in_batches("t", ONE_MORE, **SMALL), on=emit)


# Which rows, which keys, which values


def test_where_chooses_the_rows(database: Database) -> None:
    database.sql(*TABLE)
    update(database, where=sa.text("id % 3 = 0 AND word LIKE 'w%' OR id = 1 -- and no more"))
    assert database.sql("SELECT array_agg(id) FROM t WHERE n = 1 AND id % 3 > 0") == [([1],)]
    assert counts(database) == [(0, 66), (1, 34)]
    assert database.sql("SELECT rows_seen, rows_changed FROM schema_kit.batch_progress") == [(ROWS, 34)]


def test_expressions_may_refer_to_other_tables_and_to_the_row(database: Database) -> None:
    database.sql(
        *TABLE,
        "CREATE SCHEMA s",
        "CREATE TABLE s.other (id bigint, n int, word text)",
        "INSERT INTO s.other SELECT i, i * 2, '50%' FROM generate_series(1, 100) i",
        "CREATE INDEX t_word ON t (word)",
    )
    t = sa.table("t", sa.column("id"), sa.column("n"), sa.column("word"))
    other = sa.table("other", sa.column("id"), sa.column("n"), sa.column("word"), schema="s")
    found = sa.select(other.c.n).where(other.c.id == t.c.id).scalar_subquery()
    update(
        database,
        {"n": found, "word": t.c.word + "%\\'ไทย"},
        where=sa.and_(t.c.id > 10, t.c.word.like("w%"), sa.exists().where(other.c.id == t.c.id)),
    )
    assert database.sql("SELECT count(*)::int FROM t WHERE n = id * 2 AND word = 'w' || id || '%\\''ไทย'") == [(90,)]


MOMENT = datetime.datetime(2026, 2, 3, 4, 5, 6, 7, tzinfo=datetime.UTC)
LITERALS: dict[str, tuple[str, Any]] = {
    "text": ("text", 'it\'s 100% \\ "ไทย" :name %(x)s'),
    "null": ("text", None),
    "boolean": ("boolean", True),
    "integer": ("bigint", -5),
    "float": ("float8", math.inf),
    "numeric": ("numeric(12,3)", decimal.Decimal("12.500")),
    "moment": ("timestamptz", MOMENT),
    "date": ("date", datetime.date(2026, 2, 3)),
    "interval": ("interval", datetime.timedelta(hours=5)),
    "uuid": ("uuid", uuid.UUID(int=7)),
    "bytes": ("bytea", b"\x00\\'%"),
    "json": ("jsonb", {"key": ["it's", {"ไทย": "\\"}]}),
    'Quo"ted.ชื่อ%s': ("int", 3),
}


def test_python_values_arrive_as_they_are(database: Database) -> None:
    columns = ", ".join(f'"{name.replace(chr(34), chr(34) * 2)}" {kind}' for name, (kind, _) in LITERALS.items())
    database.sql(f"CREATE TABLE t (id int PRIMARY KEY, {columns})", "INSERT INTO t (id) VALUES (1)")
    update(database, {name: value for name, (_, value) in LITERALS.items()})
    assert database.sql("SELECT * FROM t") == [(1, *(value for _, value in LITERALS.values()))]


KEYS: dict[str, tuple[str, str]] = {
    # The types of the key columns, and the keys of row i.
    "integer": ("int", "i"),
    "uuid": ("uuid", "md5(i::text)::uuid"),
    "text": ("text", "(ARRAY['a', 'B', 'ก', ''' \"\\', '', '%s'])[1 + i % 6] || i"),
    "own_collation": ('text COLLATE "C"', "(ARRAY['a', 'B', 'ก'])[1 + i % 3] || i"),
    "varchar": ("varchar(9)", "'v' || i"),
    "char": ("char(9)", "'c ' || i"),
    "numeric": ("numeric", "CASE i WHEN 7 THEN 'NaN' ELSE i * 1.10 END"),
    "float": ("float8", "CASE i WHEN 7 THEN '-Infinity' ELSE i / 3.0::float8 END"),
    "date": ("date", "CASE i WHEN 7 THEN 'infinity' WHEN 8 THEN '0044-03-15 BC' ELSE date '2026-01-01' + i END"),
    "timestamp": ("timestamp", "timestamp '2026-10-25 01:02:03.456789' + i * interval '17 min'"),
    "moment": (
        "timestamptz",
        "CASE i WHEN 7 THEN '-infinity' ELSE timestamptz '2026-10-25Z' + i * interval '7 min' END",
    ),
    "bytes": ("bytea", "decode(md5(i::text), 'hex')"),
    "enum": ('s."E.num"', '(enum_range(NULL::s."E.num"))[1 + i]'),
    "domain": ("s.positive", "i"),
    "array": ("int[]", "ARRAY[i % 7, i]"),
    "range": ("int4range", "int4range(i, i + 1)"),
    "inet": ("inet", "inet '10.0.0.0' + i"),
    "json": ("jsonb", "jsonb_build_object('k', i)"),
    "case_insensitive": ("ext.citext", "chr(65 + i % 26 + 32 * (i % 2)) || i"),
    "two": ("int, text", "i % 3, 'b' || i"),
    "tenant": (
        "uuid, timestamptz, bigint",
        "md5((i % 4)::text)::uuid, timestamptz '2026-10-25Z' + i % 5 * interval '1 h', i",
    ),
    "two_homes": ("ext.citext, int, ext.citext", "chr(65 + i % 3), i % 5, chr(97 + i % 26) || i"),
}


@pytest.mark.parametrize("kinds", [list(KEYS)[part::4] for part in range(4)], ids=lambda kinds: "+".join(kinds))
def test_any_primary_key_will_do(database: Database, kinds: list[str]) -> None:
    labels = ", ".join(f"'{label}'" for label in random.Random(1).sample([f"l {i}" for i in range(60)], 60))
    database.sql(
        "CREATE SCHEMA s",
        "CREATE SCHEMA ext",
        "CREATE EXTENSION citext SCHEMA ext",
        f'CREATE TYPE s."E.num" AS ENUM ({labels})',
        "CREATE DOMAIN s.positive AS int CHECK (VALUE >= 0)",
    )
    for kind in kinds:
        types, keys = KEYS[kind]
        columns = [f'"K {number}.ก"' for number in range(types.count(", ") + 1)]
        declared = ", ".join(f"{c} {t}" for c, t in zip(columns, types.split(", "), strict=True))
        database.sql(
            f'CREATE TABLE s."T {kind}" (n int DEFAULT 0, {declared}, PRIMARY KEY ({", ".join(columns)}))',
            f'INSERT INTO s."T {kind}" ({", ".join(columns)}) SELECT {keys} FROM generate_series(0, 59) i',
        )
        with pytest.raises(Stopped):
            perform(
                database,
                lambda op, kind=kind: op.update_in_batches(f"T {kind}", ONE_MORE, schema="s", **SMALL),  # type: ignore[misc]
                on=stopped_after(3),
            )
    database.sql(
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %1$I SET DateStyle = ''SQL, DMY''; ALTER DATABASE %1$I SET "
        "TimeZone = ''Asia/Kolkata''; ALTER DATABASE %1$I SET bytea_output = ''escape''', current_database()); END $$"
    )
    for kind in kinds:
        events = update(database, table=f"T {kind}", schema="s")
        assert (kind, batches(events), counts(database, f's."T {kind}"')) == (kind, 4, [(1, 60)])


def test_a_partitioned_table_is_updated_as_a_whole(database: Database) -> None:
    database.sql(
        "CREATE TABLE t (id int, at date, n int DEFAULT 0, PRIMARY KEY (id, at)) PARTITION BY RANGE (at)",
        "CREATE TABLE t1 PARTITION OF t FOR VALUES FROM ('2026-01-01') TO ('2026-02-01') PARTITION BY HASH (id)",
        "CREATE TABLE t1a PARTITION OF t1 FOR VALUES WITH (MODULUS 2, REMAINDER 0)",
        "CREATE TABLE t1b PARTITION OF t1 FOR VALUES WITH (MODULUS 2, REMAINDER 1)",
        "CREATE TABLE t2 (n int DEFAULT 0, at date NOT NULL, id int NOT NULL, PRIMARY KEY (id, at))",
        "ALTER TABLE t ATTACH PARTITION t2 FOR VALUES FROM ('2026-02-01') TO ('2026-03-01')",
        "INSERT INTO t SELECT i, date '2026-01-01' + i % 50 FROM generate_series(1, 200) i",
        "ANALYZE t",
    )
    with pytest.raises(Stopped):
        perform(database, lambda op: op.update_in_batches("t", ONE_MORE, **SMALL), on=stopped_after(7))
    told = [event for event in update(database) if isinstance(event, StepProgress)]
    assert counts(database) == [(1, 200)]
    assert told[0].state == "80 rows, 80 of them changed"
    assert told[0].share == 0.4


def test_batches_are_found_by_the_primary_key_alone(database: Database) -> None:
    database.sql(
        "CREATE TABLE t (a int, b int, n int DEFAULT 0, s int DEFAULT 0, PRIMARY KEY (a, b))",
        "INSERT INTO t SELECT i % 3, i FROM generate_series(1, 20000) i",
        "CREATE INDEX t_s ON t (s)",
        "VACUUM ANALYZE t",
    )
    with pytest.raises(Stopped):
        perform(database, lambda op: op.update_in_batches("t", ONE_MORE, where="s = 0", **SMALL), on=stopped_after(2))
    batch = step(database, where="s = 0")
    with database.connect() as connection:
        *before, statement, end = render(batch, QUICK)
        for line in before:
            connection.execute(line.encode())
        plan = "\n".join(row[0] for row in connection.execute(b"EXPLAIN " + statement.encode()))
        connection.execute(end.encode())
    assert "Seq Scan on t" not in plan
    assert "t_s" not in plan
    assert "Sort " not in plan.replace("Sort Key", "")


# Sizes and pauses


def test_batches_grow_while_they_are_quick_and_shrink_while_they_are_slow(database: Database) -> None:
    database.sql(TABLE[0], "INSERT INTO t (id) SELECT generate_series(1, 400)")
    sizes = "SELECT batch_size FROM schema_kit.batch_progress WHERE name = 'run'"
    update(database, name="run", target_seconds=60)
    assert database.sql(sizes) == [(640,)]  # 10, 20, 40, 80, 160, 320
    database.sql("DELETE FROM schema_kit.batch_progress")
    slow = {"n": sa.text("n + 1 + 0 * length(pg_sleep(0.0005)::text)")}
    assert batches(update(database, slow, name="run", batch_size=160)) == 15  # 160, 80, 40, 20, then tens
    assert database.sql(sizes) == [(10,)]


def test_it_pauses_for_as_long_as_there_is_a_reason(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    database.sql(*TABLE, "CREATE TABLE reason (text text)", "INSERT INTO reason VALUES ('the replica is tired')")
    monkeypatch.setattr(UpdateBatch, "pressure", "SELECT text FROM public.reason")
    monkeypatch.setattr(execute, "_GIVE_WAY_SECONDS", 0.01)
    waits: list[Waiting] = []

    def emit(event: Event) -> None:
        if isinstance(event, Waiting):
            waits.append(event)
            if len(waits) == 3:
                assert counts(database) == [(0, 100)], "before the first batch, too"
                database.sql("DELETE FROM reason")

    perform(database, lambda op: op.update_in_batches("t", ONE_MORE, **SMALL), on=emit)
    assert [wait.blockers for wait in waits] == [("the replica is tired",)] * 3
    assert counts(database) == [(1, ROWS)]


def test_the_reasons_are_replicas_that_lag_and_dead_rows_under_vacuum(database: Database) -> None:
    database.sql("CREATE TABLE t (id int PRIMARY KEY, n int DEFAULT 0) WITH (autovacuum_enabled = off)")
    database.sql("INSERT INTO t SELECT generate_series(1, 30000)", "UPDATE t SET n = 0")
    with pytest.raises(Stopped):
        perform(database, lambda op: op.update_in_batches("t", ONE_MORE, **SMALL), on=stopped_after(1))
    pressure = step(database).pressure
    assert pressure is not None
    assert database.sql(pressure) == []
    late = pressure.replace(
        "FROM pg_stat_replication r",
        "FROM (VALUES ('east', NULL::inet, 1, interval '11.26 s', NULL::pg_lsn, NULL::timestamptz), "
        "('west', NULL, 1, '9 s', NULL, NULL), ('north', NULL, 1, '9 s', '0/1', now() - interval '12.2 s'), "
        "('idle', NULL, 1, '1 s', pg_current_wal_flush_lsn(), now() - interval '1 hour')) r "
        "(application_name, client_addr, pid, replay_lag, flush_lsn, reply_time)",
    )
    assert {text.rpartition(".")[0] for (text,) in database.sql(late)} == {
        "replica east lags 11",
        "replica north has not answered for 12",
    }
    with database.connect() as vacuum:
        vacuum.execute("SET vacuum_cost_delay = 100; SET vacuum_cost_limit = 1")

        def clean() -> None:
            with suppress(psycopg.errors.QueryCanceled):
                vacuum.execute("VACUUM t")

        thread = threading.Thread(target=clean)
        thread.start()
        wait_until(lambda: database.sql(pressure))
        assert "of the rows of public.t are dead, and vacuum is at work" in database.sql(pressure)[0][0]
        database.sql("UPDATE schema_kit.batch_progress SET batch_at = now() - interval '61 s'")
        assert database.sql(pressure) == [], "a batch goes through every minute, whoever lags"
        vacuum.cancel()
        thread.join()
    assert step(database, max_replica_lag=None, max_dead_share=None).pressure is None


# What is refused, and what begins anew


def test_a_column_or_table_that_was_made_anew_is_updated_again(database: Database) -> None:
    database.sql(*TABLE)
    update(database)
    database.sql("ALTER TABLE t DROP n", "ALTER TABLE t ADD n int NOT NULL DEFAULT 0")
    update(database)
    assert counts(database) == [(1, ROWS)]
    database.sql("DROP TABLE t", *TABLE)
    update(database)
    assert counts(database) == [(1, ROWS)]
    assert update(database) == []


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no table": ({"table": "u"}, "there is no such table"),
    "a view": ({"table": "v"}, "is a view, and this is for a table"),
    "no primary key": ({"table": "keyless"}, "op.create_primary_key_concurrently"),
    "no column": ({"values": {"m": 1}}, "has no column m .* It has id, n, touched, word"),
    "computed": ({"values": {"computed": 1}, "table": "other"}, "has no column computed"),
    "of the key": ({"values": {"id": 1}}, "id belongs to the primary key"),
    "another's name": ({"name": "taken"}, "'taken' for another update, of public.t: SET \"n\" = n - 1"),
}


@pytest.mark.parametrize("reason", REFUSED)
def test_what_cannot_be_done_is_refused_before_anything_is_written(database: Database, reason: str) -> None:
    options, message = REFUSED[reason]
    database.sql(
        *TABLE,
        "CREATE VIEW v AS SELECT * FROM t",
        "CREATE TABLE keyless (n int)",
        "CREATE TABLE other (id int PRIMARY KEY, computed int GENERATED ALWAYS AS (id * 2) STORED)",
    )
    update(database, {"n": sa.text("n - 1")}, where="false", name="taken")
    with pytest.raises(PlanError, match=message):
        update(database, **options)
    assert counts(database) == [(0, ROWS)]


def test_a_key_that_changed_under_way_is_refused(database: Database) -> None:
    database.sql(*TABLE)
    with pytest.raises(Stopped):
        perform(database, lambda op: op.update_in_batches("t", ONE_MORE, **SMALL), on=stopped_after(2))
    database.sql("ALTER TABLE t DROP CONSTRAINT t_pkey, ADD PRIMARY KEY (id, touched)")
    with pytest.raises(PlanError, match=r"in the order of \(id\), and the primary key is \(id, touched\) now"):
        update(database)


def test_a_batch_that_postgresql_refuses_leaves_those_before_it(database: Database) -> None:
    database.sql(*TABLE, "ALTER TABLE t ADD CHECK (id <> 55 OR n = 0)")
    with pytest.raises(ExecutionError, match="violates check constraint"):
        update(database)
    assert counts(database) == [(0, 50), (1, 50)]
    database.sql("ALTER TABLE t DROP CONSTRAINT t_check")
    update(database)
    assert counts(database) == [(1, ROWS)]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 0}, "batch_size is 0, not from 1 to 100000"),
        ({"batch_size": 100_001}, "batch_size"),
        ({"target_seconds": 0}, "target_seconds"),
        ({"target_seconds": math.nan}, "target_seconds"),
        ({"max_replica_lag": -1}, "max_replica_lag"),
        ({"max_dead_share": 1.5}, "max_dead_share"),
        ({"values": {}}, "values are empty"),
        ({"values": {"n": object()}}, "has no literal in SQL"),
        ({"values": {"n": [1]}}, "has no literal in SQL"),
        ({"values": {"n": "nul \0"}}, "NUL"),
    ],
)
def test_what_makes_no_sense_is_refused_without_a_database(options: dict[str, Any], message: str) -> None:
    given = {"values": ONE_MORE} | options
    with pytest.raises(DeclarationError, match=message):
        offline(lambda op: op.update_in_batches("t", **given))


# Rows that a policy hides


def test_an_owner_from_whom_row_security_hides_rows_is_refused(database: Database) -> None:
    role = f"owner_{uuid.uuid4().hex}"
    database.sql(
        *TABLE,
        f"CREATE ROLE {role} LOGIN",
        f"GRANT CREATE ON DATABASE {database.sql('SELECT quote_ident(current_database())')[0][0]} TO {role}",
        f"ALTER TABLE t OWNER TO {role}",
        "ALTER TABLE t ENABLE ROW LEVEL SECURITY",
        "ALTER TABLE t FORCE ROW LEVEL SECURITY",
        "CREATE POLICY odd ON t USING (id % 2 = 1)",
    )
    url = sa.make_url(database.url).set(drivername="postgresql+psycopg", username=role)

    def as_owner() -> None:
        with environment.connect(url, autocommit=True) as connection:
            context = MigrationContext.configure(connection, opts={"schema_kit": Settings(policy=QUICK)})
            made: Any = Operations(context)
            made.update_in_batches("t", ONE_MORE, **SMALL)

    try:
        with pytest.raises(ExecutionError, match=r"row security of public\.t hides rows"):
            as_owner()
        assert counts(database) == [(0, ROWS)]
        assert database.sql("SELECT finished_at FROM schema_kit.batch_progress") == [(None,)]
        database.sql("ALTER TABLE t NO FORCE ROW LEVEL SECURITY")
        as_owner()
        assert counts(database) == [(1, ROWS)]
    finally:
        database.sql("DROP SCHEMA schema_kit CASCADE", "DROP TABLE t", f"DROP OWNED BY {role}", f"DROP ROLE {role}")


# The doors


def offline(operate: Callable[[Any], None]) -> str:
    script = io.StringIO()
    context = MigrationContext.configure(dialect_name="postgresql", opts={"as_sql": True, "output_buffer": script})
    operate(Operations(context))
    return script.getvalue()


def test_a_script_holds_one_plain_update() -> None:
    script = offline(lambda op: op.update_in_batches("t", {"n": 1}, where="n IS NULL", schema="S"))
    assert '\nUPDATE "S"."t" SET "n" = 1 WHERE n IS NULL;\n' in script
    assert "SET LOCAL row_security = 'off';" in script
    assert "-- update S.t in one statement: this script is for a database that was empty at base" in script


def test_inside_a_transaction_it_takes_alembics_autocommit_block(database: Database) -> None:
    database.sql(*TABLE)
    url = sa.make_url(database.url).set(drivername="postgresql+psycopg")
    with environment.connect(url) as connection:
        context = MigrationContext.configure(connection)
        with context.begin_transaction():
            made: Any = Operations(context)
            made.update_in_batches("t", ONE_MORE)
            with context.autocommit_block():
                made.update_in_batches("t", ONE_MORE, name="again")
    assert counts(database) == [(2, ROWS)]


def test_it_is_planned_in_four_steps_and_told(database: Database) -> None:
    database.sql(*TABLE)
    started = [event.step.summary for event in update(database, name="run") if isinstance(event, StepStarted)]
    assert started == [
        "create schema_kit.batch_progress",
        "begin the update run",
        "update n of public.t in batches",
        "look for rows of public.t that were missed",
    ]
    assert QualifiedName("schema_kit", "batch_progress").sql in render(step(database, name="run 2"), QUICK)[-2]
