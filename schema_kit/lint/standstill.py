"""Statements that run in no transaction of ours, made to stand still for as long as their locks are read."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg

from schema_kit.lint.look import held

_TABLES = """
SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' ORDER BY c.oid
"""
_WAITS = "SELECT wait_event_type = 'Lock' FROM pg_catalog.pg_stat_activity WHERE pid = %s"
_POLL_SECONDS = 0.002
_LONGEST_SECONDS = 5.0


class Standstill:
    """Two more sessions on the same database: one in the way, one that looks.

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
        with psycopg.connect(self._url) as holder, psycopg.connect(self._url, autocommit=True) as watcher:
            holder.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            tables = [row[0] for row in holder.execute(_TABLES)]
            if tables:
                holder.execute(f"LOCK TABLE ONLY {', ONLY '.join(tables)} IN ACCESS SHARE MODE".encode())
            thread = threading.Thread(target=self._look, args=(pid, holder, watcher, locks, over))
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
        locks: set[tuple[int, Any]],
        over: threading.Event,
    ) -> None:
        released, deadline = False, time.monotonic() + _LONGEST_SECONDS
        with suppress(psycopg.Error):
            while not over.is_set():
                waits = watcher.execute(_WAITS, [pid]).fetchall()
                locks |= held(watcher, pid)
                if not released and ((waits and waits[0][0]) or time.monotonic() > deadline):
                    if self._cancel and not self.cancelled and waits and waits[0][0]:
                        self.cancelled = True
                        watcher.execute("SELECT pg_catalog.pg_cancel_backend(%s)", [pid])
                    else:
                        holder.rollback()
                        released = True
                time.sleep(_POLL_SECONDS)
