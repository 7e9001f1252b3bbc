"""Session settings used while reading the catalog."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from typing import Any

import psycopg
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, OperationalError, PendingRollbackError, SQLAlchemyError

from schema_kit.catalog import drivers, privileges
from schema_kit.errors import PlanError

DENIED = "42501"
"""A right is missing, or row security hides rows."""

DRESS = (
    "SET LOCAL search_path = ''",
    "SET LOCAL quote_all_identifiers = off",
    "SET LOCAL TimeZone = 'UTC'",
    "SET LOCAL DateStyle = 'ISO, YMD'",
    "SET LOCAL IntervalStyle = 'postgres'",
    "SET LOCAL extra_float_digits = 1",
    "SET LOCAL bytea_output = 'hex'",
    "SET LOCAL xmloption = content",
    "SET LOCAL standard_conforming_strings = on",
    "SET LOCAL jit = off",
    "SET LOCAL lock_timeout = '5s'",
    "SET LOCAL statement_timeout = 0",
    # What is decided from some of the rows is wrong: where a policy hides any, PostgreSQL refuses instead.
    "SET LOCAL row_security = off",
)
"""What every look at the catalog sets, for its own transaction."""

HIDES_ROWS = (
    "format('row security of %%I.%%I hides rows from %%I: run it as a role that has BYPASSRLS', n.nspname, c.relname, "
    "current_user) || CASE WHEN c.relforcerowsecurity AND pg_has_role(c.relowner, 'USAGE') THEN "
    "format(', or first ALTER TABLE %%I.%%I NO FORCE ROW LEVEL SECURITY', n.nspname, c.relname) ELSE '' END"
)
"""What is wrong and what to do, of a pg_class c and its pg_namespace n, where row_security_active() says so."""

_HIDING = f"""
SELECT {HIDES_ROWS} FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND row_security_active(c.oid) AND position(c.relname IN %(said)s) > 0
ORDER BY length(c.relname) DESC, n.nspname LIMIT 1
"""


STOPPED = "SET LOCAL idle_in_transaction_session_timeout = '60s'"
"""A client that is stopped in the middle of a look (a paused VM, a lost network) keeps no table from others' DDL."""

_AT_MOST = ContextVar[tuple[str, ...]]("at_most", default=())

READ_COMMITTED = "ISOLATION LEVEL READ COMMITTED NOT DEFERRABLE"
"""Whatever default_transaction_isolation and default_transaction_deferrable say: a look must not wait."""

OURS = {
    "default_transaction_isolation": "read committed",
    "default_transaction_deferrable": "off",
    "session_replication_role": "origin",
    "default_tablespace": "",
    "temp_tablespaces": "",
    "check_function_bodies": "on",
    "quote_all_identifiers": "off",
    "array_nulls": "on",
    "transaction_timeout": "0",
}
"""What steps are sent under, where a database, a role or a session says otherwise. What a user's own expressions may
rest on stays theirs: search_path, DateStyle, IntervalStyle, TimeZone, standard_conforming_strings, xmloption."""

ON_CITUS = "pg_catalog.to_regclass('pg_catalog.pg_dist_partition') IS NOT NULL"
"""A column of queries that are sent anyway: see `note_citus`."""

_OTHERWISE = f"""
SELECT o.name, pg_catalog.current_setting(o.name, true), o.ours
FROM unnest(%(names)s::text[], %(values)s::text[]) AS o (name, ours)
WHERE pg_catalog.current_setting(o.name, true) <> o.ours
UNION ALL
SELECT 'search_path', pg_catalog.current_setting('search_path'),
       (SELECT pg_catalog.string_agg(pg_catalog.quote_ident(s.name), ', ' ORDER BY s.place)
        FROM pg_catalog.unnest(pg_catalog.current_schemas(false)) WITH ORDINALITY s (name, place)
        WHERE s.name <> 'pg_catalog')
WHERE 'pg_catalog' = ANY ((pg_catalog.current_schemas(false))[2:])
UNION ALL SELECT NULL, NULL, NULL WHERE {ON_CITUS}
"""
# Behind another schema, pg_catalog is where a name is looked for last: its operators and functions may be shadowed.


@contextmanager
def ours(connection: Connection) -> Iterator[None]:
    """Send steps under settings of our own in this block; the session's go back.

    Args:
        connection: in autocommit.

    Raises:
        PlanError: a setting is not for this role to change.
    """
    values = {"names": list(OURS), "values": list(OURS.values())}
    found = rows(connection, _OTHERWISE, values)
    otherwise = [row for row in found if row[0]]
    note_citus(connection, len(otherwise) < len(found))
    for name, before, value in otherwise:
        try:
            _set(connection, name, value or "")
        except DBAPIError as error:
            if drivers.sqlstate(error) != "42501":
                raise
            raise PlanError(
                f"{name} is {before} here, and it is not for this role to set it to {value}. A superuser can: ALTER "
                "DATABASE or ALTER ROLE ... RESET."
            ) from error
    try:
        yield
    finally:
        with suppress(SQLAlchemyError):
            for name, before, _ in otherwise:
                _set(connection, name, before)


def note_citus(connection: Connection, there: bool) -> None:
    """Remember for the session what a query has just seen of ON_CITUS: no query is sent to find it out."""
    connection.info[ON_CITUS] = there


def has_citus(connection: Connection) -> bool:
    """Return whether the last look that could see Citus has seen it; not of a connection that is lost."""
    return not connection.invalidated and bool(connection.info.get(ON_CITUS))


def _set(connection: Connection, name: str, value: str) -> None:
    rows(connection, "SELECT pg_catalog.set_config(%(name)s, %(value)s, false)", {"name": name, "value": value})


def send(connection: Connection, sql: str) -> Any:
    """Send one statement as it is: no parameters, so that nothing in it needs escaping."""
    if connection.dialect.driver == "asyncpg":
        return drivers.asyncpg_send(connection, sql)
    with lost_is_lost(), _unprepared(connection):
        return connection.exec_driver_sql(sql, execution_options={"no_parameters": True})


@contextmanager
def _unprepared(connection: Connection) -> Iterator[None]:
    """Let psycopg prepare nothing in this block: with a prepare_threshold of 0, several statements would be refused."""
    raw: Any = connection.connection.driver_connection
    before = getattr(raw, "prepare_threshold", None)
    if before is not None:
        raw.prepare_threshold = None
    try:
        yield
    finally:
        if before is not None:
            raw.prepare_threshold = before


@contextmanager
def lost_is_lost() -> Iterator[None]:
    """Treat a connection lost between statements, while settings are put back say, as lost, and not as a mistake."""
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


@dataclass(frozen=True, slots=True)
class Result:
    """What one of several statements returned: rows, and how many it has returned or changed."""

    count: int
    rows: list[Any]


def send_together(connection: Connection, statements: Iterable[str]) -> list[Result]:
    """Send several statements in one message, each seeing what was committed before it; what each returned.

    Raises:
        DBAPIError: PostgreSQL refused one of them; those behind it were not looked at.
    """
    sql, found = ";\n".join(statements), list[Result]()
    try:
        with _raw(connection).cursor() as cursor:
            cursor.execute(sql.encode(), prepare=False)
            while True:
                found.append(Result(max(cursor.rowcount, 0), cursor.fetchall() if cursor.description else []))
                if not cursor.nextset():
                    return found
    except connection.dialect.loaded_dbapi.Error as error:
        raise DBAPIError(sql, None, error) from error


def autocommits(connection: Connection) -> bool:
    """Whether the connection is in autocommit: asked of the option, since the other ways mislead inside Alembic."""
    level = connection.get_execution_options().get("isolation_level")
    return bool(level == "AUTOCOMMIT") or bool(connection.dialect.detect_autocommit_setting(_raw(connection)))


@contextmanager
def borrowed(connection: Connection) -> Iterator[None]:
    """Give a connection of another's back with the options that it had.

    Alembic's autocommit_block puts the isolation level back, and leaves it as an option that was not there before.
    """
    before = connection._execution_options  # options can be added through the API, not taken away
    try:
        yield
    finally:
        connection._execution_options = before


def _raw(connection: Connection) -> Any:
    with lost_is_lost():
        return connection.connection.dbapi_connection


@contextmanager
def at_most(timeout: str) -> Iterator[None]:
    """Let each statement of the looks in this block take so long at most, as statement_timeout has it: ``30s``."""
    token = _AT_MOST.set((f"SET LOCAL statement_timeout = '{timeout}'",))
    try:
        yield
    finally:
        _AT_MOST.reset(token)


@contextmanager
def observing(connection: Connection) -> Iterator[None]:
    """Read under the session settings, and leave the session as it was.

    On an autocommit connection in a read-only transaction of its own; in the caller's transaction behind a savepoint
    that is rolled back, which puts the settings back and costs no transaction id.

    Raises:
        PlanError: row security hides rows of a table that was to be read, or the right to read it is missing.
    """
    begin, end = (
        (f"BEGIN {READ_COMMITTED} READ ONLY; {STOPPED}", "COMMIT")
        if autocommits(connection)
        else ("SAVEPOINT schema_kit", None)
    )
    try:
        send(
            connection, "; ".join((begin, *DRESS, *_AT_MOST.get()))
        )  # one message: a look between two batches should cost nothing
        yield
    except BaseException as error:
        denied = isinstance(error, DBAPIError) and drivers.sqlstate(error) == DENIED
        if end or denied:
            with suppress(SQLAlchemyError):  # the connection may be the very thing that was lost
                send(connection, "ROLLBACK" if end else "ROLLBACK TO SAVEPOINT schema_kit")
        if isinstance(error, DBAPIError) and denied:
            raise PlanError(f"{missing_right(connection, error)}.") from error
        raise
    if end:
        send(connection, end)
    else:
        send(connection, "ROLLBACK TO SAVEPOINT schema_kit")
        send(connection, "RELEASE SAVEPOINT schema_kit")


def hides_rows(error: DBAPIError) -> bool:
    """Return whether PostgreSQL has refused to read a table because row security would hide rows of it."""
    # A missing right has the same SQLSTATE; which routine refused is reported as well, in no language.
    refused = drivers.diagnosis(error, "source_function")
    return drivers.sqlstate(error) == DENIED and refused == "check_enable_rls"


def hidden_rows(connection: Connection, error: DBAPIError) -> str:
    """Whose rows are hidden from whom, and what to do: of the table that PostgreSQL's refusal names."""
    said = drivers.diagnosis(error, "message_primary") or str(error.orig)
    with suppress(SQLAlchemyError):  # inside of a transaction that has failed nothing can be asked
        for (sentence,) in rows(connection, _HIDING, {"said": said}):
            return str(sentence)
    return f"row security hides rows ({said}): run it as a role that has BYPASSRLS"


def missing_right(connection: Connection, error: DBAPIError) -> str:
    """Why PostgreSQL has refused (42501): whose rows are hidden, or which right is missing, and the GRANT of it."""
    if hides_rows(error):
        return hidden_rows(connection, error)
    said = (drivers.diagnosis(error, "message_primary") or str(error.orig)).strip()
    try:
        return privileges.denied(partial(rows, connection), f"{error.statement} {error.params or ''}", said)
    except SQLAlchemyError:  # inside of a transaction that has failed nothing can be asked
        return said


def printed(function: str, oid: str) -> str:
    """Return the SQL of what PostgreSQL prints of an object.

    PostgreSQL prints it as it is now, and NULL if it was dropped since the query began. Here that is an error (42P01),
    and the look is repeated.

    Args:
        function: ``pg_get_indexdef`` or another one that takes an oid.
        oid: the expression of the oid.
    """
    return f"""coalesce({function}({oid}), ('"dropped during this look"."' || {oid} || '"')::regclass::text)"""


def rows(connection: Connection, sql: str, values: Mapping[str, Any] | None = None) -> list[Any]:
    """Return the rows of a query with ``%(name)s`` places, or of one that is sent as it is."""
    if connection.dialect.driver == "asyncpg":
        return drivers.asyncpg_rows(connection, drivers.in_place(sql, values))
    if values is None:
        return list(send(connection, sql))
    with lost_is_lost():
        return list(connection.exec_driver_sql(sql, dict(values)))
