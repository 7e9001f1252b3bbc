"""The embedded server killed and brought back, interrupted at its beginning, and started twice at once."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from schema_kit import embedded
from schema_kit.embedded import location as places
from schema_kit.embedded import postmaster
from schema_kit.errors import EmbeddedServerError
from tests.support.embedded import FAST, REPOSITORY, ROOT, ask, kill, start

pytestmark = [pytest.mark.embedded, pytest.mark.postgres]


@pytest.mark.exhaustive
def test_data_survive_kill_9(folder: Path) -> None:
    server = start(folder)
    ask(server, "CREATE TABLE kept AS SELECT 42 AS answer")
    kill(server)
    again = start(folder)
    assert again.pid != server.pid
    assert ask(again, "SELECT answer FROM kept") == 42


@pytest.mark.exhaustive
@pytest.mark.parametrize("kind", ["zombie", "stranger"])
def test_a_dead_servers_number_may_be_in_use(folder: Path, kind: str) -> None:
    server = start(folder)
    kill(server)
    owner = folder.stat()
    user, group = (owner.st_uid, owner.st_gid) if ROOT else (None, None)
    with subprocess.Popen(["/bin/sleep", "60"], user=user, group=group, cwd="/") as process:
        try:
            if kind == "zombie":
                process.kill()
            lock = folder / "data" / "postmaster.pid"
            lines = lock.read_text().splitlines()
            lock.write_text("\n".join([str(process.pid), *lines[1:]]) + "\n")
            (server.socket_dir / ".s.PGSQL.5432.lock").write_text(f"{process.pid}\n")
            assert embedded.status(folder) is None
            assert not embedded.stop(folder), "a stranger is left alone"
            assert ask(start(folder), "SELECT 1") == 1
        finally:
            process.kill()


@pytest.mark.exhaustive
def test_life_and_death_without_proc(folder: Path, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not Path("/bin/ps").exists():
        pytest.skip("no ps here, which stands in for /proc")
    monkeypatch.setattr(postmaster, "PROC", project / "proc")
    server = start(folder)
    assert embedded.status(folder) == server
    kill(server)
    assert start(folder).pid != server.pid
    assert embedded.stop(folder)
    assert embedded.status(folder) is None


@pytest.mark.exhaustive
def test_no_second_server_comes_while_a_backend_of_the_dead_one_works(folder: Path) -> None:
    server = start(folder)
    backend = psycopg.connect(server.url(), autocommit=True)
    try:
        # A computing backend does not notice its postmaster's death; it would write to the same files.
        backend.pgconn.send_query(b"SELECT count(*) FROM generate_series(1, 8000000)")
        time.sleep(0.1)
        kill(server)
        assert ask(start(folder), "SELECT 1") == 1
        assert "is still in use" in server.log.read_text(), "it had to wait for the backend's end"
    finally:
        backend.close()


@pytest.mark.exhaustive
def test_a_folder_removed_under_its_server_can_be_begun_again(folder: Path) -> None:
    server = start(folder)
    shutil.rmtree(folder)
    again = start(folder)
    assert again.pid != server.pid
    assert ask(again, "SELECT 1") == 1


@pytest.mark.exhaustive
def test_an_interrupted_initdb_is_begun_again(folder: Path) -> None:
    start(folder)
    embedded.stop(folder)
    (folder / "data").rename(folder / "new-123")
    assert ask(start(folder), "SELECT 1") == 1
    assert not (folder / "new-123").exists()


@pytest.mark.exhaustive
def test_starters_at_once_share_one_server(folder: Path) -> None:
    script = (
        "import sys, pathlib; from schema_kit import embedded;"
        f"print(embedded.start(pathlib.Path(sys.argv[1]), quiet=True, settings={FAST!r}).pid)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(REPOSITORY), *sys.path])}
    starters = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(folder)],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    answers = [starter.communicate(timeout=60) for starter in starters]
    server = embedded.status(folder)
    assert server is not None
    assert answers == [(f"{server.pid}\n", "")] * 4


@pytest.mark.exhaustive
def test_start_waits_for_the_process_that_holds_the_lock(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    start(folder)
    monkeypatch.setattr(places, "LOCK_SECONDS", 0.1)
    with (folder / places.MARKER).open("r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(EmbeddedServerError, match="another process"):
            start(folder)
