"""Servers of a test's own, and standbys of them."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from schema_kit import embedded
from tests.support.database import Database


@contextmanager
def own_server(**settings: str) -> Iterator[tuple[embedded.Server, Database]]:
    """A server that a test may do anything to."""
    folder = Path(tempfile.mkdtemp(prefix="sk-"))
    folder.chmod(0o755)  # as root, the server runs as another user
    server = embedded.start(folder / "pg", quiet=True, settings={"fsync": "off", **settings})
    try:
        with ExitStack() as stack:
            yield server, Database(server.url(), stack)
    finally:
        embedded.stop(folder / "pg")
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def standby_of(server: embedded.Server, delay: str) -> Iterator[Database]:
    folder = Path(tempfile.mkdtemp(prefix="sk-"))
    data, user = folder / "data", server.account if os.geteuid() == 0 else None
    if user:
        shutil.chown(folder, user)

    def call(program: str, *arguments: str) -> None:
        subprocess.run(
            [str(server.bindir / program), *arguments],
            check=True,
            user=user,
            cwd=folder,
            env=server.environment(),
            stdout=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
        )

    try:
        call("pg_basebackup", "-D", str(data), "-R", "-c", "fast")
        with (data / "postgresql.auto.conf").open("a") as file:
            file.write(f"\nrecovery_min_apply_delay = '{delay}'\n")
        socket = f"-c listen_addresses='' -c unix_socket_directories={folder} -c port={server.port}"
        call("pg_ctl", "-D", str(data), "-l", str(folder / "log"), "-w", "-o", socket, "start")
        try:
            with ExitStack() as stack:
                yield Database(f"postgresql://postgres@/schema_kit?host={folder}&port={server.port}", stack)
        finally:
            call("pg_ctl", "-D", str(data), "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
