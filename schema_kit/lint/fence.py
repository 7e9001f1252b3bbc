"""Nothing but the scratch database is ever connected to while revisions are judged.

env.py is given the scratch database in place of what it names, whatever its driver. A revision that opens a connection
of its own, or has the server open one, is refused, and so is everything else that goes through a socket or a program.
"""

from __future__ import annotations

import os
import re
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import PurePath
from traceback import walk_stack
from typing import Any
from unittest import mock

import sqlalchemy as sa
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from schema_kit.catalog.code import code, without_leading_comments
from schema_kit.errors import PlanError
from schema_kit.names import ident

_OF_LIBPQ = re.compile(r"PG(?!_)[A-Z]+")
_HARMLESS = {"uname", "ldconfig", "gcc", "cc", "ld", "objdump", "git"}
"""Programs that Python's own library, or env.py, asks about the machine or the checkout."""
_OUTSIDE = re.compile(
    r"\bIMPORT\s+FOREIGN\s+SCHEMA\b|\bdblink(_connect\w*|_exec|_send_query|_open)?\s*\("
    r"|\bCOPY\s+(\(.*\)|[\w.\"]+\s*(\([^)]*\))?)\s*(FROM|TO)\s+(PROGRAM\b|E?')"
    r"|\bCREATE\s+SUBSCRIPTION\b(?!.*\bconnect\s*=\s*(false|off|0))|\bALTER\s+SUBSCRIPTION\b"
    r"|\bALTER\s+DATABASE\s+\S+\s+(RENAME|SET\s+TABLESPACE)\b|\bON\s+PARAMETER\b"
    r"|\b(lo_(import|export)|pg_(terminate_backend|cancel_backend|reload_conf|rotate_logfile|promote|switch_wal"
    r"|read_(binary_)?file|file_(write|rename|unlink|sync)|(create|drop|copy)_\w*replication_slot|create_restore_point"
    r"|replication_origin_(create|drop|advance)|backup_(start|stop)|(start|stop)_backup|wal_replay_(pause|resume)"
    r"|stat_reset_(shared|slru|replication_slot)))\s*\(",
    re.IGNORECASE | re.DOTALL,
)
_OF_THE_SERVER = re.compile(
    r"ALTER\s+SYSTEM\b|(CREATE|DROP)\s+(DATABASE|TABLESPACE)\b|ALTER\s+TABLESPACE\b", re.IGNORECASE
)
"""What is never within a block or a function: PostgreSQL sends it by itself."""
_NOTE = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_SUM = re.compile(r"'\s*\|\|\s*'")
_NAME = r'(?:"(?:[^"]|"")+"|[\w$]+)'
_DATABASE = re.compile(
    r"\b(?:ALTER|ON|IN|REINDEX(?:\s*\([^)]*\))?)\s+DATABASE\s+(?:CONCURRENTLY\s+)?"
    rf"(?P<names>{_NAME}(?:\s*,\s*{_NAME})*)",
    re.IGNORECASE,
)


class Refused(PlanError):
    """A revision, or env.py, wanted to reach something else than the scratch database."""


def refuse(what: str) -> None:
    """Remember and refuse, if there is a fence.

    Raises:
        Refused: always.
    """
    if _FENCE:
        _FENCE[-1].refuse(what)
    raise Refused(what)


def refuse_statement(sql: str) -> None:
    """Refuse what makes the server reach a file, a program or another server, or changes more than this database.

    Raises:
        Refused: it does.
    """
    if _FENCE and (
        _OF_THE_SERVER.match(without_leading_comments(sql))
        or any(_OUTSIDE.search(text) for text in (sql, _NOTE.sub(" ", sql), _SUM.sub("", sql)))
    ):
        refuse(f"a statement makes the server reach outside this database: {' '.join(sql.split())[:120]}")


def here(sql: str) -> str:
    """Return a statement about a database, whatever it calls it, as one about the scratch database."""
    if not _FENCE or "database" not in sql.lower():
        return sql
    fence = _FENCE[-1]
    for text, words in code(sql):
        new = text
        for found in reversed([*_DATABASE.finditer(words)]):
            begin, end = found.span("names")
            named, new = new[begin:end], f"{new[:begin]}{ident(fence.url.database or '')}{new[end:]}"
            if (note := f"the database {named} stands for the scratch database") not in fence.notes:
                fence.notes.append(note)
        sql = sql.replace(text, new)
    return sql


@dataclass
class Fence:
    """Where connections may go.

    Args:
        url: the scratch database.
        notes: what env.py named instead, said aloud.
        refused: what was wanted in spite of it, also where the revision has swallowed the error.
        inside: a revision runs, and not env.py.
    """

    url: sa.URL
    notes: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    inside: bool = False

    @property
    def target(self) -> dict[str, str]:
        """The scratch database in libpq's words."""
        query = {name: value for name, value in self.url.query.items() if isinstance(value, str)}
        found = {
            "host": self.url.host or query.get("host"),
            "port": self.url.port or query.get("port"),
            "user": self.url.username,
            "password": self.url.password,
            "dbname": self.url.database,
        }
        return {name: str(value) for name, value in found.items() if value is not None}

    def refuse(self, what: str) -> None:
        """Remember and refuse.

        Raises:
            Refused: always.
        """
        self.refused.append(what)
        raise Refused(f"{what}. Only the scratch database is ever reached while revisions are judged.")

    def instead(self, named: dict[str, Any]) -> dict[str, str]:
        """Return what is connected to in place of what was named."""
        target = self.target
        named = {"host": os.environ.get("PGHOST"), "port": os.environ.get("PGPORT"), **named}
        same = all(str(named.get(name, "")) == target.get(name, "") for name in ("host", "port", "dbname"))
        where = f"{named.get('host') or 'the local server'}/{named.get('dbname') or named.get('database') or ''}"
        if self.inside and not _ours():
            self.refuse(f"the revision opens a connection of its own, to {where}: work on op.get_bind()")
        if not same and (note := f"env.py names {where}; it was given the scratch database") not in self.notes:
            self.notes.append(note)
        return target

    def hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Python's own announcement that something is about to be reached."""
        if event == "socket.connect":
            self._socket(arguments[1])
        elif event in ("subprocess.Popen", "os.system", "os.posix_spawn", "os.exec"):
            program = arguments[0] if event != "subprocess.Popen" else (arguments[0] or arguments[1][0])
            name = PurePath(os.fsdecode(program)).name
            if name not in _HARMLESS:
                self.refuse(f"the program {name} would be run, and nothing says what it reaches")

    def _socket(self, address: Any) -> None:
        target = self.target
        host, port = target.get("host", ""), target.get("port", "5432")
        if isinstance(address, tuple) and len(address) >= 2:
            same = str(address[1]) == port and str(address[0]) in _addresses(host)
        else:
            same = os.fsdecode(address) == f"{host}/.s.PGSQL.{port}"
        if not same:
            self.refuse(f"the revision, or env.py, reaches {address}: a connection of its own")


def _addresses(host: str) -> set[str]:
    try:
        return {host, *(str(found[4][0]) for found in socket.getaddrinfo(host, None))}
    except OSError:
        return {host}


def _ours() -> bool:
    """Return whether schema_kit opens it itself, for its workers and for sessions that watch or block a statement."""
    for frame, _ in walk_stack(sys._getframe(1)):
        name = frame.f_globals.get("__name__", "")
        if name == "alembic.runtime.migration":  # who calls the revision
            return False
        lint = name.startswith("schema_kit.lint") and name not in _CONNECT
        if name.startswith("schema_kit.") and not lint and name != "schema_kit.environment":
            return True
    return False


_CONNECT = ("schema_kit.lint.standstill", "schema_kit.lint.shared")
_FENCE: list[Fence] = []
_HOOKED: list[bool] = []


def _announced(event: str, arguments: tuple[Any, ...]) -> None:
    if _FENCE and (event.startswith(("socket.connect", "subprocess.", "os.system", "os.posix", "os.exec"))):
        _FENCE[-1].hook(event, arguments)


@contextmanager
def fenced(fence: Fence) -> Iterator[Fence]:
    """Let nothing be reached but the scratch database, in this block."""
    if not _HOOKED:  # a hook stays for as long as the process lives
        _HOOKED.append(True)
        sys.addaudithook(_announced)
    with ExitStack() as stack:
        stack.enter_context(_variables(fence))
        for driver, name, around in (
            ("psycopg.connection", "Connection._get_connection_params", _named),  # before a host is looked up
            ("psycopg.connection_async", "AsyncConnection._get_connection_params", _named_async),
            ("psycopg._connection_base", "BaseConnection._connect_gen", _psycopg),
            ("psycopg2", "_connect", _psycopg2),
        ):
            try:
                module = import_module(driver)
            except ImportError:
                continue
            owner: Any = module
            *path, last = name.split(".")
            for part in path:
                owner = getattr(owner, part)
            stack.enter_context(mock.patch.object(owner, last, around(getattr(owner, last), fence)))

        def instead(dialect: sa.Dialect, _: Any, positional: list[Any], given: dict[str, Any]) -> None:
            if dialect.name == "postgresql" and dialect.driver == "asyncpg":
                target = fence.instead(given)
                target["database"] = target.pop("dbname")
                positional.clear()
                for name in ("dsn", "ssl", "passfile", "service", "host", "port", "user", "password", "database"):
                    given.pop(name, None)
                given |= target | ({"port": int(target["port"])} if "port" in target else {})

        sa.event.listen(sa.engine.Engine, "do_connect", instead)
        stack.callback(sa.event.remove, sa.engine.Engine, "do_connect", instead)
        _FENCE.append(fence)
        stack.callback(_FENCE.pop)
        yield fence


def _variables(fence: Fence) -> Any:
    kept = {name: value for name, value in os.environ.items() if not _OF_LIBPQ.fullmatch(name)}
    names = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD", "dbname": "PGDATABASE"}
    ours = {names[name]: value for name, value in fence.target.items()}
    url = fence.url.set(drivername="postgresql").render_as_string(hide_password=False)
    return mock.patch.dict(os.environ, {**kept, **ours, "DATABASE_URL": url}, clear=True)


_KEPT = ("options", "application_name", "client_encoding", "connect_timeout")


def _redirected(conninfo: str, fence: Fence) -> str:
    return make_conninfo("", **_kept(conninfo_to_dict(conninfo), fence))


def _kept(named: dict[str, Any], fence: Fence) -> dict[str, Any]:
    return {name: named[name] for name in _KEPT if name in named} | fence.instead(named)


def _named(params: Callable[..., Any], fence: Fence) -> Any:
    def instead(cls: Any, /, conninfo: str, **kw: Any) -> dict[str, Any]:
        return _kept(params.__func__(cls, conninfo, **kw), fence)  # type: ignore[attr-defined]

    return classmethod(instead)


def _named_async(params: Callable[..., Any], fence: Fence) -> Any:
    async def instead(cls: Any, /, conninfo: str, **kw: Any) -> dict[str, Any]:
        return _kept(await params.__func__(cls, conninfo, **kw), fence)  # type: ignore[attr-defined]

    return classmethod(instead)


def _psycopg(connect: Callable[..., Any], fence: Fence) -> Any:
    def connect_gen(cls: Any, /, conninfo: str = "", **kw: Any) -> Any:
        return connect.__func__(cls, _redirected(conninfo, fence), **kw)  # type: ignore[attr-defined]

    return classmethod(connect_gen)


def _psycopg2(connect: Callable[..., Any], fence: Fence) -> Any:
    def connected(dsn: str, *args: Any, **kw: Any) -> Any:
        return connect(_redirected(dsn, fence), *args, **kw)

    return connected
