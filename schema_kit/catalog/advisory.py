"""Advisory locks of a session: asked for, and never queued for.

A session that waits inside pg_advisory_lock() holds a snapshot, and a concurrent index build would wait for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from schema_kit.catalog.session import rows

OURS = "pg_catalog.hashtextextended(%(key)s, 0)"
"""The number of one of our locks; other programs have other ways to make one of a text."""


def take(connection: Connection, key: str, number: str = OURS) -> bool:
    """Take a lock, unless another session has it.

    Args:
        connection: in autocommit; the lock is its session's.
        key: what is locked.
        number: SQL that makes a number of it.
    """
    return bool(rows(connection, f"SELECT pg_try_advisory_lock({number})", {"key": key})[0][0])


@contextmanager
def held(
    connection: Connection, key: str, again: Callable[[int], bool] = lambda _: False, number: str = OURS
) -> Iterator[bool]:
    """Hold a lock in this block.

    Args:
        connection: in autocommit; the lock is its session's.
        key: what is locked.
        again: waits after so many tries, and says whether to try again.
        number: SQL that makes a number of the key.

    Yields:
        Whether it is held.
    """
    attempt = 1
    while not (free := take(connection, key, number)) and again(attempt):
        attempt += 1
    try:
        yield free
    finally:
        if free:
            with suppress(SQLAlchemyError):  # the connection may be lost, and the lock with it
                rows(connection, f"SELECT pg_advisory_unlock({number})", {"key": key})
