"""Open sessions of our own for a caller's engine, whatever its driver.

Steps that are commits of their own are sent by psycopg 3. Where the caller's connection is of another driver, a session
is opened from what its engine connects with: same server, database and role, same settings.
"""

from __future__ import annotations

import inspect
import re
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import psycopg
from psycopg import conninfo, sql
from sqlalchemy import Connection, Dialect, Engine, NullPool, create_engine, text
from sqlalchemy.engine.result import IteratorResult, SimpleResultMetaData
from sqlalchemy.exc import DBAPIError
from sqlalchemy.util import await_only

from schema_kit.catalog import custom
from schema_kit.errors import PlanError

_RENAMED = {"database": "dbname", "timeout": "connect_timeout"}
_SERVER = """
SELECT session_user || ' on ' || current_database() || ' of the server started at '
       || to_char(pg_postmaster_start_time() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')
"""
_ROLE = "SELECT current_setting('role')"
_SETTINGS = """
SELECT name, current_setting(name) FROM pg_settings
WHERE source IN ('client', 'session') AND context IN ('user', 'superuser') AND name NOT IN
  ('application_name', 'client_encoding', 'transaction_isolation', 'transaction_read_only',
   'transaction_deferrable', 'default_transaction_isolation', 'lock_timeout',
   'statement_timeout', 'transaction_timeout', 'idle_in_transaction_session_timeout', 'idle_session_timeout')
"""
"""What a session has of its own; limits of time are those of our lock policy."""

_CUSTOM = "SELECT coalesce(current_setting(:name, true), '')"

_CHARACTER = 18
_TEXTS: Mapping[int, Callable[[Any], Any]] = {
    _CHARACTER: lambda value: value.decode(),
    1002: lambda value: [one.decode() for one in value],
}
"""By the oid of a type: what asyncpg gives otherwise than psycopg does ("char", and an array of it)."""


def speaks_psycopg(dialect: Dialect) -> bool:
    """Return whether connections are psycopg 3's, and no event loop stands between."""
    return dialect.driver == "psycopg" and not dialect.is_async


def sqlstate(error: BaseException | None) -> str | None:
    """Return the SQLSTATE of what a driver raised; None where the connection was lost."""
    origin = getattr(error, "orig", error)
    return getattr(origin, "sqlstate", None) or getattr(origin, "pgcode", None)


_ASYNCPG = {"message_primary": "message", "message_detail": "detail", "source_function": "server_source_function"}


def diagnosis(error: BaseException | None, field: str) -> str | None:
    """Return a field of what PostgreSQL said, by psycopg's name for it."""
    origin = getattr(error, "orig", error)
    if (diag := getattr(origin, "diag", None)) is not None:
        return getattr(diag, field, None)
    return getattr(origin.__cause__ if origin else None, _ASYNCPG.get(field, field), None)


def alike(engine: Engine) -> Engine:
    """An engine for sessions of our own: made as *engine*'s are, none taken from its pool, none given back to it.

    A pool of one, or one that counts what it lends, never notices. Its connections are in autocommit, and psycopg 3's.

    Raises:
        PlanError: nothing says how psycopg would connect.
    """
    if speaks_psycopg(engine.dialect):
        pool = NullPool(engine.pool._creator, dialect=engine.dialect, _dispatch=engine.pool.dispatch)
        return Engine(pool, engine.dialect, engine.url).execution_options(isolation_level="AUTOCOMMIT")
    told = _libpq(engine)
    # Prepared statements would outlive the tables they were planned for, and poolers lose them.
    return create_engine(
        engine.url.set(drivername="postgresql+psycopg", query={}),
        creator=lambda: psycopg.connect(told(), prepare_threshold=None, client_encoding="utf8"),
        poolclass=NullPool,
        isolation_level="AUTOCOMMIT",
    )


@dataclass(frozen=True)
class Beside:
    """Sessions of our own that are as a caller's is: on its database, in its role, with its settings."""

    engine: Engine
    server: str
    role: str
    settings: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, connection: Connection) -> Beside:
        """Look at the caller's session, and leave no transaction open on it that was not.

        Raises:
            PlanError: nothing says how psycopg would connect.
        """
        before = connection.in_transaction()
        try:
            server, role = (str(connection.scalar(text(query))) for query in (_SERVER, _ROLE))
            settings = [(str(name), str(value)) for name, value in connection.execute(text(_SETTINGS))]
            own = custom.names(connection)
            settings += [(name, str(connection.scalar(text(_CUSTOM), {"name": name}))) for name in own]
        finally:
            if not before:
                connection.rollback()
        return cls(alike(connection.engine), server, role, tuple(settings))

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """Open one, and close it after the block.

        Raises:
            PlanError: it would be on another database or server, or psycopg cannot connect.
        """
        try:
            session = self.engine.connect()
        except DBAPIError as error:
            raise PlanError(
                f"{_NEEDS} from {self.engine.url.render_as_string(hide_password=True)} it cannot be opened: "
                f"{str(error.orig).strip()}. {_WAY_OUT}"
            ) from error
        with session:
            found = str(session.scalar(text(_SERVER)))
            if found != self.server:
                raise PlanError(f"{_NEEDS} psycopg came to {found}, and the caller is {self.server}. {_WAY_OUT}")
            for name, value in self.settings:
                session.execute(text("SELECT set_config(:name, :value, false)"), {"name": name, "value": value})
            if self.role != "none":
                session.exec_driver_sql(sql.SQL("SET ROLE {}").format(sql.Identifier(self.role)).as_string())
            yield session


_NEEDS = "operations that commit on their own are sent by a session of psycopg 3, made as the engine's are, and"
_WAY_OUT = (
    "Name the database by its URL (postgresql+psycopg://user@host/database), or hand over a connection of psycopg 3."
)


def _libpq(engine: Engine) -> Callable[[], str]:
    """Return what says how *engine* connects, as libpq has it: its URL, connect_args, and what do_connect adds."""
    known = inspect.getclosurevars(engine.pool._creator).nonlocals if inspect.isfunction(engine.pool._creator) else {}
    opaque = "" if "cparams" in known else "this engine was made with a creator, which says nothing of that."
    given, positional = dict(known.get("cparams", {})), list(known.get("cargs_tup", ()))
    for listener in engine.dialect.dispatch.do_connect if not opaque else ():
        if (made := listener(engine.dialect, None, positional, given)) is not None:
            engine.dialect.do_close(made)
            opaque = "a listener to do_connect makes the connections of this engine."
    if opaque and engine.dialect.driver == "psycopg2":
        return partial(_of_psycopg2, engine)
    if opaque:
        raise PlanError(f"{_NEEDS} {opaque} {_WAY_OUT}")
    told = dict[str, Any]()
    for name, value in given.items():
        if callable(value) and name == "password":
            value = value()
            value = await_only(value) if inspect.isawaitable(value) else value
        name = _RENAMED.get(str(name), str(name))
        if name in ("ssl", "ssl_context"):
            told |= _tls(value)
        elif value is not None:
            told[name] = ",".join(map(str, value)) if isinstance(value, list | tuple) else value
    info = conninfo.make_conninfo(*map(str, positional[:1]), **_options(told))
    return lambda: info


def _of_psycopg2(engine: Engine) -> str:
    """Return how a connection of psycopg2 was made, which reports that itself, its password included."""
    made: Any = engine.pool._invoke_creator(cast(Any, None))
    try:
        return conninfo.make_conninfo(**_options({**made.info.dsn_parameters, "password": made.info.password}))
    finally:
        made.close()


def _options(told: Mapping[str, Any]) -> dict[str, Any]:
    """Return those that this libpq knows."""
    known = {one.keyword.decode() for one in psycopg.pq.Conninfo.get_defaults()}
    return {name: value for name, value in told.items() if name in known}


def _tls(value: Any) -> dict[str, str]:
    """Return the ``ssl`` of asyncpg in libpq's words."""
    if isinstance(value, str):
        return {"sslmode": value}
    if value is True:
        return {"sslmode": "verify-full", "sslrootcert": "system"}
    if isinstance(value, ssl.SSLContext) and value.verify_mode is ssl.CERT_NONE:
        return {"sslmode": "require"}
    if value:
        raise PlanError(f"{_NEEDS} its certificates are in an SSLContext, which cannot be handed on. {_WAY_OUT}")
    return {}


def in_place(query: str, values: Mapping[str, Any] | None) -> str:
    """Return a query with ``%(name)s`` places, for a driver that has another style: the values stand in it."""
    if values is None:
        return query
    return re.sub(
        r"%(?:%|\((\w+)\)s)", lambda place: sql.Literal(values[place[1]]).as_string() if place[1] else "%", query
    )


def asyncpg_rows(connection: Connection, query: str) -> list[Any]:
    """Return the rows of one query, in the types that psycopg would give."""
    result = connection.exec_driver_sql(query, execution_options={"no_parameters": True})
    if not result.returns_rows:
        return []
    readers = [_TEXTS.get(cast(int, column[1]), lambda value: value) for column in result.cursor.description]
    read = (
        tuple(None if value is None else reader(value) for reader, value in zip(readers, row, strict=True))
        for row in result
    )
    return list(IteratorResult(SimpleResultMetaData(list(result.keys())), read))


def asyncpg_send(connection: Connection, statements: str) -> None:
    """Send statements, several in one message if need be: asyncpg prepares what goes through its cursor."""
    connection.exec_driver_sql("SELECT 1")  # SQLAlchemy begins its transaction with the first statement that it sees
    adapted: Any = connection.connection.dbapi_connection
    try:
        await_only(adapted.driver_connection.execute(statements))
    except Exception as error:
        try:
            adapted._handle_exception(error)
        except connection.dialect.loaded_dbapi.Error as translated:
            raise DBAPIError(statements, None, translated) from error
