"""A server of the suite's own, which is stopped without a word and started again; a database for each round."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import psycopg

from schema_kit import embedded
from tests.chaos.tables import APPLICATION, OTHERS

SETTINGS = {
    "fsync": "off",
    "shared_buffers": "64MB",
    "max_connections": "100",
    "max_prepared_transactions": "20",
    "max_wal_size": "512MB",
    "wal_level": "logical",
}


class Server:
    """Started when it is made; `close` removes it."""

    def __init__(self) -> None:
        shm = Path("/dev/shm")  # noqa: S108 - a RAM disk, where there is one
        self.folder = Path(tempfile.mkdtemp(prefix="sk-chaos-", dir=shm if os.access(shm, os.W_OK) else None))
        self.folder.chmod(0o755)  # as root, the server runs as another user
        self.start()
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE ROLE {APPLICATION}; CREATE ROLE {OTHERS}".encode())
            self.major = connection.info.server_version // 10_000

    def start(self) -> None:
        """Start, and recover where it was stopped."""
        self.server = embedded.start(self.folder / "pg", quiet=True, settings=SETTINGS)

    def url(self, database: str) -> str:
        """Where a database is."""
        return self.server.url(database)

    def crash(self) -> None:
        """What `pg_ctl stop -m immediate` sends; then it is started again."""
        os.kill(self.server.pid, signal.SIGQUIT)
        end = time.monotonic() + 30
        while self._there():
            assert time.monotonic() < end, "the server does not end"
            time.sleep(0.02)
        self.start()

    def _there(self) -> bool:
        with suppress(ChildProcessError):
            os.waitpid(self.server.pid, os.WNOHANG)
        try:
            os.kill(self.server.pid, 0)
        except ProcessLookupError:
            return False
        return True

    def database(self, name: str) -> str:
        """An empty database; its URL."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            for (gid,) in connection.execute(
                "SELECT gid FROM pg_prepared_xacts WHERE database = %s", (name,)
            ).fetchall():
                with psycopg.connect(self.url(name), autocommit=True) as other:
                    other.execute(f"ROLLBACK PREPARED '{gid}'".encode())
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())
            connection.execute(f"CREATE DATABASE {name}".encode())
        return self.url(name)

    def close(self) -> None:
        """Stop it for good."""
        embedded.stop(self.folder / "pg")
        shutil.rmtree(self.folder, ignore_errors=True)
