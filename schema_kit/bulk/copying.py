"""COPY into a table, by any of the drivers that SQLAlchemy has for PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

import psycopg
import sqlalchemy as sa
from psycopg.adapt import PyFormat, Transformer
from sqlalchemy.dialects import postgresql
from sqlalchemy.util import await_only

from schema_kit.bulk.rows import Row, named, ordered
from schema_kit.errors import DeclarationError
from schema_kit.names import ident

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
    from sqlalchemy.orm import Session

_STAGING = "schema_kit_copy_in"
_NUMBER = "schema_kit_row"
_CHUNK = 64 * 1024


def copy_in(
    connection: sa.Connection | Session,
    table: Any,
    rows: Iterable[Row],
    *,
    columns: Sequence[str] | None = None,
    on_conflict: Callable[[postgresql.Insert], postgresql.Insert] | None = None,
    returning: Sequence[str] | None = None,
    batch: int = 50_000,
) -> Any:
    """Write many rows by COPY, in the caller's transaction.

    Values are converted by the columns' types, as an INSERT would. Columns that rows lack get their default, the one in
    Python, too. Nothing is committed. Locks: ROW EXCLUSIVE on the table until the transaction ends, as an INSERT.

    Args:
        connection: A Connection or a Session, on psycopg, psycopg2 or asyncpg.
        table: A Table or a mapped class; rows of a class use the names of its attributes.
        rows: Mappings that all have the same keys, or sequences in the order of *columns*; any iterable, read once.
        columns: The columns of sequences, or of mappings in another order.
        on_conflict: What to do with rows that exist: takes SQLAlchemy's insert and returns it with
            `on_conflict_do_nothing(...)` or `on_conflict_do_update(...)`. Rows go through a temporary table then, which
            needs the right TEMPORARY on the database.
        returning: Columns of which the values are returned for each row that was inserted or updated, in the rows'
            order; through a temporary table likewise.
        batch: Rows that go through the temporary table at once.

    Returns: the number of rows written, or with *returning* a list of rows.

    Raises:
        DeclarationError: a column is unknown, a row has other keys than the first one, or the driver is another one.
        sqlalchemy.exc.DBAPIError: PostgreSQL refuses a row.

    Example: `copy_in(session, Citation, rows, on_conflict=lambda insert: insert.on_conflict_do_nothing())`

    https://www.postgresql.org/docs/current/sql-copy.html
    """
    target, by_name = named(table)
    if not isinstance(connection, sa.Connection):
        connection = connection.connection(bind_arguments={"clause": target})
    wanted, values = ordered(by_name, rows, columns)
    if not wanted:
        return [] if returning is not None else 0
    if on_conflict is None and returning is None:
        return _copy(connection, target, wanted, values)
    missing = [name for name in returning or () if name not in by_name]
    if missing:
        raise DeclarationError(
            f"there is no column {', '.join(map(repr, missing))} to return; there are {', '.join(by_name)}."
        )
    returned = [by_name[name] for name in returning or ()]
    return _through_staging(connection, target, wanted, values, on_conflict, returned, batch)


async def async_copy_in(
    connection: AsyncConnection | AsyncSession, table: Any, rows: Iterable[Row], **options: Any
) -> Any:
    """Do the same on an AsyncConnection or an AsyncSession: see `copy_in`.

    Example: `await async_copy_in(session, Citation, rows)`
    """
    return await connection.run_sync(copy_in, table, rows, **options)


def _through_staging(
    connection: sa.Connection,
    table: sa.Table,
    columns: list[sa.Column[Any]],
    values: Iterator[tuple[Any, ...]],
    on_conflict: Callable[[postgresql.Insert], postgresql.Insert] | None,
    returned: list[sa.Column[Any]],
    batch: int,
) -> Any:
    """Copy into a temporary table and insert from there."""
    staging = sa.Table(
        _STAGING,
        sa.MetaData(),
        *(sa.Column(column.name, column.type) for column in columns),
        sa.Column(_NUMBER, sa.BigInteger),
        prefixes=["TEMPORARY"],
    )
    _send(
        connection, f"CREATE TEMPORARY TABLE {_STAGING} ON COMMIT DROP AS TABLE {_name(connection, table)} WITH NO DATA"
    )
    _send(connection, f"ALTER TABLE {_STAGING} ADD COLUMN {_NUMBER} bigint")
    insert = postgresql.insert(table).from_select(
        [column.name for column in columns],
        sa.select(*(staging.c[column.name] for column in columns)).order_by(staging.c[_NUMBER]),
        include_defaults=False,
    )
    if on_conflict is not None:
        insert = on_conflict(insert)
    count, kept = 0, list[Any]()
    while some := [(*row, number) for number, row in enumerate(islice(values, batch))]:
        _copy(connection, staging, list(staging.columns), iter(some))
        if returned:
            kept += connection.execute(insert.returning(*returned)).all()
        else:
            count += connection.execute(insert, execution_options={"preserve_rowcount": True}).rowcount
        _send(connection, f"TRUNCATE {_STAGING}")
    _send(connection, f"DROP TABLE {_STAGING}")
    return kept if returned else count


def _copy(
    connection: sa.Connection, table: sa.Table, columns: list[sa.Column[Any]], values: Iterator[tuple[Any, ...]]
) -> int:
    """COPY; the number of rows."""
    listed = ", ".join(ident(column.name) for column in columns)
    statement = f"COPY {_name(connection, table)} ({listed}) FROM STDIN"
    if not connection.in_transaction():
        connection.begin()
    driver = connection.dialect.driver
    raw: Any = connection.connection.driver_connection
    try:
        if driver == "psycopg" and connection.dialect.is_async:
            return int(await_only(_by_psycopg_async(raw, statement, values)))
        if driver == "psycopg":
            return _by_psycopg(raw, statement, values)
        if driver == "psycopg2":
            with raw.cursor() as cursor:
                cursor.copy_expert(statement, _File(_chunks(values)))
                return int(cursor.rowcount)
        if driver == "asyncpg":
            _send(connection, "SELECT 1")  # it begins a transaction with the first statement
            names = [column.name for column in columns]
            done = await_only(
                raw.copy_to_table(
                    table.name,
                    source=_asynchronous(values),
                    columns=names,
                    schema_name=connection.schema_for_object(table),
                )
            )
            return int(done.removeprefix("COPY "))
    except Exception as error:
        raise _as_sqlalchemys(connection, statement, error) from error
    raise DeclarationError(f"copy_in does not know the driver {driver}: use psycopg, psycopg2 or asyncpg.")


def _name(connection: sa.Connection, table: sa.Table) -> str:
    schema = connection.schema_for_object(table)
    return f"{ident(schema)}.{ident(table.name)}" if schema else ident(table.name)


def _as_sqlalchemys(connection: sa.Connection, statement: str, error: Exception) -> BaseException:
    """Return what SQLAlchemy raises for an error of the driver; others as they are."""
    if isinstance(error, connection.dialect.loaded_dbapi.Error):
        return sa.exc.DBAPIError.instance(statement, None, error, connection.dialect.loaded_dbapi.Error)
    if state := getattr(error, "sqlstate", None):  # asyncpg's own, which no DB-API has
        kind = sa.exc.IntegrityError if state.startswith("23") else sa.exc.DBAPIError
        return kind(statement, None, error)
    return error


def _send(connection: sa.Connection, statement: str) -> None:
    """Send a statement as it is: a `%` in a name is not a parameter."""
    connection.exec_driver_sql(statement, execution_options={"no_parameters": True})


def _by_psycopg(raw: psycopg.Connection[Any], statement: str, values: Iterator[tuple[Any, ...]]) -> int:
    with raw.cursor() as cursor:
        with cursor.copy(statement.encode()) as copy:
            for row in values:
                copy.write_row(row)
        return cursor.rowcount


async def _by_psycopg_async(
    raw: psycopg.AsyncConnection[Any], statement: str, values: Iterator[tuple[Any, ...]]
) -> int:
    async with raw.cursor() as cursor:
        async with cursor.copy(statement.encode()) as copy:
            for row in values:
                await copy.write_row(row)
        return cursor.rowcount


def _chunks(values: Iterator[tuple[Any, ...]]) -> Iterator[bytes]:
    """Yield rows in COPY's text format, by psycopg's own conversions: for drivers that take bytes."""
    transformer: Any = Transformer()
    parts, size = list[bytes](), 0
    for row in values:
        line = b"\t".join([rb"\N" if value is None else _escaped(transformer, value) for value in row]) + b"\n"
        parts.append(line)
        size += len(line)
        if size >= _CHUNK:
            yield b"".join(parts)
            parts, size = [], 0
    yield b"".join(parts)


def _escaped(transformer: Any, value: Any) -> bytes:
    text = bytes(transformer.get_dumper(value, PyFormat.TEXT).dump(value) or b"")
    if b"\\" in text:
        text = text.replace(b"\\", rb"\\")
    return text.replace(b"\t", rb"\t").replace(b"\n", rb"\n").replace(b"\r", rb"\r")


async def _asynchronous(values: Iterator[tuple[Any, ...]]) -> AsyncIterator[bytes]:
    for chunk in _chunks(values):
        yield chunk


class _File:
    """What psycopg2 reads from."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._left = b""

    def read(self, size: int = -1) -> bytes:
        """Return at most so many bytes; none at the end."""
        while not self._left:
            found = next(self._chunks, None)
            if found is None:
                return b""
            self._left = found
        part, self._left = (self._left[:size], self._left[size:]) if size >= 0 else (self._left, b"")
        return part
