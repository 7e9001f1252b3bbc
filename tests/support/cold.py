"""A second server, and tables whose old partitions go there."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest

from schema_kit import embedded
from tests.support.archives import VIEW, archived
from tests.support.cli import shell
from tests.support.database import Database
from tests.support.matrix import perform
from tests.support.mortal import Mortal

LATE = "2026-08-20"
"""Ninety days after 2026-05-22: January to May have left the table, January to March go to the server."""
CONTENT = "SELECT count(*), count(DISTINCT id), sum(hashtextextended(v::text, 0)::numeric)::text FROM {} v"


class Cold(Mortal):
    """The other server: killed, stopped, started again; and a database of it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.stack = ExitStack()
        self.renew()

    def renew(self) -> None:
        """An empty database."""
        self.data = self.database(self.stack)
        self.data.sql("CREATE SCHEMA s")

    def kill(self) -> None:
        """At once, with whatever it does."""
        os.kill(self.server.pid, signal.SIGKILL)
        embedded.stop(self.folder)

    def processes(self) -> list[int]:
        """The postmaster and all that belongs to it."""
        pids = [self.server.pid]
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                except OSError:
                    continue
                if parent == self.server.pid:
                    pids.append(int(entry.name))
        return pids

    def signal(self, number: signal.Signals) -> None:
        """Stop or continue all of it."""
        for pid in self.processes():
            with suppress(ProcessLookupError):  # a session that has just ended
                os.kill(pid, number)

    def options(self, more: str = "") -> str:
        """How the other one reaches it."""
        return f"(host '{self.server.socket_dir}', port '{self.server.port}', dbname 'work'{more})"

    def tables(self) -> list[str]:
        """What exists."""
        found = self.data.sql("SELECT relname FROM pg_class WHERE relnamespace = 's'::regnamespace AND relkind = 'r'")
        return sorted(name for (name,) in found)


LOOPBACK = (
    "CREATE EXTENSION IF NOT EXISTS postgres_fdw",
    "CREATE EXTENSION IF NOT EXISTS dblink",
    "CREATE SCHEMA IF NOT EXISTS there",
    "DO $$ BEGIN EXECUTE format('CREATE SERVER IF NOT EXISTS cold FOREIGN DATA WRAPPER postgres_fdw OPTIONS "
    "(host %L, port %L, dbname %L)', split_part(current_setting('unix_socket_directories'), ',', 1), "
    "current_setting('port'), current_database()); END $$",
    "CREATE USER MAPPING IF NOT EXISTS FOR CURRENT_USER SERVER cold OPTIONS (user 'postgres')",
)
"""A foreign server that is this one: what is asked is what it takes here."""


def connected(database: Database, cold: Cold, more: str = "") -> None:
    """What a DBA does."""
    database.sql(
        "CREATE EXTENSION postgres_fdw",
        "CREATE EXTENSION dblink",
        f"CREATE SERVER cold FOREIGN DATA WRAPPER postgres_fdw OPTIONS {cold.options(more)}",
        "CREATE USER MAPPING FOR CURRENT_USER SERVER cold OPTIONS (user 'postgres')",
    )


def with_cold(database: Database, cold: Cold, view: str | None = VIEW, **policy: Any) -> Database:
    """A partitioned table from January to June 2026, an archive, and a server for what is older than five months."""
    connected(database, cold)
    archived(database, view=view, **policy)

    def operate(op: Any) -> None:
        op.create_cold_archive("t", "cold", schema="s", view=view)
        op.set_archive_policy("t", "2 months", schema="s", cold_after="4 months")

    perform(database, operate)
    return database


def content(database: Database, table: str = f"s.{VIEW}") -> tuple[Any, ...]:
    """How many rows, how many of them differ, and a checksum."""
    return database.sql(CONTENT.format(table))[0]


def foreign(database: Database) -> list[str]:
    """The months on the server."""
    found = database.sql("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 's.t_cold'::regclass")
    return sorted(name.removeprefix("s.") for (name,) in found)


def run(database: Database, *arguments: str) -> subprocess.CompletedProcess[str]:
    return shell(database, "archive", "run", "--now", LATE, *arguments)


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cold]:
    """The other server."""
    folder = tmp_path_factory.mktemp("cold")
    folder.chmod(0o755)
    found = Cold(folder / "pg")
    try:
        yield found
    finally:
        found.stack.close()
        embedded.stop(found.folder)


@pytest.fixture
def cold(other: Cold) -> Cold:
    """With an empty database."""
    other.renew()
    return other
