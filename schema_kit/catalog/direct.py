"""Whether a connection leads to a session of its own on the primary, which what changes a database relies on.

A pooler may lend a session of the server for one transaction at a time (PgBouncer: ``pool_mode = transaction``).
Advisory locks and settings then stay with a session that another client gets next.
"""

from __future__ import annotations

import select
import time
from contextlib import closing
from typing import Any

from sqlalchemy import Connection

from schema_kit.catalog.drivers import alike
from schema_kit.catalog.session import lost_is_lost, rows
from schema_kit.errors import PlanError

PID = "schema_kit_pid"
"""Where a connection's info has the process id of its session, once it is known to keep it."""

READ_ONLY = """CASE WHEN pg_catalog.pg_is_in_recovery() THEN 'this server is a standby; run it on the primary'
  WHEN pg_catalog.current_setting('default_transaction_read_only') = 'on'
  THEN 'this session is read-only (default_transaction_read_only)' ELSE '' END"""
"""Why nothing can be written: SQL for a text, empty where it can."""

_PID = "SELECT pg_catalog.pg_backend_pid()"
_LOOKS = 8
"""How often a pooler is asked: one that rotates many sessions may give the same one twice, and not each time."""

_PATIENCE_SECONDS = 5.0

_DIRECT = (
    "Name the server itself: --url postgresql://user@host:5432/database, or DATABASE_URL; or a pool with pool_mode = "
    "session"
)


def read_only(connection: Connection) -> str:
    """Return why nothing can be written here: a standby, or a session that is read-only; empty where it can."""
    return str(rows(connection, f"SELECT {READ_ONLY}")[0][0])


def pooled(connection: Connection) -> str:
    """Return why the session behind a connection cannot be relied on; empty where it can.

    The server reports the process id of a session when it begins; a pooler reports one that it made up. Where
    they differ, a second client finds out whether it is given the session that this one believes to have.

    Args:
        connection: psycopg's, in autocommit or without a transaction; its info remembers the answer.
    """
    raw = connection.connection.dbapi_connection
    assert raw is not None
    pid = rows(connection, _PID)[0][0]
    if pid != raw.info.backend_pid:
        shared = _shared(connection)
        if shared is None:
            return f"a pooler is between, which gave no second session that would tell its pool_mode. {_DIRECT}"
        if shared:
            return (
                "a pooler is between that lends a session for each transaction (PgBouncer: pool_mode = transaction), "
                f"where advisory locks and settings of a session get lost. {_DIRECT}"
            )
    connection.info[PID] = pid
    return ""


def _shared(connection: Connection) -> bool | None:
    """Whether the session goes to another client between two transactions, or changes; None where none answers."""
    creator: Any = alike(connection.engine).pool._creator  # no listener of the pool's: each would wait for a session
    with closing(creator()) as other:
        other.autocommit = True
        for _ in range(_LOOKS):
            mine, its = rows(connection, _PID)[0][0], _told(other.pgconn)
            if its is None:
                return None
            if mine == its or mine != rows(connection, _PID)[0][0]:
                return True
    return False


def _told(client: Any) -> int | None:
    """Return the process id that another client gets; None where its turn does not come. No cancel request reaches it.

    Args:
        client: libpq's, as psycopg has it.
    """
    client.send_query(_PID.encode())
    ends = time.monotonic() + _PATIENCE_SECONDS
    while client.is_busy():
        if not select.select([client.socket], [], [], max(0, ends - time.monotonic()))[0]:
            return None
        client.consume_input()
    found = client.get_result()
    while client.get_result() is not None:
        pass
    value = found.get_value(0, 0) if found is not None and found.ntuples else None
    return int(value) if value else None


def refuse(connection: Connection, what: str) -> None:
    """Refuse what relies on a session of the primary where there is none; asked once of each connection.

    Args:
        connection: psycopg's, in autocommit or without a transaction.
        what: what cannot be done, for people: "run schema_kit archive run".

    Raises:
        PlanError: it is a standby, its transactions are read-only, or a pooler lends its sessions.
        DBAPIError: the connection is lost.
    """
    with lost_is_lost():
        known = PID in connection.info
    if not known and (why := read_only(connection) or pooled(connection)):
        raise PlanError(f"cannot {what}: {why}.")
