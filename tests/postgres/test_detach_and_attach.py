"""Detaching, attaching and dropping partitions: what is left, what is refused, and who waits for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import date
from typing import Any

import psycopg
import pytest

from schema_kit.errors import ExecutionError, LockNotAvailable, PlanError
from schema_kit.execute import StepDone, Waiting
from schema_kit.steps.retirement import AttachPartition, Detach, DetachConcurrently, FinalizeDetach
from tests.support.database import QUICK, Database
from tests.support.locks import HELD_SECONDS, Probe, busy
from tests.support.matrix import perform, told

pytestmark = [pytest.mark.partitions, pytest.mark.majors]

ODD = 'ก"ตาราง.A'
SET = (
    "CREATE SCHEMA s",
    "CREATE TABLE s.o (id bigint PRIMARY KEY)",
    "CREATE TABLE s.r (id bigint PRIMARY KEY)",
    """CREATE TABLE s.t (id bigint, k timestamptz NOT NULL, o bigint REFERENCES s.o, word text CHECK (word <> ''),
         PRIMARY KEY (id, k)) PARTITION BY RANGE (k)""",
    "CREATE INDEX t_word ON s.t (word) WHERE word IS NOT NULL",
    "CREATE TABLE s.t1 PARTITION OF s.t FOR VALUES FROM ('2026-01-01+00') TO ('2026-02-01+00')",
    "CREATE TABLE s.t2 PARTITION OF s.t FOR VALUES FROM ('2026-02-01+00') TO ('2026-03-01+00') PARTITION BY LIST (id)",
    "CREATE TABLE s.t2a PARTITION OF s.t2 FOR VALUES IN (1)",
    "CREATE TABLE s.t2b PARTITION OF s.t2 DEFAULT",
    "CREATE TABLE s.t3 PARTITION OF s.t FOR VALUES FROM ('2026-03-01+00') TO ('2026-04-01+00')",
    "CREATE TABLE s.c (id bigint PRIMARY KEY, tid bigint, tk timestamptz, FOREIGN KEY (tid, tk) REFERENCES s.t)",
    "INSERT INTO s.o SELECT generate_series(1, 10)",
    """INSERT INTO s.t SELECT i, '2026-01-01+00'::timestamptz + i * interval '100 minutes', 1 + i % 10, 'w' || i
         FROM generate_series(1, 1200) i""",
)
CONTENT = "SELECT count(*), sum(hashtextextended(t::text, 0)::numeric) FROM s.{} t"


def detach(database: Database, partition: str = "t1") -> None:
    perform(database, lambda op: op.detach_partition_concurrently("t", partition, schema="s"))


def drop(database: Database, partition: str = "t1") -> None:
    perform(database, lambda op: op.drop_partition_concurrently("t", partition, schema="s"))


def attach(database: Database, partition: str, from_: Any, to: Any) -> None:
    perform(database, lambda op: op.attach_partition_concurrently("t", partition, from_, to, schema="s"))


def attached(database: Database) -> list[str]:
    return [
        row[0]
        for row in database.sql(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 's.t'::regclass "
            "AND NOT inhdetachpending ORDER BY 1"
        )
    ]


def record(database: Database) -> list[tuple[Any, ...]]:
    return database.sql("SELECT partition_name, parent_table, bounds FROM schema_kit.retired_partition ORDER BY 1")


def kinds(events: list[Any]) -> list[str]:
    return [type(event.step).__name__ for event in events if isinstance(event, StepDone)]


@pytest.mark.parametrize("partition", ["t1", "t2"])
def test_out_and_back_again(database: Database, monkeypatch: pytest.MonkeyPatch, partition: str) -> None:
    database.sql(*SET)
    before = database.sql(CONTENT.format("t"))
    ends = {"t1": ("2026-01-01", date(2026, 2, 1)), "t2": (date(2026, 2, 1), "2026-03-01 07:00+07")}[partition]
    with told(monkeypatch) as events:
        detach(database, partition)
    assert kinds(events) == ["EnsureTable", "RecordRetired", "DetachConcurrently"]
    assert f"s.{partition}" not in attached(database)
    assert [row[:2] for row in record(database)] == [(f"s.{partition}", "s.t")]
    with told(monkeypatch) as events:
        detach(database, partition)
    assert not events
    with told(monkeypatch) as events:
        attach(database, partition, *ends)
    assert kinds(events) == ["AttachPartition", "ForgetRetired"]  # the check that the detach has left spares the scan
    assert database.sql(CONTENT.format("t")) == before
    assert f"s.{partition}" in attached(database)
    checks = f"SELECT conname FROM pg_constraint WHERE conrelid = 's.{partition}'::regclass AND contype = 'c'"
    assert database.sql(checks) == [("t_word_check",)]
    assert record(database) == []
    with told(monkeypatch) as events:
        attach(database, partition, *ends)
    assert not events


def test_a_table_of_its_own_comes_in(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    database.sql(
        *SET,
        "CREATE TABLE s.own (word text, o bigint, k timestamptz, id bigint)",
        "INSERT INTO s.own SELECT 'x' || i, 1 + i % 10, '2025-12-05+00', i FROM generate_series(1, 500) i",
    )
    with told(monkeypatch) as events:
        attach(database, "own", None, "2026-01-01")
    steps = kinds(events)
    assert steps[-1] == "AttachPartition"
    assert steps.count("CreateIndexLikeParents") == 2
    assert {"AddForeignKey", "AddCheck", "ValidateConstraint", "AddKeyUsingIndex"} <= set(steps)
    assert database.sql("SELECT count(*) FROM s.t WHERE k < '2026-01-01+00'") == [(500,)]
    indexes = "SELECT count(*), count(inhrelid) FROM pg_index LEFT JOIN pg_inherits ON inhrelid = indexrelid "
    assert database.sql(indexes + "WHERE indrelid = 's.own'::regclass") == [(2, 2)]
    assert database.sql("SELECT count(*) FROM pg_constraint WHERE conrelid = 's.own'::regclass AND contype = 'f'") == [
        (1,)
    ]


def test_attach_scans_and_builds_nothing(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    database.sql(
        *SET,
        "CREATE TABLE s.own (id bigint, k timestamptz, o bigint, word text)",
        "INSERT INTO s.own SELECT i, '2025-12-05+00', 1, 'x' FROM generate_series(1, 500) i",
        "CREATE TABLE s.rest PARTITION OF s.t DEFAULT",
        "INSERT INTO s.rest VALUES (1, '2030-01-01', 1, 'x')",
    )
    steps: list[AttachPartition] = []

    def keep(event: Any) -> None:
        if isinstance(event.step, AttachPartition):
            steps.append(event.step)
            raise InterruptedError

    monkeypatch.setattr("schema_kit.report.to_logging", keep)
    with pytest.raises(InterruptedError):
        attach(database, "own", None, "2026-01-01")
    debug: list[str] = []
    with psycopg.connect(database.url) as connection:
        connection.add_notice_handler(lambda notice: debug.append(notice.message_primary or ""))
        connection.execute("SET client_min_messages = debug1")
        for statement in steps[0].sql():
            connection.execute(statement.encode())
    assert any("partition constraint for table" in line and "implied by existing" in line for line in debug), debug
    assert any("default partition" in line and "implied by existing" in line for line in debug), debug
    assert not any(
        "validating foreign key" in line or "building index" in line or "verifying" in line for line in debug
    )


@pytest.mark.parametrize(
    ("table", "ends", "why"),
    [
        ("(id bigint, k timestamptz, o bigint)", ("2026-05-01", "2026-06-01"), "column word is missing"),
        ("(id int, k timestamptz, o bigint, word text)", ("2026-05-01", "2026-06-01"), "column id is integer, and big"),
        ("(id bigint, k timestamptz, o bigint, word text, z int)", ("2026-05-01", "2026-06-01"), "has no column z"),
        ("(LIKE s.t)", ("2026-01-15", "2026-02-15"), "overlaps that of s.t1; its range overlaps that of s.t2"),
        ("(LIKE s.t)", ("2026-06-01", "2026-05-01"), "holds no key"),
        ("(LIKE s.t)", ("2026-06-01", "next week"), "'next week' is not of type timestamp"),
        ("(LIKE s.t, PRIMARY KEY (k))", ("2026-05-01", "2026-06-01"), "primary key own_pkey \\(k\\) is not the par"),
        ("(LIKE s.t) PARTITION BY LIST (o)", ("2026-05-01", "2026-06-01"), "has no index like t_word"),
        ("() INHERITS (s.o)", ("2026-05-01", "2026-06-01"), "inherits"),
    ],
)
def test_what_does_not_fit_is_refused(database: Database, table: str, ends: tuple[str, str], why: str) -> None:
    database.sql(*SET, f"CREATE TABLE s.own {table}")
    before = database.sql("SELECT count(*), sum(oid::bigint) FROM pg_constraint")
    with pytest.raises(PlanError, match=why):
        attach(database, "own", *ends)
    assert database.sql("SELECT count(*), sum(oid::bigint) FROM pg_constraint") == before


def test_rows_outside_of_the_range_are_counted(database: Database) -> None:
    database.sql(*SET, "CREATE TABLE s.own (LIKE s.t)", "INSERT INTO s.own VALUES (1, '2026-07-01', 1, 'x')")
    with pytest.raises(ExecutionError, match=r"1 rows of s\.own lie outside of the range"):
        attach(database, "own", "2026-05-01", "2026-06-01")


def test_rows_of_the_range_in_the_default_are_refused(database: Database) -> None:
    database.sql(*SET, "CREATE TABLE s.rest PARTITION OF s.t DEFAULT", "CREATE TABLE s.own (LIKE s.t)")
    database.sql("INSERT INTO s.t VALUES (1, '2026-05-07', 1, 'x')")
    with pytest.raises(PlanError, match=r"s\.rest holds rows of its range"):
        attach(database, "own", "2026-05-01", "2026-06-01")


def test_next_to_a_default_it_blocks_and_says_why(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    database.sql(*SET, "CREATE TABLE s.rest PARTITION OF s.t DEFAULT")
    with told(monkeypatch) as events:
        detach(database)
    steps = [event.step for event in events if isinstance(event, StepDone)]
    assert isinstance(steps[-1], Detach)
    assert "blocking: s.rest is a default partition" in steps[-1].summary


def test_a_table_that_refers_to_itself(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    database.sql(*SET, "ALTER TABLE s.t ADD up bigint, ADD up_k timestamptz")
    database.sql("ALTER TABLE s.t ADD FOREIGN KEY (up, up_k) REFERENCES s.t")
    with told(monkeypatch) as events:
        detach(database)
    assert "s.t refers to itself" in events[-1].step.summary
    database.sql("UPDATE s.t SET (up, up_k) = (id, k) WHERE tableoid = 's.t3'::regclass AND id % 2 = 0")
    with pytest.raises(PlanError, match=r"rows of s\.t refer to it by"):
        detach(database, "t3")


def test_rows_that_refer_are_named(database: Database) -> None:
    database.sql(*SET, "INSERT INTO s.c SELECT id, id, k FROM s.t1 LIMIT 7")
    for operate in (detach, drop):
        with pytest.raises(PlanError, match=r"7 rows of s\.c refer to it by c_tid_tk_fkey"):
            operate(database)
    detach(database, "t2")
    assert attached(database) == ["s.t1", "s.t3"]


def test_dropped_and_gone(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    database.sql(*SET)
    drop(database)
    drop(database, "t2")
    assert attached(database) == ["s.t3"]
    assert database.sql("SELECT to_regclass('s.t1'), to_regclass('s.t2a')") == [(None, None)]
    assert record(database) == []
    with told(monkeypatch) as events:
        drop(database)
    assert not events


def test_only_a_partition_is_dropped(database: Database) -> None:
    database.sql(*SET, "CREATE TABLE s.own (LIKE s.t)", "CREATE VIEW s.v AS SELECT id FROM s.t2a")
    with pytest.raises(PlanError, match="does not know it as one that was detached"):
        drop(database, "own")
    with pytest.raises(PlanError, match=r"view s\.v depends on it"):
        drop(database, "t2")
    detach(database)
    database.sql("ALTER TABLE s.t1 RENAME TO kept", "CREATE TABLE s.t1 (LIKE s.t)")
    with pytest.raises(PlanError, match="does not know it"):
        drop(database)
    with pytest.raises(PlanError, match=r"is a partition of s\.t2"):
        drop(database, "t2a")
    assert attached(database) == ["s.t2", "s.t3"]


def test_dropping_looks_again_under_the_lock(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    database.sql(*SET)
    detach(database)

    def reattach(event: Any) -> None:
        if type(event).__name__ == "StepStarted":
            database.sql("ALTER TABLE s.t ATTACH PARTITION s.t1 FOR VALUES FROM ('2026-01-01+00') TO ('2026-02-01+00')")

    monkeypatch.setattr("schema_kit.report.to_logging", reattach)
    with pytest.raises(ExecutionError, match="attached again"):
        drop(database)
    assert "s.t1" in attached(database)


def test_a_detach_that_was_interrupted_is_finalized(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    database.sql(*SET)
    with busy(database, "SELECT 1 FROM s.t LIMIT 1", seconds=0.8), told(monkeypatch) as events:
        detach(database)
    assert kinds(events)[-1] == "FinalizeDetach"
    waiting = [event for event in events if isinstance(event, Waiting)]
    assert any(isinstance(event.step, DetachConcurrently) for event in waiting)
    assert all(event.blockers for event in waiting[:1])
    assert attached(database) == ["s.t2", "s.t3"]


def test_another_that_was_interrupted_is_finalized_first(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    database.sql(*SET)
    cut_off(database, "t3")
    with told(monkeypatch) as events:
        detach(database)
    assert kinds(events)[-2:] == ["FinalizeDetach", "DetachConcurrently"]
    assert attached(database) == ["s.t2"]
    cut_off(database, "t2")
    attach(database, "t2", "2026-02-01", "2026-03-01")
    assert attached(database) == ["s.t2"]


def cut_off(database: Database, partition: str) -> None:
    """A concurrent detach that is cancelled between its two transactions."""
    with psycopg.connect(database.url) as holder, psycopg.connect(database.url, autocommit=True) as other:
        holder.execute("SELECT 1 FROM s.t")
        other.execute("SET lock_timeout = '50ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            other.execute(f"ALTER TABLE s.t DETACH PARTITION s.{partition} CONCURRENTLY")


@pytest.mark.exhaustive
def test_an_old_snapshot_is_named(database: Database) -> None:
    database.sql(*SET)
    cut_off(database, "t1")
    holder = database.connect(autocommit=False)
    holder.execute("SET application_name = 'a long report'")
    holder.commit()
    holder.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    holder.execute("SELECT 1 FROM s.r")
    time.sleep(0.2)
    with pytest.raises(LockNotAvailable, match=r"a long report\): an older snapshot"):
        detach(database)
    holder.rollback()
    detach(database)
    assert attached(database) == ["s.t2", "s.t3"]


def test_two_at_once(database: Database) -> None:
    database.sql(*SET)
    failed: list[BaseException] = []

    def work(operate: Callable[[Database], None]) -> None:
        try:
            operate(database)
        except BaseException as error:
            failed.append(error)

    with busy(database, "SELECT 1 FROM s.t LIMIT 1", seconds=0.5):
        threads = [threading.Thread(target=work, args=(lambda d, p=p: detach(d, p),)) for p in ("t1", "t1", "t3")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not failed
    assert attached(database) == ["s.t2"]


def test_odd_names(database: Database) -> None:
    odd = ODD.replace('"', '""')
    long = "x" * 63
    database.sql(
        f'CREATE SCHEMA "{odd}"',
        f'CREATE TABLE "{odd}"."{odd}" ("{odd}" date NOT NULL, PRIMARY KEY ("{odd}")) PARTITION BY RANGE ("{odd}")',
        f"""CREATE TABLE "{odd}"."{long}" PARTITION OF "{odd}"."{odd}"
              FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')""",
    )
    perform(database, lambda op: op.detach_partition_concurrently(ODD, long, schema=ODD))
    perform(database, lambda op: op.attach_partition_concurrently(ODD, long, "2026-01-01", "2027-01-01", schema=ODD))
    perform(database, lambda op: op.drop_partition_concurrently(ODD, long, schema=ODD))
    assert database.sql("SELECT count(*) FROM pg_inherits WHERE inhparent > 16384") == [(0,)]


@pytest.mark.exhaustive
@pytest.mark.parametrize("default", [False, True])
@pytest.mark.parametrize("partition", ["t1", "t2"])
def test_no_session_waits_longer_than_the_budget(database: Database, partition: str, default: bool) -> None:
    database.sql(*SET, *(["CREATE TABLE s.rest PARTITION OF s.t DEFAULT"] if default else []))

    class Busy(Probe):
        failed: BaseException | None = None

        def run(self) -> None:
            statements = (
                "INSERT INTO s.t VALUES (1, '2026-03-02', 1, 'new') ON CONFLICT DO NOTHING",
                "INSERT INTO s.c VALUES (1, 1, '2026-03-02') ON CONFLICT DO NOTHING",
                "UPDATE s.t SET word = 'y' WHERE id = 1 AND k = '2026-03-02'",
                "SELECT 1 FROM s.t LIMIT 1",
                "DELETE FROM s.o WHERE false",
            )
            try:
                while not self.ended.is_set():
                    for statement in statements:
                        began = time.monotonic()
                        self.connection.execute(statement.encode())
                        self.longest = max(self.longest, time.monotonic() - began)
                    self.rounds += 1
            except psycopg.Error as error:
                self.failed = error

    probe = Busy(database)
    probe.start()
    try:
        with busy(database, "INSERT INTO s.t VALUES (2, '2026-03-03', 2, 'open')", "SELECT 1 FROM s.c LIMIT 1"):
            detach(database, partition)
        attach(
            database, partition, *{"t1": ("2026-01-01", "2026-02-01"), "t2": ("2026-02-01", "2026-03-01")}[partition]
        )
        with busy(database, "INSERT INTO s.t VALUES (2, '2026-03-03', 2, 'open')", "SELECT 1 FROM s.c LIMIT 1"):
            drop(database, partition)
    finally:
        probe.ended.set()
        probe.join()
    assert probe.failed is None
    assert probe.rounds > 3
    assert probe.longest < QUICK.longest / 1000 + HELD_SECONDS
    assert f"s.{partition}" not in attached(database)


def test_missing_rights_are_named(database: Database) -> None:
    database.sql(*SET, "DROP ROLE IF EXISTS plain_retirer", "CREATE ROLE plain_retirer LOGIN")
    database.sql("GRANT USAGE ON SCHEMA s TO plain_retirer", "GRANT SELECT ON s.t, s.t1, s.c TO plain_retirer")
    other = Database(database.url.replace("postgres@", "plain_retirer@"), database.stack)
    try:
        with pytest.raises(PlanError, match=r"CREATE on .*s\.t belongs to postgres, whose rights plain_retirer lacks"):
            detach(other)
    finally:
        database.sql("DROP OWNED BY plain_retirer", "DROP ROLE plain_retirer")


def test_session_settings_change_nothing(database: Database) -> None:
    database.sql(*SET)
    name = database.sql("SELECT current_database()")[0][0]
    database.sql(
        f"ALTER DATABASE {name} SET TimeZone = 'Asia/Kathmandu'",
        f"ALTER DATABASE {name} SET DateStyle = 'German, DMY'",
        f"ALTER DATABASE {name} SET IntervalStyle = 'iso_8601'",
        f"ALTER DATABASE {name} SET search_path = ''",
    )
    detach(database)
    bounds = "FOR VALUES FROM ('2026-01-01 00:00:00+00') TO ('2026-02-01 00:00:00+00')"
    assert record(database) == [("s.t1", "s.t", bounds)]
    attach(database, "t1", "2026-01-01", "2026-02-01")
    bound = "SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE oid = 's.t1'::regclass"
    with psycopg.connect(database.url, options="-c TimeZone=UTC -c DateStyle=ISO") as connection:
        assert connection.execute(bound.encode()).fetchall() == [(bounds,)]
    assert FinalizeDetach.within_budget
