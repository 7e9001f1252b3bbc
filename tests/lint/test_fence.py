"""Nothing but the scratch server is reached: traps that listen, programs, statements that make the server connect."""

from __future__ import annotations

import gc
import os
import secrets
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
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


BLOCK = "with op.get_context().autocommit_block():\n    "
OF_THE_SERVER = {
    "system": BLOCK + "op.execute(\"-- for now\\nALTER SYSTEM SET work_mem = '5MB'\")",
    "reload": "op.execute('SELECT pg_reload_conf()')",
    "database": BLOCK + "op.execute('CREATE DATABASE {role}')",
    "database renamed": "op.execute('ALTER DATABASE {role}_b RENAME TO {role}')",
    "tablespace": BLOCK + "op.execute(\"CREATE TABLESPACE {role} LOCATION '/tmp'\")",
    "role": "op.execute('ALTER ROLE {role} CREATEDB')",
    "role in a block": "op.execute(\"DO $$ BEGIN EXECUTE 'ALTER RO' || 'LE {role} CREATEDB'; END $$\")",
    "role by a function": 'op.execute("CREATE FUNCTION f() RETURNS void LANGUAGE sql '
    "AS 'ALTER ROLE {role} CREATEDB'\")\nop.execute('SELECT f()')",
    "role that commits": BLOCK + "op.execute('ALTER ROLE {role} CREATEDB')",
    "role, swallowed": "try:\n    op.execute('ALTER ROLE {role} CREATEDB')\nexcept Exception:\n    pass",
    "role dropped": "op.execute('DROP ROLE {role}')",
    "member": "op.execute('GRANT pg_monitor TO {role}')",
    "setting of a role": "op.execute(\"ALTER ROLE {role} SET work_mem = '5MB'\")",
    "setting of every role": "op.execute(\"ALTER ROLE ALL SET work_mem = '5MB'\")",
    "comment": "op.execute(\"COMMENT ON ROLE {role} IS 'changed'\")",
    "program, with a comment": "op.execute(\"COPY t FROM /* now */ PROGRAM 'cat'\")",
    "file": "op.execute(\"COPY t TO '/tmp/{role}'\")",
    "large object": "op.execute(\"SELECT lo_export(lo_create(0), '/tmp/{role}')\")",
    "slot": "op.execute(\"SELECT pg_create_physical_replication_slot('{role}')\")",
}
OF_THE_SERVER_PLAIN = {"system", "role in a block", "role that commits"}
STATE = """
SELECT r.rolcreatedb, r.rolconfig::text, pg_has_role(r.rolname, 'pg_monitor', 'member'),
       shobj_description(r.oid, 'pg_authid'),
       (SELECT count(*) FROM pg_db_role_setting WHERE setrole = 0 AND setdatabase = 0),
       (SELECT count(*) FROM pg_database WHERE datname = r.rolname),
       (SELECT count(*) FROM pg_replication_slots WHERE slot_name = r.rolname),
       (SELECT count(*) FROM pg_file_settings WHERE sourcefile ~ 'auto.conf' AND name = 'work_mem')
FROM pg_roles r WHERE r.rolname = %s
"""


@pytest.mark.majors
@pytest.mark.parametrize("old", longer((False, True), True))
@pytest.mark.parametrize(
    "what", longer(OF_THE_SERVER, *(what for what in OF_THE_SERVER if what not in OF_THE_SERVER_PLAIN))
)
def test_what_is_not_of_one_database_stays_as_it_is(what: str, old: bool, scratch: str, tmp_path: Path) -> None:
    role = f"kept_{secrets.token_hex(4)}"
    project = Project.new(tmp_path / "p", scratch)
    project.revision("changes", "op.execute('CREATE TABLE t (id int)')\n" + OF_THE_SERVER[what].format(role=role))
    project.revision("newest", "pass", below="changes")
    with psycopg.connect(scratch, autocommit=True) as server:
        server.execute(f"CREATE ROLE {role}".encode())
        before = server.execute(STATE, [role]).fetchall()
        try:
            report = project.judge("newest" if old else "changes")
            assert server.execute(STATE, [role]).fetchall() == before
            assert report.exit_code == 1, report.text()
            assert "reach" in report.unjudged[0].why, report.text()
        finally:
            server.execute(f"DROP ROLE IF EXISTS {role}".encode())


@pytest.mark.deep  # roles are the cluster's: another run of lint on this server can see them, or use them
def test_roles_of_a_revision_cannot_log_in_and_go_when_nothing_depends_on_them(scratch: str, tmp_path: Path) -> None:
    role = f"made_{secrets.token_hex(4)}"
    project = Project.new(tmp_path / "p", scratch)
    up = (
        f"op.execute(\"CREATE ROLE {role} LOGIN PASSWORD 'x'\")\nop.execute('GRANT USAGE ON SCHEMA public TO {role}')\n"
    )
    up += f"logs_in = sa.text(\"SELECT rolcanlogin FROM pg_roles WHERE rolname = '{role}'\")\n"
    up += "assert not op.get_bind().scalar(logs_in)"
    down = f"op.execute('REVOKE USAGE ON SCHEMA public FROM {role}')\nop.execute('DROP ROLE {role}')"
    project.revision("makes", up, down)
    assert not kinds(project.judge("makes"))
    with psycopg.connect(scratch) as server:
        assert not server.execute("SELECT FROM pg_roles WHERE rolname = %s", [role]).fetchall()


def test_the_database_has_another_name_here(scratch: str, tmp_path: Path) -> None:
    project = Project.new(tmp_path / "p", scratch)
    up = "op.execute('GRANT CONNECT ON DATABASE live TO PUBLIC')\n"
    up += "op.execute('DO $$ BEGIN ALTER DATABASE \"live\" SET work_mem = 8192; END $$')\n"
    project.revision("names", up + "op.execute(\"COMMENT ON SCHEMA public IS 'rows ON DATABASE live'\")")
    report = project.judge("names")
    assert not kinds(report)
    assert "the database live stands for the scratch database" in report.notes
