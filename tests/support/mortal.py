"""A server of its own that is killed."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import psycopg

from schema_kit import embedded
from tests.support.database import Database


class Mortal:
    """A server that is killed and started again on the same data."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.start()

    def start(self) -> None:
        """Recovers, where it was killed."""
        self.server = embedded.start(self.folder, quiet=True, settings={"fsync": "off"})

    def database(self, stack: ExitStack) -> Database:
        """An empty one."""
        with psycopg.connect(self.server.url("postgres"), autocommit=True) as connection:
            connection.execute("DROP DATABASE IF EXISTS work WITH (FORCE)")
            connection.execute("CREATE DATABASE work")
        return Database(self.server.url("work"), stack)
