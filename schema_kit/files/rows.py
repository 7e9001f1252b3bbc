"""Rows out of the database, by one snapshot: in Arrow by the ADBC driver, or as COPY text."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from queue import Empty, Queue
from typing import Any, TypeVar

import adbc_driver_postgresql.dbapi as adbc
import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from schema_kit.catalog.session import DRESS, rows, send
from schema_kit.errors import ExecutionError
from schema_kit.files.arrow import fitted
from schema_kit.files.formats import ROWS, Arrays, split
from schema_kit.files.table import Column
from schema_kit.names import QualifiedName, idents, literal
from schema_kit.steps.files import TEXTS

WRITTEN_AS = (
    *DRESS,
    *(f"SET LOCAL {name} = {literal(value)}" for name, value in TEXTS),
    "SET LOCAL idle_in_transaction_session_timeout = 0",
)
"""How rows are read, whatever the session's own settings are."""

# From 17 on; the other sessions are rid of it when they are opened.
_NO_TRANSACTION_TIMEOUT = "SELECT set_config(name, '0', true) FROM pg_settings WHERE name = 'transaction_timeout'"
_COPY_BYTES = 8 << 20
_BATCHES = {"adbc.postgresql.batch_size_hint_bytes": 4 << 20}  # they stay nearer to the processor than the usual 16 MB

Some = TypeVar("Some")


@dataclass(frozen=True)
class Snapshot:
    """A transaction that holds the table as it is."""

    held: Connection
    id: str
    url: str

    def arrow(self, table: QualifiedName, columns: Sequence[Column], where: str = "") -> Iterator[Arrays]:
        """Yield the rows in the types that the columns are stored in.

        Raises:
            Misfit: a column holds what Arrow cannot.
            ExecutionError: the server refused, or is gone.
        """
        try:
            with _opened(self.url) as connection, connection.cursor(adbc_stmt_kwargs=_BATCHES) as cursor:
                for statement in (*joining(literal(self.id)), select_sql(table, columns, where)):
                    cursor.execute(statement)
                for batch in cursor.fetch_record_batch():
                    yield fitted(batch, columns)
        except (adbc.Error, pa.ArrowException, OSError) as error:
            raise _unreadable(table, error) from error

    def text(self, table: QualifiedName, columns: Sequence[Column], where: str = "") -> Iterator[Arrays]:
        """Yield the rows as COPY writes them, each column as it stands there.

        Raises:
            ExecutionError: the server refused, or is gone.
        """
        import psycopg

        raw: Any = self.held.connection.dbapi_connection
        try:
            with raw.cursor().copy(copy_sql(table, columns, where)) as copy:
                waiting, size = list[bytes](), 0
                for line in copy:
                    waiting.append(bytes(line))
                    size += len(line)
                    if size >= _COPY_BYTES or len(waiting) >= ROWS:
                        yield split(b"".join(waiting), len(columns))
                        waiting, size = [], 0
                if waiting:
                    yield split(b"".join(waiting), len(columns))
        except psycopg.Error as error:
            raise _unreadable(table, error) from error


def _opened(url: str) -> adbc.Connection:
    """Open a session in which the driver asks for the types by PostgreSQL's own operators, whatever search_path is.

    A pooler may refuse the option. The driver asks by bare names then, as by all that it asks itself.
    """
    asked = sa.make_url(url)
    options = " ".join((*asked.normalized_query.get("options", ()), "-csearch_path="))
    try:
        return adbc.connect(asked.update_query_dict({"options": options}).render_as_string(hide_password=False))
    except adbc.Error as error:
        if "startup parameter" not in str(error):
            raise
        return adbc.connect(url)


def opening(lock: str) -> tuple[str, ...]:
    """Return what begins a transaction that holds the table as it is; the last one names its snapshot."""
    return ("BEGIN ISOLATION LEVEL REPEATABLE READ", *WRITTEN_AS, lock, "SELECT pg_export_snapshot()")


def joining(snapshot: str) -> tuple[str, ...]:
    """Return what another session sends to see that snapshot, which is named by a literal."""
    return (
        "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY",
        f"SET TRANSACTION SNAPSHOT {snapshot}",
        *WRITTEN_AS,
        _NO_TRANSACTION_TIMEOUT,
    )


def copy_sql(table: QualifiedName, columns: Sequence[Column], where: str) -> str:
    """Return what reads rows as text."""
    own = f"SELECT {idents(tuple(column.name for column in columns))} FROM {table.sql}{where}"
    return f"COPY ({own}) TO STDOUT"


def select_sql(table: QualifiedName, columns: Sequence[Column], where: str) -> str:
    """Return what reads rows in the types that the columns are stored in."""
    each = ", ".join(f"{column.expression} AS {idents((column.name,))}" for column in columns)
    return f"SELECT {each} FROM {table.sql}{where}"


def _unreadable(table: QualifiedName, error: Exception) -> ExecutionError:
    state = getattr(error, "sqlstate", None)
    said = str(error).replace("\n", " ").strip()
    return ExecutionError(
        f"PostgreSQL stopped giving the rows of {table}: {said} [{state or 'connection lost'}]. No row was "
        "dropped; run again.",
        sqlstate=state,
    )


def ahead(batches: Iterator[Some]) -> Iterator[Some]:
    """Yield the same, made by a thread that is a little ahead: the server goes on while a file is written or read."""
    ready: Queue[Some | BaseException | None] = Queue(maxsize=2)
    left = threading.Event()

    def read() -> None:
        last: BaseException | None = None
        try:
            for arrays in batches:
                ready.put(arrays)
                if left.is_set():
                    break
            batches.close()  # type: ignore[attr-defined] # what is not read to its end is cancelled here
        except BaseException as error:
            last = error
        ready.put(last)

    reader = threading.Thread(target=read, name="schema_kit reader")
    reader.start()
    try:
        while (found := ready.get()) is not None:
            if isinstance(found, BaseException):
                raise found
            yield found
    finally:
        left.set()
        while reader.is_alive():
            with suppress(Empty):
                ready.get(timeout=0.05)
        reader.join()


@contextmanager
def snapshot(connection: Connection, lock: str) -> Iterator[Snapshot]:
    """One REPEATABLE READ transaction on a connection of its own; what is done in it is committed by who opened it.

    Args:
        connection: whose database it is.
        lock: a LOCK TABLE, sent before the snapshot is taken.
    """
    with connection.engine.connect() as own:
        *first, exporting = opening(lock)
        try:
            for statement in first:
                send(own, statement)
            found = rows(own, exporting)[0][0]
            url = own.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
            yield Snapshot(own, found, url)
        finally:
            with suppress(SQLAlchemyError):  # the connection may be lost; after COMMIT there is nothing to roll back
                if own.connection.dbapi_connection and own.connection.dbapi_connection.pgconn.transaction_status:
                    send(own, "ROLLBACK")
