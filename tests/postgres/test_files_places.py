"""Where files lie: names that are taken, two runs at once, folders and stores that fail."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from schema_kit.errors import DeclarationError, ExecutionError, PlanError
from schema_kit.files import manifest
from schema_kit.files.export import export
from schema_kit.files.store import Store
from schema_kit.names import QualifiedName
from schema_kit.ops.operation import task
from schema_kit.tasks.retirement import detach
from tests.support.cli import ROOT, shell
from tests.support.database import QUICK, Database
from tests.support.files import T1, build, everything, file_in, killed, one_place, places

pytestmark = pytest.mark.files


@pytest.mark.exhaustive
def test_killed_between_its_name_and_the_end_of_the_temporary_one(database: Database, tmp_path: Path) -> None:
    """Both names are the same file then: who wrote over the one would write over the other."""
    before = everything(build(database))
    killed(database, "dies(os, 'link')", "export", "s.t_01", "--to", str(tmp_path))
    written = (tmp_path / "s.t_01.parquet").read_bytes()
    assert (tmp_path / "s.t_01.parquet.partial").exists()
    database.sql("UPDATE s.t SET word = 'new' WHERE id = 1")
    refused = shell(database, "archive", "export", "s.t_01", "--to", str(tmp_path), "--drop", "--yes")
    assert refused.returncode == 1  # the manifest's own table was made
    assert "exists already and has other values in word" in refused.stderr
    assert (tmp_path / "s.t_01.parquet").read_bytes() == written
    database.sql("UPDATE s.t_01 SET word = 'คำ 0' WHERE id = 1")
    one_place(database, tmp_path, before)
    assert [path.name for path in tmp_path.iterdir()] == ["s.t_01.parquet"]


@pytest.mark.exhaustive
def test_a_run_on_another_database_is_seen_by_its_lock(database: Database, tmp_path: Path) -> None:
    """Advisory locks are a database's own; two of them may hold a table of one name."""
    before = everything(build(database))
    with Store(str(tmp_path)).claimed("s.t_01.parquet") as temporary:
        (tmp_path / temporary).write_bytes(b"what the other run has written")
        refused = shell(database, "archive", "export", "s.t_01", "--to", str(tmp_path))
        assert refused.returncode == 1  # the manifest's own table was made
        assert "another run is at" in refused.stderr
        assert (tmp_path / temporary).read_bytes() == b"what the other run has written"
    assert not list(tmp_path.iterdir())
    one_place(database, tmp_path, before)


def test_what_a_killed_run_has_left_is_written_over(database: Database, tmp_path: Path) -> None:
    before = everything(build(database))
    (tmp_path / "s.t_01.parquet.partial").write_bytes(b"x" * 100_000)
    one_place(database, tmp_path, before)
    assert [path.name for path in tmp_path.iterdir()] == ["s.t_01.parquet"]


def test_a_file_system_without_locks_or_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import errno
    import fcntl

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOTSUP, "not supported")

    monkeypatch.setattr(fcntl, "flock", refuse)
    monkeypatch.setattr(os, "link", refuse)
    store = Store(str(tmp_path))
    with store.claimed("a") as one, store.claimed("a") as other:
        assert one != other
        with store.writing(one) as sink:
            sink.write(b"1")
        store.publish(one, "a", (1, ""))
        with pytest.raises(PlanError, match="exists already"):
            store.publish(other, "a", (1, ""))
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@pytest.mark.exhaustive
def test_run_again_after_the_last_commit_it_says_what_it_has_done(database: Database, tmp_path: Path) -> None:
    before = everything(build(database))
    export_ = ["export", "s.t_01", "--to", str(tmp_path), "--drop", "--yes"]
    where = "from schema_kit.files import export\ndies(export, 'send', lambda connection, sql: sql == 'COMMIT')"
    killed(database, where, *export_)
    assert places(database) == [("s.t_01", True, False)]
    again = shell(database, "archive", *export_)
    assert again.returncode == 0, again.stderr
    assert "31 rows of s.t_01" in again.stdout
    assert shell(database, "archive", "import", "--manifest", "s.t").returncode == 0
    assert everything(database) == before


@pytest.mark.exhaustive
@pytest.mark.parametrize("range_", [[], ["--until", "2026-02-01"]])
def test_what_was_detached_for_a_file_is_not_forgotten(database: Database, tmp_path: Path, range_: list[str]) -> None:
    """Killed behind the detach, it is not a partition of the table any more that was named."""
    before = everything(build(database))
    database.run(task(detach, QualifiedName("s", "t"), QualifiedName("s", "t_03")))
    export_ = ["export", "s.t", "--to", str(tmp_path), "--drop", "--yes", *range_]
    killed(database, "from schema_kit.files import store\ndies(store.Store, 'digest')", *export_)
    assert database.sql("SELECT relispartition FROM pg_class WHERE oid = 's.t_01'::regclass") == [(False,)]
    again = shell(database, "archive", *export_)
    assert again.returncode == 0, again.stderr
    assert ("s.t_01", True, False) in places(database)
    assert database.sql("SELECT to_regclass('s.t_01') IS NULL, to_regclass('s.t_02') IS NULL") == [(True, not range_)]
    assert database.sql("SELECT count(*) FROM s.t_03") == [(31,)], "which somebody has detached for something else"
    assert database.sql("SELECT count(*) FROM schema_kit.archive_file_due") == [(0,)]
    assert shell(database, "archive", "import", "--manifest", "s.t").returncode == 0
    database.sql("ALTER TABLE s.t ATTACH PARTITION s.t_03 FOR VALUES FROM ('2026-03-01+00') TO ('2026-04-01+00')")
    assert everything(database) == before


def test_two_that_drop_the_same_table_at_once(database: Database, tmp_path: Path) -> None:
    """To two folders, so that no name keeps them apart: one of them has it, the other is refused."""
    build(database)
    database.run(task(detach, QualifiedName("s", "t"), T1))
    folders = [tmp_path / "a", tmp_path / "b"]
    told: list[str] = []
    both = threading.Barrier(2)

    def run(folder: Path) -> None:
        folder.mkdir()
        connection = database.sqlalchemy()
        both.wait()
        try:
            export(connection, T1, Store(str(folder)), "parquet", QUICK, lambda event: None, drop=True)
            told.append("written")
        except (ExecutionError, PlanError) as error:
            told.append(str(error))

    threads = [threading.Thread(target=run, args=(folder,)) for folder in folders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert told.count("written") == 1, told
    other = next(text for text in told if text != "written")
    assert "there is no table s.t_01" in other or "its locks could not be taken" in other
    assert database.sql("SELECT to_regclass('s.t_01')") == [(None,)]
    assert places(database) == [("s.t_01", True, False)]
    assert shell(database, "archive", "files", "--verify").returncode == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"columns": [{"name": "a"}]},
        {"columns": "a"},
        {"columns": []},
        {"columns": [{"name": "a", "type": "int", "stored": "int65", "not_null": True}]},
        {"parent": 7},
        {"rows": "many"},
    ],
)
def test_an_invalid_description_is_refused(database: Database, tmp_path: Path, wrong: dict[str, Any]) -> None:
    database.sql("CREATE SCHEMA s", "CREATE TABLE s.p (a int)", "INSERT INTO s.p VALUES (1)")
    assert shell(database, "archive", "export", "s.p", "--to", str(tmp_path), "--as", "copy").returncode == 0
    beside = tmp_path / "s.p.copy.json"
    beside.write_text(json.dumps(json.loads(beside.read_text()) | wrong))
    refused = shell(database, "archive", "import", str(tmp_path / "s.p.copy"))
    assert refused.returncode == 3
    assert "its description cannot be read" in refused.stderr
    assert "Traceback" not in refused.stderr


@contextmanager
def mounted(folder: Path, options: str) -> Iterator[None]:
    """A file system of its own in memory; where nothing may be mounted, the test is skipped."""
    mount, umount = shutil.which("mount"), shutil.which("umount")
    arguments = ["-t", "tmpfs", "-o", options, "schema_kit", str(folder)]
    if not mount or not umount or subprocess.run([mount, *arguments], capture_output=True, check=False).returncode:
        pytest.skip("nothing may be mounted here")
    try:
        yield
    finally:
        subprocess.run([umount, str(folder)], check=True)


def refused_to_write(database: Database, folder: Path, why: str, form: str = "parquet") -> None:
    refused = shell(database, "archive", "export", "s.t_01", "--to", str(folder), "--drop", "--yes", "--as", form)
    assert refused.returncode == 1
    assert "cannot write" in refused.stderr
    assert why in refused.stderr
    assert "No row was dropped for it; see to it, then run again." in refused.stderr
    assert "Traceback" not in refused.stderr
    assert not list(folder.iterdir())
    assert file_in(database) == []


@pytest.mark.exhaustive
def test_a_folder_that_may_only_be_read(database: Database, tmp_path: Path) -> None:
    before = everything(build(database))
    if os.geteuid() == 0:
        with mounted(tmp_path, "ro"):
            refused_to_write(database, tmp_path, "Read-only file system")
    else:
        tmp_path.chmod(0o555)
        refused_to_write(database, tmp_path, "Permission denied")
        tmp_path.chmod(0o755)
    one_place(database, tmp_path, before)


@pytest.mark.exhaustive
@pytest.mark.parametrize("form", ["parquet", "copy"])
def test_the_disk_is_full(database: Database, tmp_path: Path, form: str) -> None:
    """A real file system of 2 MB, and a table that needs more; then there is more."""
    build(database)
    database.sql(
        "ALTER TABLE s.t ADD filler text",
        "UPDATE s.t SET filler = (SELECT string_agg(md5((id * i)::text), '') FROM generate_series(1, 9000) i)",
    )
    before = everything(database)
    with mounted(tmp_path, "size=2m"):
        refused_to_write(database, tmp_path, "No space left on device", form)
        mount = shutil.which("mount")
        assert mount
        subprocess.run([mount, "-o", "remount,size=200m", str(tmp_path)], check=True)
        one_place(database, tmp_path, before)


@pytest.mark.exhaustive
@pytest.mark.parametrize("form", ["parquet", "copy"])
def test_files_must_not_become_larger(database: Database, tmp_path: Path, form: str) -> None:
    """A limit of the process (EFBIG), which needs no rights."""
    build(database)
    database.sql(
        "ALTER TABLE s.t ADD filler text", "UPDATE s.t SET filler = md5(random()::text) || md5(random()::text)"
    )
    before = everything(database)
    limited = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))\n"
    limited += "from schema_kit.cli import main; main()"
    arguments = ["archive", "export", "s.t_01", "--to", str(tmp_path), "--as", form, "--drop", "--yes"]
    done = subprocess.run(
        [sys.executable, "-c", limited, *arguments, "--url", database.url],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1, done.stderr
    assert "cannot write" in done.stderr
    assert "File too large" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())
    assert database.sql("SELECT count(*) FROM s.t_01") == [(31,)]
    one_place(database, tmp_path, before)


# Stores that are no folder


class Odd(MemoryFileSystem):  # type: ignore[misc] # it comes without types
    """One whose host is not part of its paths, and whose errors are its own."""

    protocol = "odd"
    store: dict[str, Any] = {}  # noqa: RUF012 - as its parent has it
    pseudo_dirs = [""]  # noqa: RUF012
    cachable = False
    fails = ""

    def __init__(self, host: str = "", **more: Any) -> None:
        super().__init__(**more)
        self.host = host

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        bare = path.removeprefix("odd://")
        return "/" + (bare.partition("/")[2] if path.startswith("odd://") else bare.lstrip("/")).rstrip("/")

    @staticmethod
    def _get_kwargs_from_urls(path: str) -> dict[str, str]:
        return {"host": path.removeprefix("odd://").partition("/")[0].rpartition("@")[2]}

    def mv(self, *arguments: Any, **more: Any) -> None:
        if self.fails == "mv":
            raise RuntimeError("the store is on fire")
        super().mv(*arguments, **more)
        if self.fails == "rot":
            whole = bytearray(self.store[self._strip_protocol(arguments[1])].getvalue())
            whole[40] ^= 1
            self.pipe_file(arguments[1], bytes(whole))


@pytest.fixture
def odd() -> Iterator[type[Odd]]:
    fsspec.register_implementation("odd", Odd, clobber=True)
    yield Odd
    Odd.store.clear()
    Odd.fails = ""


def test_the_host_of_a_store_is_kept_and_a_password_is_not(database: Database, odd: type[Odd]) -> None:
    build(database)
    store = Store("odd://me:secret@there/archive/")
    file = export(database.sqlalchemy(), T1, store, "parquet", QUICK, print)
    assert file.url == "odd://me@there/archive/s.t_01.parquet"
    again, name = Store.of(manifest.read(database.sqlalchemy())[0].url)
    assert again.digest(name) == (file.bytes, file.sha256)
    with pytest.raises(DeclarationError) as refused:
        Store("none://me:secret@there/archive")
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("how", ["mv", "rot"])
def test_a_store_that_fails(database: Database, odd: type[Odd], how: str) -> None:
    build(database)
    odd.fails = how
    words = "the store is on fire" if how == "mv" else "is not what was copied there"
    with pytest.raises(ExecutionError, match=words):
        export(database.sqlalchemy(), T1, Store("odd://there/archive"), "parquet", QUICK, print)
    assert not odd.store, "nothing that could be taken for a file"
    assert manifest.read(database.sqlalchemy()) == ()
    odd.fails = ""
    export(database.sqlalchemy(), T1, Store("odd://there/archive"), "parquet", QUICK, print)
    assert list(odd.store) == ["/archive/s.t_01.parquet"]
