"""Nothing but the scratch server is reached: traps that listen, programs, statements that make the server connect."""

from __future__ import annotations

import gc
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.lint import ENV, Project, kinds
from tests.support.matrix import longer

pytestmark = [pytest.mark.lint]


class Trap:
    """A port of this machine that counts who knocks."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.settimeout(0.1)
        self.port, self.knocks, self._over = self._socket.getsockname()[1], 0, threading.Event()
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def _listen(self) -> None:
        while not self._over.is_set():
            try:
                self._socket.accept()[0].close()
                self.knocks += 1
            except TimeoutError:
                pass

    def close(self) -> None:
        self._over.set()
        self._thread.join()
        self._socket.close()


@pytest.fixture
def trap() -> Iterator[Trap]:
    one = Trap()
    yield one
    one.close()


WAYS = {
    "psycopg": "import psycopg\npsycopg.connect('host=127.0.0.1 port={port} dbname=live user=owner')",
    "psycopg.AsyncConnection": "import asyncio, psycopg\n"
    "asyncio.run(psycopg.AsyncConnection.connect('host=127.0.0.1 port={port} dbname=live'))",
    "psycopg2": "import psycopg2\npsycopg2.connect(host='127.0.0.1', port={port}, dbname='live', user='owner')",
    "asyncpg": "import asyncio, asyncpg\n"
    "asyncio.run(asyncpg.connect('postgresql://owner@127.0.0.1:{port}/live', ssl=False))",
    "SQLAlchemy": "sa.create_engine('postgresql+psycopg://owner@127.0.0.1:{port}/live').connect()",
    "SQLAlchemy and psycopg2": "sa.create_engine('postgresql+psycopg2://owner@127.0.0.1:{port}/live').connect()",
    "creator": "import psycopg\nsa.create_engine('postgresql+psycopg://', "
    "creator=lambda: psycopg.connect(host='127.0.0.1', port={port}, dbname='live')).connect()",
    "variable": "import os\nsa.create_engine(os.environ['LIVE_URL']).connect()",
    "socket": "import socket\nsocket.create_connection(('127.0.0.1', {port}))",
    "http": "import urllib.request\nurllib.request.urlopen('http://127.0.0.1:{port}/')",
    "program": "import subprocess, sys\n"
    "subprocess.run([sys.executable, '-c', 'import socket; socket.create_connection((\"127.0.0.1\", {port}))'])",
    "shell": "import os\nos.system('psql postgresql://owner@127.0.0.1:{port}/live')",
    "swallowed": "import psycopg\ntry:\n    psycopg.connect('host=127.0.0.1 port={port} dbname=live')\n"
    "except Exception:\n    pass",
    "dblink": "op.execute(\"SELECT dblink_connect('host=127.0.0.1 port={port} dbname=live')\")",
    "subscription": "op.execute(\"CREATE SUBSCRIPTION s CONNECTION 'host=127.0.0.1 port={port}' PUBLICATION p\")",
    "sessions of others": "op.execute('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid < {port}')",
    "program of the server": "op.execute(\"COPY t FROM PROGRAM 'nc 127.0.0.1 {port}'\")",
}

PLAIN = {"psycopg", "psycopg2", "swallowed", "dblink"}


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")  # of asyncio
@pytest.mark.parametrize("way", longer(WAYS, *(way for way in WAYS if way not in PLAIN)))
def test_a_revision_that_connects_is_refused_and_nothing_is_reached(
    way: str, trap: Trap, scratch: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIVE_URL", f"postgresql+psycopg://owner@127.0.0.1:{trap.port}/live")
    project = Project.new(tmp_path / "p", scratch)
    project.revision(
        "connects", "op.execute('CREATE TABLE IF NOT EXISTS t (id int)')\n" + WAYS[way].format(port=trap.port)
    )
    report = project.judge("connects")
    assert (report.exit_code, trap.knocks) == (1, 0), report.text()
    assert "of its own" in report.unjudged[0].why or "reach" in report.unjudged[0].why
    assert os.environ["LIVE_URL"].endswith("/live")
    gc.collect()


def test_the_trap_catches() -> None:
    one = Trap()
    socket.create_connection(("127.0.0.1", one.port)).close()
    while not one.knocks:
        pass
    one.close()


def test_env_py_is_given_the_scratch_database_whatever_it_names(trap: Trap, scratch: str, tmp_path: Path) -> None:
    env = ENV.replace(
        "engine = engine_from_config(",
        f"""
import sqlalchemy
engine = sqlalchemy.create_engine("postgresql+psycopg://owner@127.0.0.1:{trap.port}/live", poolclass=pool.NullPool)
unused = (lambda *args, **kw: None)(""",
    )
    project = Project.new(tmp_path / "p", scratch, env)
    project.revision("first", "op.execute('CREATE TABLE t (id int)')")
    report = project.judge("first")
    assert (kinds(report), trap.knocks) == (set(), 0)
    assert report.notes == ("env.py names 127.0.0.1/live; it was given the scratch database",)


def test_a_server_of_the_dump_is_not_reached(trap: Trap, scratch: str, tmp_path: Path) -> None:
    project = Project.new(tmp_path / "p", scratch)
    dump = project.sql(
        "dump.sql",
        "CREATE EXTENSION postgres_fdw",
        f"CREATE SERVER live FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '127.0.0.1', port '{trap.port}')",
        "CREATE USER MAPPING FOR PUBLIC SERVER live OPTIONS (user 'owner')",
        "CREATE FOREIGN TABLE there (id int) SERVER live",
    )
    project.revision("reads", "op.execute('CREATE TABLE here AS SELECT * FROM there')")
    report = project.judge("reads", schema=dump)
    assert (report.findings[0].kind if report.findings else "", trap.knocks) == ("fails", 0), report.text()
