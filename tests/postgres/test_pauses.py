"""A copy pauses of itself: a real replica that lags, a slot that holds back WAL, a disk that is nearly full."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from schema_kit import embedded, execute
from schema_kit.catalog import Catalog
from schema_kit.errors import PlanError
from schema_kit.execute import Event, Waiting
from schema_kit.model import CopyLimits, Partitioning
from schema_kit.names import QualifiedName
from schema_kit.script import LockPolicy
from schema_kit.steps import Step
from schema_kit.steps.copy_chunks import BuildIndexes, CopyChunk
from schema_kit.tasks.conversion import Convert
from tests.support.database import Database
from tests.support.locks import wait_until
from tests.support.servers import own_server, standby_of

pytestmark = [pytest.mark.conversion, pytest.mark.majors, pytest.mark.postgres]

ROWS = 200_000
TABLE = (
    "CREATE TABLE t (id bigint PRIMARY KEY, at timestamptz NOT NULL, body text)",
    f"INSERT INTO t SELECT i, timestamptz '2026-01-01 00:00+00' + i * interval '1 minute', repeat(md5(i::text), 4) "
    f"FROM generate_series(1, {ROWS}) i",
    "ANALYZE t",
)


@pytest.fixture(autouse=True)
def before_each_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    """It looks whether to pause, however short they are."""
    monkeypatch.setattr(execute, "_PRESSURE_SECONDS", 0)


def convert(database: Database, tell: Callable[[Event], None], limits: CopyLimits) -> None:
    policy = LockPolicy(first=100, longest=2000, attempts=60)
    wanted = Convert(Partitioning(QualifiedName("public", "t"), "at", "1 month"), "refuse", "copy", limits=limits)
    connection = database.sqlalchemy()
    execute.run(connection, lambda: wanted.plan(Catalog(connection)), policy, tell)


def paused_until(database: Database, better: Callable[[], object], limits: CopyLimits) -> list[str]:
    """Convert; when it has paused twice, make it *better*. The reasons that were given."""
    reasons: list[str] = []
    thread: list[threading.Thread] = []

    def tell(event: Event) -> None:
        if isinstance(event, Waiting) and isinstance(event.step, CopyChunk | BuildIndexes):
            reasons.extend(event.blockers)
            if len(reasons) >= 2 and not thread:
                thread.append(threading.Thread(target=better))
                thread[0].start()

    convert(database, tell, limits)
    assert thread, "it never paused"
    thread[0].join()
    assert database.sql("SELECT count(*), count(DISTINCT tableoid) > 4 FROM t") == [(ROWS, True)]
    return reasons


@pytest.mark.exhaustive
def test_while_a_slot_holds_back_wal() -> None:
    with own_server() as (_, database):
        database.sql(*TABLE, "SELECT pg_create_physical_replication_slot('held', true)")
        reasons = paused_until(
            database, lambda: database.sql("SELECT pg_drop_replication_slot('held')"), CopyLimits(max_slot_bytes=1000)
        )
    assert all(reason.startswith("replication slot held holds back ") for reason in reasons)


@pytest.mark.deep
def test_while_a_replica_lags() -> None:
    with own_server() as (server, primary):
        primary.sql(*TABLE)
        with standby_of(server, delay="3s") as replica:
            primary.sql("CREATE TABLE later (n int)")
            late = "SELECT 1 FROM pg_stat_replication WHERE replay_lag > interval '1 second'"
            wait_until(lambda: primary.sql("INSERT INTO later VALUES (1)", late))
            reasons = paused_until(primary, lambda: catch_up(replica), CopyLimits(max_replica_lag=0.2))
    assert all(reason.startswith("replica walreceiver lags ") for reason in reasons)


@pytest.mark.exhaustive
def test_once_a_minute_a_chunk_goes_whatever_lags(database: Database) -> None:
    database.sql(*TABLE)
    steps = list[Step]()
    convert(database, lambda event: steps.append(event.step), CopyLimits(max_replica_lag=10.0))
    pressure = next(step.pressure for step in steps if isinstance(step, CopyChunk))
    assert pressure is not None
    late = pressure.replace(
        "FROM pg_stat_replication r WHERE (r.replay_lag",
        "FROM (VALUES ('east', NULL::inet, 1, interval '11.26 s'), ('west', NULL, 1, '9 s')) v "
        "(application_name, client_addr, pid, replay_lag), (SELECT NULL::pg_lsn AS flush_lsn, now() AS reply_time) w, "
        "LATERAL (SELECT v.*, w.*) r WHERE (r.replay_lag",
    )
    assert database.sql(late) == [("replica east lags 11.3 s behind",)]
    database.sql("UPDATE schema_kit.copy_chunk SET done_at = now() - interval '61 s'")
    assert database.sql(late) == []


@pytest.mark.exhaustive
def test_while_a_replica_stands_still() -> None:
    """No lag is measured then: PostgreSQL measures it when something has been replayed."""
    with own_server() as (server, primary), standby_of(server, delay="1h") as replica:
        primary.sql(*TABLE)
        reasons = paused_until(primary, lambda: catch_up(replica), CopyLimits(max_slot_bytes=2**20))
    assert all(reason.startswith("replica walreceiver is ") for reason in reasons)


def catch_up(replica: Database) -> None:
    replica.sql("ALTER SYSTEM SET recovery_min_apply_delay = 0", "SELECT pg_reload_conf()")


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A file system of 700 MiB, where one may be mounted."""
    folder = Path(tempfile.mkdtemp(prefix="sk-"))
    folder.chmod(0o755)
    mounted = subprocess.run(
        ["/bin/mount", "-t", "tmpfs", "-o", "size=700m,mode=755", "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        folder.rmdir()
        pytest.skip("nothing may be mounted here")
    try:
        yield folder
    finally:
        embedded.stop(folder / "pg")
        subprocess.run(["/bin/umount", "-l", str(folder)], check=True)
        folder.rmdir()


@pytest.mark.deep
def test_while_the_disk_is_nearly_full(small_disk: Path) -> None:
    settings = {"fsync": "off", "max_wal_size": "64MB", "min_wal_size": "32MB"}
    server = embedded.start(small_disk / "pg", quiet=True, settings=settings)
    ballast = small_disk / "ballast"
    with ExitStack() as stack:
        database = Database(server.url(), stack)
        database.sql(*TABLE)
        # Enough to begin with; then another session fills it.
        began = threading.Event()

        def fill() -> None:
            with ballast.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(small_disk).free - 40 * 2**20)

        reasons: list[str] = []

        def tell(event: Event) -> None:
            if isinstance(event.step, CopyChunk) and not began.is_set():
                began.set()
                fill()
            if isinstance(event, Waiting) and isinstance(event.step, CopyChunk | BuildIndexes):
                reasons.extend(event.blockers)
                if len(reasons) == 2:
                    ballast.unlink()

        convert(database, tell, CopyLimits())
        assert len(reasons) >= 2
        assert all(reason.endswith("MB are free on the server's disk, and 64 MB stay so") for reason in reasons)
        assert database.sql("SELECT count(*) FROM t") == [(ROWS,)]


@pytest.mark.exhaustive
def test_too_little_room_is_refused_before_anything_is_made(small_disk: Path) -> None:
    server = embedded.start(small_disk / "pg", quiet=True, settings={"fsync": "off", "max_wal_size": "64MB"})
    with ExitStack() as stack:
        database = Database(server.url(), stack)
        database.sql(*TABLE)
        with (small_disk / "ballast").open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(small_disk).free - 80 * 2**20)
        with pytest.raises(PlanError, match=r"public.t takes about \d+ MB .* Make room first. Nothing was changed"):
            convert(database, lambda _: None, CopyLimits())
        assert database.sql("SELECT to_regclass('schema_kit.copy_run')") == [(None,)]
        assert database.sql("SELECT count(*) FROM t") == [(ROWS,)]
