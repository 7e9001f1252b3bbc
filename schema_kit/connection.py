"""A connection to the database that a command or a migration was called for, and the moment that it takes for now."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from schema_kit.errors import DeclarationError, ExecutionError
from schema_kit.url import shown

_NO_TRANSACTION_TIMEOUT = (
    "SELECT set_config(name, '0', false) FROM pg_catalog.pg_settings "
    "WHERE name = 'transaction_timeout' AND pg_catalog.pg_backend_pid() = "
)


@contextmanager
def connect(url: sa.URL, *, autocommit: bool = False) -> Iterator[sa.Connection]:
    """A connection by psycopg 3, whatever SQLAlchemy's default driver is.

    Raises:
        DeclarationError: the URL contradicts itself.
        ExecutionError: the server cannot be reached, or refuses.
    """
    # Prepared statements would outlive the tables they were planned for, and poolers lose them. A database may be set
    # to an encoding that has not the letters of its own names.
    try:
        engine = sa.create_engine(
            url,
            poolclass=sa.NullPool,
            connect_args={"application_name": "schema_kit", "prepare_threshold": None, "client_encoding": "utf8"},
            isolation_level="AUTOCOMMIT" if autocommit else "READ COMMITTED",
        )
    except sa.exc.ArgumentError as error:  # hosts and ports that contradict each other, say
        raise DeclarationError(f"{shown(url)} cannot be read as a database URL: {error}.") from error

    @sa.event.listens_for(engine, "connect")
    def no_limit(dbapi_connection: Any, _: Any) -> None:
        # From 17 on a role may have a transaction_timeout, which would kill a long look in the middle. A session that
        # a pooler lends keeps what it had: another client gets it next.
        dbapi_connection.autocommit, before = True, dbapi_connection.autocommit
        dbapi_connection.execute(f"{_NO_TRANSACTION_TIMEOUT}{dbapi_connection.info.backend_pid}")
        dbapi_connection.autocommit = before

    try:
        connection = engine.connect()
    except sa.exc.DBAPIError as error:
        hint = "is the server running, and are user, password and database right?"
        if isinstance(error, sa.exc.ProgrammingError):  # libpq has not even tried
            hint = "the parameters of a URL are libpq's"
        raise ExecutionError(f"cannot connect to {shown(url)}: {str(error.orig).strip()}; {hint}") from error
    with connection:
        yield connection


def parse_now(text: str | None) -> datetime | None:
    """Read ``2026-11-21`` or ``2026-11-21T12:00+07:00``; UTC where no zone is given.

    Raises:
        DeclarationError: it is neither.
    """
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise DeclarationError(f"{text!r} is not a time. Write 2026-11-21 or 2026-11-21T12:00+07:00.") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
