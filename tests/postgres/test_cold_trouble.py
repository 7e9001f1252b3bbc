"""The other server is down, stopped, full, or not set up; a session writes meanwhile: it is said, no row is lost."""

from __future__ import annotations

import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest

from schema_kit import execute
from schema_kit.script import render
from schema_kit.steps import Step
from schema_kit.steps.cold import CopyFromCold, CopyToCold, DropCopy, SwapFromCold, SwapToCold
from tests.support.archives import VIEW, attached, restore
from tests.support.cli import command
from tests.support.cold import LATE, Cold, content, foreign, run, with_cold
from tests.support.database import Database
from tests.support.matrix import longer

pytestmark = [pytest.mark.archives, pytest.mark.distributed, pytest.mark.majors, pytest.mark.exhaustive]

HOT = f"SELECT count(*) FROM s.{VIEW} WHERE at >= '2026-04-01 00:00+00'"


def before_each(monkeypatch: pytest.MonkeyPatch, kind: type[Step], act: Any, times: int = 1) -> None:
    """Do something when such a step is about to be sent, so often."""
    left = [times]

    def acting(step: Step, *arguments: Any, **more: Any) -> tuple[str, ...]:
        if isinstance(step, kind) and left[0]:
            left[0] -= 1
            act()
        return render(step, *arguments, **more)

    monkeypatch.setattr(execute, "render", acting)


@pytest.mark.parametrize("step", longer([CopyToCold, SwapToCold], CopyToCold, mark=pytest.mark.deep))
def test_the_server_dies_before_a_step(
    database: Database, cold: Cold, monkeypatch: pytest.MonkeyPatch, step: type[Step]
) -> None:
    with_cold(database, cold)
    before = content(database)
    before_each(monkeypatch, step, cold.kill)
    failed = run(database)
    assert failed.returncode == 1
    assert 'could not connect to server "cold"' in failed.stderr or "could not establish connection" in failed.stderr
    assert "[08" in failed.stderr
    assert attached(database, "s.t_archive") == "01 02 03 04 05"  # what comes before is done
    assert content(database) == before
    again = run(database)
    assert (again.returncode, "[08001]" in again.stderr) == (1, True)
    cold.start()
    assert run(database).returncode == 0
    assert foreign(database) == ["t_01__cold", "t_02__cold", "t_03__cold"]
    assert content(database) == before


@pytest.mark.parametrize("step", longer([CopyFromCold, SwapFromCold, DropCopy], CopyFromCold, mark=pytest.mark.deep))
def test_the_server_dies_while_rows_come_back(
    database: Database, cold: Cold, monkeypatch: pytest.MonkeyPatch, step: type[Step]
) -> None:
    with_cold(database, cold)
    before = content(database)
    assert run(database).returncode == 0
    with monkeypatch.context() as patch:
        before_each(patch, step, cold.kill)
        failed = restore(database, "2026-01-01", "2026-02-01", "--now", LATE)
    assert (failed.returncode, "[08" in failed.stderr) == (1, True)
    assert database.sql(HOT)[0][0] == 61  # and what is here can be read
    cold.start()
    assert content(database) == before
    back = restore(database, "2026-01-01", "2026-02-01", "--now", LATE)
    assert back.returncode == 0, back.stderr
    assert (content(database), foreign(database)) == (before, ["t_02__cold", "t_03__cold"])
    assert cold.tables() == ["t_02", "t_03"]


def test_what_the_server_had_not_written_yet_is_not_lost(database: Database, cold: Cold) -> None:
    """It says that a commit is done before it is on its disk, and dies after the swap."""
    with_cold(database, cold)
    cold.data.sql("ALTER DATABASE work SET synchronous_commit = off")
    before = content(database)
    assert run(database).returncode == 0
    cold.kill()
    cold.start()
    assert content(database) == before


def test_a_full_disk_there(database: Database, cold: Cold) -> None:
    folder = Path(tempfile.mkdtemp(prefix="sk-full-"))
    mounted = subprocess.run(["/bin/mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)], check=False)
    if mounted.returncode:
        folder.rmdir()
        pytest.skip("only root can mount a small disk")
    try:
        place = folder / "there"
        place.mkdir()
        shutil.chown(place, cold.server.account)
        with_cold(database, cold)
        database.sql("ALTER TABLE s.t ALTER word SET STORAGE EXTERNAL")
        database.sql(
            "UPDATE s.t SET word = (SELECT string_agg(md5(random()::text || i), '') FROM generate_series(1, 5000) i) "
            "WHERE at < '2026-02-01'"
        )
        before = content(database)
        cold.data.sql(f"CREATE TABLESPACE small LOCATION '{place}'")
        cold.data.sql("ALTER DATABASE work SET default_tablespace = small")
        failed = run(database)
        assert failed.returncode == 1
        assert "No space left on device" in failed.stderr
        assert "[53100]" in failed.stderr
        assert content(database) == before
        # What the copy took is free again.
        assert shutil.disk_usage(folder).free > 2_000_000
        cold.data.sql("ALTER DATABASE work RESET default_tablespace")
        assert run(database).returncode == 0
        assert content(database) == before
        assert "t_01__cold" in foreign(database)
    finally:
        cold.renew()
        cold.data.sql("DROP TABLESPACE IF EXISTS small")
        subprocess.run(["/bin/umount", str(folder)], check=True)
        folder.rmdir()


def test_a_partition_that_is_written_after_its_copy_is_copied_again(
    database: Database, cold: Cold, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_cold(database, cold)
    write = "UPDATE s.t_archive SET word = 'late' WHERE at < '2026-01-10'"
    before_each(monkeypatch, SwapToCold, lambda: database.sql(write), times=2)
    moved = run(database)
    assert moved.returncode == 0, moved.stderr
    assert foreign(database) == ["t_01__cold", "t_02__cold", "t_03__cold"]
    assert database.sql(f"SELECT count(*) FROM s.{VIEW} WHERE word = 'late'") == [(9,)]


def test_a_copy_that_always_differs_is_said(database: Database, cold: Cold) -> None:
    with_cold(database, cold)
    before = content(database)
    cold.data.sql(
        "CREATE FUNCTION s.spoil() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.word := 'x'; RETURN NEW; END $$",
        "CREATE FUNCTION s.spoils() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF to_regclass('s.t_01') IS NOT NULL AND NOT EXISTS (SELECT FROM pg_trigger WHERE tgname = 'spoil') THEN "
        "CREATE TRIGGER spoil BEFORE INSERT ON s.t_01 FOR EACH ROW EXECUTE FUNCTION s.spoil(); END IF; END $$",
        "CREATE EVENT TRIGGER spoils ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION s.spoils()",
    )
    failed = run(database)
    assert failed.returncode == 1
    assert "s.t_01 has 31 rows, checksum" in failed.stderr
    assert "s.t_01 on server cold has 31 rows" in failed.stderr
    assert content(database) == before
    assert foreign(database) == []


def test_a_reader_that_holds_locks_keeps_the_swap_off(
    database: Database, cold: Cold, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_cold(database, cold, view=None)
    monkeypatch.setenv("SCHEMA_KIT_LOCK_ATTEMPTS", "1")
    reader = database.connect(autocommit=False)
    reader.execute("SELECT count(*) FROM s.t_archive")
    failed = run(database, "--lock-timeout", "20ms")
    assert failed.returncode != 0
    assert "idle in transaction" in failed.stderr
    assert foreign(database) == []
    reader.rollback()
    assert run(database).returncode == 0
    assert len(foreign(database)) == 3


def test_a_transaction_that_is_older_than_the_copy_is_waited_for(database: Database, cold: Cold) -> None:
    """It has a snapshot of the server from before, and would find no row there."""
    with_cold(database, cold)
    old = cold.data.connect(autocommit=False)
    old.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    old.execute("SELECT 1 FROM pg_class LIMIT 1")
    words = command(database, "archive", "run", "--now", LATE)
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        said = ""
        while "has a snapshot from before" not in said:
            line = process.stderr.readline()
            assert line, said
            said += line
        assert foreign(database) == []
        old.rollback()
        process.stderr.read()
    assert process.returncode == 0
    assert len(foreign(database)) == 3


def test_a_stopped_server_ends_with_the_session(database: Database, cold: Cold) -> None:
    """Nothing ends by itself there: who is stopped answers later. Ctrl-C ends it, and nothing has changed."""
    with_cold(database, cold)
    before = content(database)
    cold.signal(signal.SIGSTOP)
    try:
        process = subprocess.Popen(
            command(database, "archive", "run", "--now", LATE),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        waits = "wait_event_type = 'Extension' OR query LIKE '%dblink_exec%'"
        wait = f"SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND ({waits})"
        while not database.sql(f"{wait} AND pid <> pg_backend_pid()"):
            assert process.poll() is None
        assert database.sql(HOT)[0][0] == 61
        process.kill()
        process.wait()
        database.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid()"
        )
    finally:
        cold.signal(signal.SIGCONT)
    assert run(database).returncode == 0
    assert content(database) == before
