"""An embedded server in a project folder of its own, for whichever user."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from schema_kit import embedded
from schema_kit.errors import EmbeddedServerError

FAST = {"fsync": "off", "shared_buffers": "16MB"}
ROOT = os.geteuid() == 0
AS_NOBODY = ["/usr/bin/setpriv", "--reuid=nobody", "--regid=65534", "--clear-groups"]
REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def project() -> Iterator[Path]:
    """A project folder that every user can enter, with a server that is stopped whatever happens."""
    folder = Path(tempfile.mkdtemp(prefix="sk-", dir="/tmp"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        try:
            embedded.stop(folder / ".schema_kit")
            with suppress(EmbeddedServerError):  # a foreign folder, in one test
                embedded.reset(folder / ".schema_kit")
        finally:
            shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def folder(project: Path) -> Path:
    return project / ".schema_kit"


def start(folder: Path) -> embedded.Server:
    return embedded.start(folder, quiet=True, settings=FAST)


def ask(server: embedded.Server, sql: str) -> object:
    with psycopg.connect(server.url(), autocommit=True) as connection:
        cursor = connection.execute(sql.encode())
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None


def kill(server: embedded.Server) -> None:
    os.kill(server.pid, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while embedded.status(server.folder) is not None:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def as_ordinary_user(script: str, *args: str) -> subprocess.CompletedProcess[str]:
    """Run Python as user 65534 where we are root, as ourselves otherwise."""
    command = [*(AS_NOBODY if ROOT else []), ordinary_python(), "-c", script, *args]
    path = os.pathsep.join([str(REPOSITORY), str(Path(psycopg.__file__).parents[1])])
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, cwd="/", env=environment, capture_output=True, text=True, check=False, timeout=60)


def ordinary_python() -> str:
    """A Python of our version that an ordinary user can run: root's own often lies under /root."""
    if not ROOT:
        return sys.executable
    same = f"import sys; sys.exit(sys.version_info[:2] != {sys.version_info[:2]})"
    for python in (sys.executable, "/usr/bin/python3", "/usr/local/bin/python3"):
        tried = subprocess.run(
            [*AS_NOBODY, python, "-c", same],
            cwd="/",
            stderr=subprocess.DEVNULL,
            check=False,
        )
        if tried.returncode == 0:
            return python
    pytest.skip("an ordinary user can run no Python of this version here")


def skip_unless_ordinary_user_can_import() -> None:
    if ROOT and not Path(AS_NOBODY[0]).exists():
        pytest.skip("no setpriv here to become an ordinary user with")
    tried = as_ordinary_user("import schema_kit.embedded, psycopg")
    if tried.returncode:
        pytest.skip(f"an ordinary user cannot read this checkout: {tried.stderr.strip()[-200:]}")
