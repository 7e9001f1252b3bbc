"""Archives in files, killed at each phase, interrupted, and with a disk or a server that fails in the middle."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from schema_kit.errors import ExecutionError, PlanError
from schema_kit.files.export import export
from schema_kit.files.store import Store
from tests.support.cli import ROOT, shell
from tests.support.database import QUICK, Database
from tests.support.files import T1, build, everything, file_in, one_place, places
from tests.support.matrix import longer

pytestmark = [pytest.mark.files, pytest.mark.majors]

PHASES = ["write", "digest", "batches", "publish", "RecordFile", "DropPartition", "COMMIT"]
KILLER = """
import os, signal, sys
from schema_kit import execute
from schema_kit.files import export, formats, store
phase, after = sys.argv.pop(1), sys.argv.pop(1) == "after"

def dies(owner, name, here=lambda *a: True):
    own = getattr(owner, name)
    def replaced(*a, **k):
        if not after and here(*a): os.kill(os.getpid(), signal.SIGKILL)
        found = own(*a, **k)
        if after and here(*a): os.kill(os.getpid(), signal.SIGKILL)
        return found
    setattr(owner, name, replaced)

if phase == "write": dies(formats._ParquetWriter, "write")
elif phase == "batches": dies(formats.Parquet, "batches")
elif phase in ("digest", "publish"): dies(store.Store, phase)
elif phase == "COMMIT": dies(export, "send", lambda connection, sql: sql == "COMMIT")
else:
    what = {"RecordFile": "INSERT INTO \\"schema_kit\\".\\"archive_file\\"", "DropPartition": "DROP TABLE"}[phase]
    for name in ("send", "send_together"): dies(execute, name, lambda connection, sql: what in str(sql))
from schema_kit.cli import main
main()
"""


@pytest.mark.exhaustive
@pytest.mark.parametrize("when", longer(["before", "after"], "before", mark=pytest.mark.deep))
@pytest.mark.parametrize("phase", PHASES)
def test_killed_at_each_phase(database: Database, tmp_path: Path, phase: str, when: str) -> None:
    before = everything(build(database))
    arguments = ["archive", "export", "s.t_01", "--to", str(tmp_path), "--drop", "--yes", "--url", database.url]
    killed = subprocess.run(
        [sys.executable, "-c", KILLER, phase, when, *arguments], cwd=ROOT, capture_output=True, check=False, timeout=60
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    gone = phase == "COMMIT" and when == "after"
    for _ in range(100):  # the server notices a moment later
        if database.sql("SELECT count(*) FROM pg_locks WHERE relation = to_regclass('s.t_01')") == [(0,)]:
            break
        time.sleep(0.05)
    there = database.sql("SELECT to_regclass('s.t_01') IS NOT NULL")[0][0]
    assert there is not gone
    if gone:
        assert places(database) == [("s.t_01", True, False)]
        assert shell(database, "archive", "import", "--manifest", "s.t").returncode == 0
        assert everything(database) == before
    else:
        assert database.sql("SELECT count(*) FROM s.t_01") == [(31,)]
        assert database.sql("SELECT count(*) FROM schema_kit.archive_file WHERE dropped_at IS NOT NULL") == [(0,)]
        one_place(database, tmp_path, before)


@pytest.mark.exhaustive
@pytest.mark.parametrize("table", ["COPY", "INSERT", "ATTACH PARTITION", "UPDATE"])
def test_an_interrupted_import_is_taken_up_again(database: Database, tmp_path: Path, table: str) -> None:
    before = everything(build(database))
    assert shell(database, "archive", "export", "s.t_01", "--to", str(tmp_path), "--drop", "--yes").returncode == 0
    if table == "INSERT":
        database.sql("CREATE TABLE s.t_01 PARTITION OF s.t FOR VALUES FROM ('2026-01-01+00') TO ('2026-02-01+00')")
    script = (
        "import os, signal, sys\nfrom schema_kit import execute\nfrom schema_kit.files import restore\n"
        "what = sys.argv.pop(1)\n"
        "def dies(owner, name):\n"
        "    own = getattr(owner, name)\n"
        "    def replaced(connection, sql, *a):\n"
        "        if what in str(sql): os.kill(os.getpid(), signal.SIGKILL)\n"
        "        return own(connection, sql, *a)\n"
        "    setattr(owner, name, replaced)\n"
        "if what == 'COPY':\n"
        "    restore._csv = lambda arrays: os.kill(os.getpid(), signal.SIGKILL)\n"
        "dies(execute, 'send')\ndies(execute, 'send_together')\n"
        "from schema_kit.cli import main\nmain()\n"
    )
    arguments = ["archive", "import", "--manifest", "s.t", "--url", database.url]
    killed = subprocess.run(
        [sys.executable, "-c", script, table, *arguments], cwd=ROOT, capture_output=True, check=False, timeout=60
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert places(database)[0][1], "the file still is the place"
    again = shell(database, "archive", "import", "--manifest", "s.t")
    assert again.returncode == 0, again.stderr
    assert everything(database) == before
    assert not places(database)[0][1]
    assert database.sql("SELECT count(*) FROM pg_class WHERE relname LIKE '%restored%'") == [(0,)]


def test_the_destination_goes_away_in_the_middle(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(database)
    folder = tmp_path / "gone"
    folder.mkdir()
    store = Store(str(folder))

    def digest(name: str) -> tuple[int, str]:
        shutil.rmtree(folder)
        return Store.digest(store, name)

    monkeypatch.setattr(store, "digest", digest)
    with pytest.raises(ExecutionError, match=r"cannot read .*s\.t_01\.parquet"):
        export(database.sqlalchemy(), T1, store, "parquet", QUICK, print)
    assert database.sql("SELECT count(*) FROM s.t_01") == [(31,)]
    assert file_in(database) == []


def test_what_is_read_back_is_compared(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that gives back something else than it was given."""
    build(database)
    store = Store(str(tmp_path))
    digest = Store.digest

    def rot(name: str) -> tuple[int, str]:
        path = tmp_path / name
        path.write_bytes(path.read_bytes().replace(b"\t1\t2\t", b"\t1\t3\t", 1))
        return digest(store, name)

    monkeypatch.setattr(store, "digest", rot)
    with pytest.raises(ExecutionError, match="is not what was written: read back, it has other values in twice"):
        export(database.sqlalchemy(), T1, store, "copy", QUICK, print)
    assert [path.name for path in tmp_path.iterdir()] in ([], ["s.t_01.copy.json"])
    assert file_in(database) == []


@pytest.mark.exhaustive
def test_the_server_goes_away(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = everything(build(database))
    store = Store(str(tmp_path))

    def ends(name: str) -> tuple[int, str]:
        database.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
            "AND datname = current_database()"
        )
        return Store.digest(store, name)

    database.sql("ALTER TABLE s.t DETACH PARTITION s.t_01")
    monkeypatch.setattr(store, "digest", ends)
    with pytest.raises((ExecutionError, PlanError)):
        export(database.sqlalchemy(), T1, store, "parquet", QUICK, print)
    assert database.sql("SELECT count(*) FROM s.t_01") == [(31,)]
    database.sql("ALTER TABLE s.t ATTACH PARTITION s.t_01 FOR VALUES FROM ('2026-01-01+00') TO ('2026-02-01+00')")
    one_place(database, tmp_path, before)
