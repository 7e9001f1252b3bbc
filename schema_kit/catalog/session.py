"""The session dress under which the catalog is read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, OperationalError, PendingRollbackError, SQLAlchemyError

DRESS = (
    "SET LOCAL search_path = ''",
    "SET LOCAL TimeZone = 'UTC'",
    "SET LOCAL DateStyle = 'ISO, YMD'",
    "SET LOCAL IntervalStyle = 'postgres'",
    "SET LOCAL lock_timeout = '5s'",
    "SET LOCAL statement_timeout = 0",
)
"""What every look at the catalog sets, for its own transaction."""


def send(connection: Connection, sql: str) -> Any:
    """Send one statement as it is: no parameters, so that nothing in it needs escaping."""
    with _lost_is_lost():
        return connection.execution_options(no_parameters=True).exec_driver_sql(sql)


@contextmanager
def _lost_is_lost() -> Iterator[None]:
    """A connection that was lost while nobody looked, putting settings back say, is lost, and no mistake of ours."""
    try:
        yield
    except PendingRollbackError as error:
        raise OperationalError(None, None, psycopg.OperationalError("the connection was lost")) from error


def copy_in(connection: Connection, sql: str, data: Iterator[bytes]) -> int:
    """Send a COPY ... FROM STDIN and what it reads; how many rows that were.

    Raises:
        DBAPIError: PostgreSQL refused them.
    """
    try:
        with _raw(connection).cursor() as cursor:
            with cursor.copy(sql) as copy:
                for some in data:
                    copy.write(some)
            return int(cursor.rowcount)
    except connection.dialect.loaded_dbapi.Error as error:
        raise DBAPIError(sql, None, error) from error


def send_together(connection: Connection, statements: Iterable[str]) -> list[Any]:
    """Send several statements in one message, each seeing what was committed before it; the rows of the last with any.

    Raises:
        DBAPIError: PostgreSQL refused one of them; those behind it were not looked at.
    """
    sql, found = ";\n".join(statements), list[Any]()
    try:
        with _raw(connection).cursor() as cursor:
            cursor.execute(sql.encode())
            while True:
                found = cursor.fetchall() if cursor.description else found
                if not cursor.nextset():
                    return found
    except connection.dialect.loaded_dbapi.Error as error:
        raise DBAPIError(sql, None, error) from error


def autocommits(connection: Connection) -> bool:
    """Whether the connection is in autocommit: asked of the option, since the other ways mislead inside Alembic."""
    level = connection.get_execution_options().get("isolation_level")
    return bool(level == "AUTOCOMMIT") or bool(connection.dialect.detect_autocommit_setting(_raw(connection)))


def _raw(connection: Connection) -> Any:
    return connection.connection.dbapi_connection


@contextmanager
def observing(connection: Connection) -> Iterator[None]:
    """Read under the dress, and leave the session as it was.

    On an autocommit connection in a read-only transaction of its own; in somebody's transaction behind a savepoint
    that is rolled back, which puts the settings back and costs no transaction id.
    """
    begin, end = ("BEGIN READ ONLY", "COMMIT") if autocommits(connection) else ("SAVEPOINT schema_kit", None)
    try:
        send(connection, "; ".join((begin, *DRESS)))  # one message: a look between two batches should cost nothing
        yield
    except BaseException:
        if end:
            with suppress(SQLAlchemyError):  # the connection may be the very thing that was lost
                send(connection, "ROLLBACK")
        raise
    if end:
        send(connection, end)
    else:
        send(connection, "ROLLBACK TO SAVEPOINT schema_kit")
        send(connection, "RELEASE SAVEPOINT schema_kit")


def rows(connection: Connection, sql: str, values: Mapping[str, Any] | None = None) -> list[Any]:
    """The rows of a query with ``%(name)s`` places, or of one that is sent as it is."""
    if values is None:
        return list(send(connection, sql))
    with _lost_is_lost():
        return list(connection.exec_driver_sql(sql, dict(values)))
