"""The server dies while rows are in transit: started and run again, every row is in the one place that is named.

A server of its own is killed by the very process that works with it, at the statement or the call that a case names.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg
import pyarrow.parquet as pq
import pytest

from schema_kit import embedded
from schema_kit.files.checksum import checksum
from tests.support.cli import ROOT, shell
from tests.support.database import Database
from tests.support.files import build, everything, places

pytestmark = [pytest.mark.files, pytest.mark.majors, pytest.mark.postgres]

SETTINGS = {"fsync": "off", "full_page_writes": "off"}  # a process dies here, not the machine

KILLER = """
import os, signal, sys, time
from contextlib import suppress
import psycopg
from schema_kit import execute
from schema_kit.files import export, formats, restore, store
where, how, url, postmaster = sys.argv[1:5]
del sys.argv[1:5]
left = [1]

def kills(owner, name, here=lambda *a: True):
    own = getattr(owner, name)
    def replaced(*a, **k):
        if left and here(*a):
            left.pop()
            if how == "immediate":
                os.kill(int(postmaster), signal.SIGQUIT)
                while os.path.exists(f"/proc/{postmaster}"): time.sleep(0.02)
            else:
                with psycopg.connect(url, autocommit=True) as other:
                    pids = "SELECT pid FROM pg_stat_activity WHERE application_name = 'schema_kit'"
                    for pid, in other.execute(pids).fetchall():
                        with suppress(ProcessLookupError):  # the postmaster was faster
                            os.kill(pid, signal.SIGKILL)
                time.sleep(0.3)
        return own(*a, **k)
    setattr(owner, name, replaced)

calls = {
    "write": (formats._ParquetWriter, "write"), "digest": (store.Store, "digest"), "publish": (store.Store, "publish"),
    "rows": (restore, "_csv"), "compare": (restore, "_unlike"),
}
if where in calls:
    kills(*calls[where])
elif where == "COMMIT":
    kills(export, "send", lambda connection, sql: sql == "COMMIT")
else:
    for name in ("send", "send_together"):
        kills(execute, name, lambda connection, sql: where in str(sql))
from schema_kit.cli import main
main()
"""


class Dying:
    """A server that is killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.server = embedded.start(folder, quiet=True, settings=SETTINGS)

    def database(self, stack: ExitStack) -> Database:
        with psycopg.connect(self.server.url(), autocommit=True) as connection:
            connection.execute("DROP SCHEMA IF EXISTS s, schema_kit CASCADE")
        return Database(self.server.url(), stack)

    def dies_under(self, where: str, how: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        url, program = self.server.url(), [sys.executable, "-c", KILLER]
        done = subprocess.run(
            [*program, where, how, url, str(self.server.pid), "archive", *arguments, "--url", url],
            cwd=ROOT,
            env=os.environ | {"NO_COLOR": "1"},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        self.server = embedded.start(self.folder, quiet=True, settings=SETTINGS)
        for _ in range(200):
            try:
                psycopg.connect(self.server.url()).close()
                return done
            except psycopg.OperationalError:  # it recovers
                time.sleep(0.1)
        raise AssertionError("it does not come back")


@pytest.fixture(scope="module")
def dying() -> Iterator[Dying]:
    folder = Path(tempfile.mkdtemp(prefix="sk-dying-"))
    folder.chmod(0o755)  # as root, the server runs as another user
    try:
        yield Dying(folder / "pg")
    finally:
        embedded.stop(folder / "pg")
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def mortal(dying: Dying) -> Iterator[Database]:
    with ExitStack() as stack:
        yield dying.database(stack)


def told_in_a_sentence(done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == 1, done.stderr
    assert "error: " in done.stderr
    assert "Traceback" not in done.stderr


def in_one_place(database: Database, folder: Path, before: list[tuple[Any, ...]]) -> None:
    """By counts and checksums: what the manifest says is in the file, and not in the database as well."""
    assert places(database) == [("s.t_01", True, False)]
    url, count, columns = database.sql(
        "SELECT file_url, row_count, (SELECT json_object_agg(c ->> 'name', c ->> 'checksum') FROM "
        "jsonb_array_elements(columns) c) FROM schema_kit.archive_file"
    )[0]
    read = pq.read_table(folder / url.rpartition("/")[2])
    assert read.num_rows == count == 31
    found = {name: sum(map(checksum, read[name].chunks)) % (1 << 64) for name in read.column_names}
    assert {name: f"{sum_:016x}" for name, sum_ in found.items()} == columns
    assert len(everything(database)) == len(before) - 31
    assert shell(database, "archive", "files", "--verify").returncode == 0


@pytest.mark.exhaustive
@pytest.mark.parametrize("how", ["immediate", pytest.param("backend", marks=pytest.mark.deep)])
@pytest.mark.parametrize(
    "where", ["write", "digest", "publish", 'INTO "schema_kit"."archive_file"', "DROP TABLE", "COMMIT"]
)
def test_while_rows_go_out(dying: Dying, mortal: Database, tmp_path: Path, where: str, how: str) -> None:
    before = everything(build(mortal))
    export = ["export", "s.t", "--until", "2026-02-01", "--to", str(tmp_path), "--drop", "--yes"]
    told_in_a_sentence(dying.dies_under(where, how, *export))
    assert mortal.sql("SELECT count(*) FROM s.t_01") == [(31,)], "nothing is dropped before it is named"
    assert [path.name for path in tmp_path.iterdir() if path.name.endswith(".partial")] == []
    assert shell(mortal, "archive", *export).returncode == 0
    in_one_place(mortal, tmp_path, before)
    assert shell(mortal, "archive", "import", "--manifest", "s.t").returncode == 0
    assert everything(mortal) == before


@pytest.mark.exhaustive
@pytest.mark.parametrize("how", ["immediate", pytest.param("backend", marks=pytest.mark.deep)])
@pytest.mark.parametrize("where", ["rows", "compare", "ATTACH PARTITION", "INSERT INTO", "UPDATE"])
def test_while_rows_come_back(dying: Dying, mortal: Database, tmp_path: Path, where: str, how: str) -> None:
    before = everything(build(mortal))
    assert shell(mortal, "archive", "export", "s.t_01", "--to", str(tmp_path), "--drop", "--yes").returncode == 0
    if where == "INSERT INTO":
        mortal.sql("CREATE TABLE s.t_01 PARTITION OF s.t FOR VALUES FROM ('2026-01-01+00') TO ('2026-02-01+00')")
    told_in_a_sentence(dying.dies_under(where, how, "import", "--manifest", "s.t"))
    assert mortal.sql("SELECT restored_at FROM schema_kit.archive_file") == [(None,)]
    assert shell(mortal, "archive", "files", "--verify").returncode == 0
    again = shell(mortal, "archive", "import", "--manifest", "s.t")
    assert again.returncode == 0, again.stderr
    assert everything(mortal) == before
    assert places(mortal) == [("s.t_01", False, True)]
    assert mortal.sql("SELECT count(*) FROM pg_class WHERE relname LIKE '%restored%'") == [(0,)]
