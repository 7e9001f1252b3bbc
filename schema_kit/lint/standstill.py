"""Statements that run in no transaction of ours, made to stand still for as long as their locks are read."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import psycopg

from schema_kit.lint.look import held

_TABLES = """
SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' ORDER BY c.oid
"""
_WAITS = """
SELECT coalesce(pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname), '')
FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_class c ON l.locktype = 'relation' AND c.oid = l.relation
LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE l.pid = %s AND NOT l.granted
"""
_POLL_SECONDS = 0.002
_LONGEST_SECONDS = 5.0


class Standstill:
    """More sessions on the same database: one in the way, one that looks.

    What a statement waits for is let go, and no other table, so that what works on table after table waits at each.

    Args:
        url: of the scratch database, for libpq.
        cancel: cancel what stands still instead of letting it go on, the first one.
    """

    def __init__(self, url: str, *, cancel: bool = False) -> None:
        self._url, self._cancel = url, cancel
        self.cancelled = False

    @contextmanager
    def of(self, pid: int) -> Iterator[set[tuple[int, Any]]]:
        """Be in the way of what *pid* sends in this block; all locks that were seen of it, once the block has ended."""
        locks, over = set[tuple[int, Any]](), threading.Event()
        with ExitStack() as stack:
            holder = stack.enter_context(psycopg.connect(self._url))
            watcher = stack.enter_context(psycopg.connect(self._url, autocommit=True))
            watcher.execute("SET statement_timeout = '2s'")  # REINDEX SYSTEM is in its way, too
            holder.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            tables = [row[0] for row in watcher.execute(_TABLES)]  # which would be a lock of the catalog in the other
            holder.execute("SELECT 1")
            _lock(holder, tables)
            looking = (pid, holder, watcher, tables, locks, over, stack)
            thread = threading.Thread(target=self._look, args=looking)
            thread.start()
            try:
                yield locks
            finally:
                over.set()
                thread.join()

    def _look(
        self,
        pid: int,
        holder: psycopg.Connection[Any],
        watcher: psycopg.Connection[Any],
        tables: list[str],
        locks: set[tuple[int, Any]],
        over: threading.Event,
        stack: ExitStack,
    ) -> None:
        released, deadline = False, time.monotonic() + _LONGEST_SECONDS
        try:
            while not over.is_set():
                waits = [row[0] for row in watcher.execute(_WAITS, [pid])]
                locks |= held(watcher, pid)
                if not released and (waits or time.monotonic() > deadline):
                    if self._cancel and not self.cancelled and waits:
                        self.cancelled = True
                        watcher.execute("SELECT pg_catalog.pg_cancel_backend(%s)", [pid])
                    elif waits and waits[0] in tables:
                        tables.remove(waits[0])
                        following = stack.enter_context(psycopg.connect(self._url))
                        _lock(following, tables)
                        holder.close()
                        holder = following
                    else:
                        holder.close()
                        released = True
                time.sleep(_POLL_SECONDS)
        except psycopg.Error:  # nothing may wait for ever
            holder.close()


def _lock(holder: psycopg.Connection[Any], tables: list[str]) -> None:
    if tables:
        holder.execute(f"LOCK TABLE ONLY {', ONLY '.join(tables)} IN ROW EXCLUSIVE MODE NOWAIT".encode())
