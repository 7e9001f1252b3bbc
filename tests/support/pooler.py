"""A real PgBouncer before the server of a test: other clients get the same sessions."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from tests.support.database import Database

PROGRAM = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
MISSING = pytest.mark.skipif(PROGRAM is None, reason="PgBouncer is not installed (Debian's package pgbouncer)")
_PORT = 6432


@contextmanager
def pooler(database: Database, mode: str, size: int = 2, **settings: object) -> Iterator[Database]:
    """The same database as its clients see it.

    Args:
        database: behind it.
        mode: session, transaction or statement.
        size: how many sessions of the server it lends.
        settings: others, in its words.
    """
    assert PROGRAM is not None
    server = conninfo_to_dict(database.url)
    socket = Path(str(server["host"]))
    folder = Path(tempfile.mkdtemp(prefix="sk-"))
    folder.chmod(0o755)
    user = socket.owner() if os.geteuid() == 0 else None
    if user:
        shutil.chown(folder, user)
    wanted = {
        "listen_addr": "",
        "listen_port": _PORT,
        "unix_socket_dir": folder,
        "auth_type": "any",
        "pool_mode": mode,
        "default_pool_size": size,
        "logfile": folder / "log",
        **settings,
    }
    lines = ["[databases]", f"* = host={socket} port={server['port']} user=postgres", "[pgbouncer]"]
    (folder / "ini").write_text("\n".join([*lines, *(f"{name} = {value}" for name, value in wanted.items())]))
    process = subprocess.Popen([PROGRAM, "-q", str(folder / "ini")], user=user)
    try:
        with ExitStack() as stack:
            found = Database(f"postgresql://postgres@/{server['dbname']}?host={folder}&port={_PORT}", stack)
            _until_it_answers(found.url, process)
            yield found
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _until_it_answers(url: str, process: subprocess.Popen[bytes]) -> None:
    while True:
        try:
            psycopg.connect(url).close()
            return
        except psycopg.OperationalError:
            assert process.poll() is None, "PgBouncer has ended"
            time.sleep(0.02)
