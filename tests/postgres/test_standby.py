"""On a real standby all that looks works, and all else is refused by name; one that hangs slows batches down."""

from __future__ import annotations

import os
import shlex
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa

import schema_kit
from schema_kit import embedded, execute, op
from schema_kit.catalog import Catalog
from schema_kit.environment import one_migrator
from schema_kit.errors import PlanError
from schema_kit.execute import Event, Waiting
from schema_kit.tasks import ttl
from tests.support.cli import ROOT, alembic, shell
from tests.support.commands import commands
from tests.support.database import QUICK, Database
from tests.support.locks import wait_until
from tests.support.matrix import perform
from tests.support.servers import own_server, standby_of
from tests.support.walk import CALLS, LOCAL, build

pytestmark = [pytest.mark.distributed, pytest.mark.majors, pytest.mark.postgres, pytest.mark.exhaustive]

REFUSED = "this server is a standby; run it on the primary."


@dataclass(frozen=True)
class Two:
    server: embedded.Server
    primary: Database
    standby: Database

    def caught_up(self) -> None:
        lsn = self.primary.sql("SELECT pg_current_wal_insert_lsn()")[0][0]
        wait_until(lambda: self.standby.sql(f"SELECT 1 WHERE pg_last_wal_replay_lsn() >= '{lsn}'"))


@pytest.fixture(scope="module")
def two() -> Iterator[Two]:
    """A primary with something for each command, and a standby of it."""
    with own_server() as (server, primary):
        with ExitStack() as stack:
            build(Database(primary.url, stack))
        with standby_of(server, delay="0") as standby:
            yield Two(server, primary, standby)


def test_every_command_is_in_the_walk() -> None:
    called = {name.partition(" --")[0] for name in CALLS}
    assert {name for name, _ in commands()} == called | LOCAL


def wrong(two: Two, name: str, folder: Path) -> str:
    """What is wrong with how a command ends on the standby."""
    call = CALLS[name]
    words = [*name.split(), *shlex.split(call.words.format(folder=folder))]
    done = shell(two.standby, *words)
    if not call.acts:
        return "" if done.returncode in call.codes and "Traceback" not in done.stderr else str(done)
    command = name.partition(" --")[0]
    if done.returncode != 3 or f"cannot run schema_kit {command}: {REFUSED}" not in done.stderr:
        return str(done)
    done = shell(two.standby, *words, "--dry-run") if call.dry else done
    return "" if done.returncode == 0 or not call.dry else str(done)


def test_each_command_looks_or_is_refused(two: Two, tmp_path: Path) -> None:
    (tmp_path / "statements.sql").write_text("SELECT * FROM s.plain WHERE at > now();")
    two.caught_up()
    problems = {name: text for name in CALLS if (text := wrong(two, name, tmp_path))}
    for name, text in problems.items():
        print(name, text)
    assert not problems.keys()


def test_operations_and_migrations_are_refused(two: Two) -> None:
    engine = sa.create_engine(sa.make_url(two.standby.url).set(drivername="postgresql+psycopg"), poolclass=sa.NullPool)
    with engine.connect() as connection:
        with pytest.raises(PlanError, match=REFUSED), schema_kit.operations(connection):
            op.create_index_concurrently("plain_at", "plain", ["at"], schema="s")
        connection.rollback()
    with pytest.raises(PlanError, match=f"cannot migrate: {REFUSED}"), one_migrator(engine):
        pass
    two.primary.sql("CREATE TABLE IF NOT EXISTS alembic_version (version_num varchar(32) PRIMARY KEY)")
    two.caught_up()
    sample = ROOT / "tests" / "sample"
    assert alembic(two.standby, "current", cwd=sample).returncode == 0
    done = alembic(two.standby, "upgrade", "head", cwd=sample)
    assert f"cannot migrate: {REFUSED}" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


ROWS = 20_000
LATE = """
SELECT 1 FROM pg_stat_replication WHERE replay_lag > '1 s'
   OR (flush_lsn < pg_current_wal_flush_lsn() AND reply_time < clock_timestamp() - interval '1 s')
"""


def batches(database: Database, tell: Callable[[Event], None]) -> None:
    perform(
        database,
        lambda op: op.update_in_batches("t", {"n": 1}, batch_size=500, target_seconds=0.05, max_replica_lag=0.5),
        on=tell,
    )
    assert database.sql("SELECT count(*) FROM t WHERE n = 1") == [(ROWS,)]


def rows(database: Database, tell: Callable[[Event], None]) -> None:
    with schema_kit.operations(database.sqlalchemy(), policy=QUICK):
        op.create_archive_table("t")
        op.set_archive_policy("t", "1 day", way="rows", control="at")
        op.set_ttl_policy(
            "t", "at", age="1 day", archive_first=True, batch_size=500, target_seconds=0.05, max_replica_lag=0.5
        )
    connection = database.sqlalchemy()
    [policy] = Catalog(connection).ttl_policies()
    execute.run(connection, lambda: ttl.run(Catalog(connection), policy), QUICK, tell)
    assert database.sql("SELECT (SELECT count(*) FROM t), count(*) FROM t_archive") == [(0, ROWS)]


def copies(database: Database, tell: Callable[[Event], None]) -> None:
    perform(
        database,
        lambda op: op.convert_to_partitioned(
            "t", "at", "1 month", strategy="copy", max_replica_lag=0.5, max_slot_bytes=None, premake=1
        ),
        on=tell,
    )
    assert database.sql("SELECT count(*), count(DISTINCT tableoid) > 1 FROM t") == [(ROWS, True)]


@pytest.mark.parametrize("process", ["walreceiver", "startup"])
@pytest.mark.parametrize("work", [batches, rows, copies])
def test_work_pauses_while_a_standby_hangs(
    work: Callable[[Database, Callable[[Event], None]], None], process: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(execute, "_PRESSURE_SECONDS", 0)
    with own_server() as (server, primary), standby_of(server, delay="0") as standby:
        primary.sql(
            "CREATE TABLE t (id bigint PRIMARY KEY, at timestamptz NOT NULL, n int DEFAULT 0, body text)",
            f"INSERT INTO t SELECT i, now() - interval '90 days' + i * interval '3 minutes', 0, repeat('x', 200) "
            f"FROM generate_series(1, {ROWS}) i",
            "CREATE INDEX ON t (at)",
            "CREATE TABLE later (n int)",
        )
        Two(server, primary, standby).caught_up()
        said: list[str] = []
        with stopped(standby, process) as goes_on:

            def tell(event: Event) -> None:
                if isinstance(event, Waiting):
                    said.extend(event.blockers)
                    if len([text for text in said if text.startswith("replica")]) >= 3:
                        goes_on()

            wait_until(lambda: primary.sql("INSERT INTO later VALUES (1)", LATE))
            work(primary, tell)
        hangs = {"walreceiver": "has not answered for", "startup": "lags"}[process]
        assert any(text.startswith("replica") and hangs in text for text in said), said


@contextmanager
def stopped(standby: Database, process: str) -> Iterator[Callable[[], None]]:
    """One of the standby's processes stands still; it exists, and does nothing."""
    data = Path(standby.sql("SHOW data_directory")[0][0])
    postmaster = (data / "postmaster.pid").read_text().splitlines()[0]
    pid = next(pid for pid, parent, words in processes() if parent == postmaster and process in words)
    once = threading.Event()

    def goes_on() -> None:
        if not once.is_set():
            once.set()
            os.kill(int(pid), signal.SIGCONT)

    os.kill(int(pid), signal.SIGSTOP)
    try:
        yield goes_on
    finally:
        goes_on()


def processes() -> Iterator[tuple[str, str, str]]:
    """Each process: its id, that of its parent, its words."""
    for folder in Path("/proc").iterdir():
        with suppress(OSError):
            if folder.name.isdigit():
                parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
                yield folder.name, parent, (folder / "cmdline").read_text()
