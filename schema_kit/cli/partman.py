"""Sets that pg_partman looks after, too: one of both works at a time."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import sqlalchemy as sa

from schema_kit import execute
from schema_kit.catalog import Catalog
from schema_kit.catalog.session import rows
from schema_kit.errors import LockNotAvailable
from schema_kit.names import QualifiedName
from schema_kit.script import LockPolicy
from schema_kit.steps import Step

_LOCK = {"key": "pg_partman run_maintenance"}
_HOLDERS = """
SELECT 'pid ' || l.pid || coalesce(' (' || nullif(a.application_name, '') || ')', '') || ': pg_partman''s lock'
       || coalesce(', ' || a.state, '') FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
  AND (l.classid::bigint << 32) + l.objid::bigint = hashtext(%(key)s)::bigint
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
_ONE_OF_US = threading.Lock()


@dataclass(frozen=True)
class _BesidePartman(Step):
    """What waits for pg_partman."""

    parent: QualifiedName

    @property
    def summary(self) -> str:
        return f"work on {self.parent}, which pg_partman maintains too"


@contextmanager
def beside_partman(
    connection: sa.Connection, parent: QualifiedName, policy: LockPolicy, emit: execute.Emit
) -> Iterator[None]:
    """Keep pg_partman's maintenance out while a set is worked on that it looks after, too: by its own advisory lock.

    Its maintenance passes over a run for which it does not get that lock. Where it is at work itself, its end is
    waited for.

    Args:
        connection: in autocommit; the lock is its session's.
        parent: the set.
        policy: how long each try waits, and how many there are.
        emit: is told what is waited for.

    Raises:
        LockNotAvailable: it was still at work after all tries.
    """
    if not Catalog(connection).partman_manages(parent):
        yield
        return
    with _ONE_OF_US:  # several sets at a time would be in each other's way
        _wait(connection, parent, policy, emit)
        try:
            yield
        finally:
            with suppress(sa.exc.SQLAlchemyError):  # the connection may be lost, and the lock with it
                rows(connection, "SELECT pg_advisory_unlock(hashtext(%(key)s))", _LOCK)


def _wait(connection: sa.Connection, parent: QualifiedName, policy: LockPolicy, emit: execute.Emit) -> None:
    attempt = 1
    while not rows(connection, "SELECT pg_try_advisory_lock(hashtext(%(key)s))", _LOCK)[0][0]:
        holders = tuple(row[0] for row in rows(connection, _HOLDERS, _LOCK))
        step = _BesidePartman(parent)
        if attempt >= policy.attempts:
            raise LockNotAvailable(
                f"cannot {step.summary}: its maintenance was at work through {attempt} tries. Run again when it has "
                "ended.",
                blockers=holders,
            )
        pause = random.uniform(1.0, 2.0) * policy.budget(attempt) / 1000  # noqa: S311 - jitter, not a secret
        emit(execute.Waiting(step, holders, pause, attempt))
        time.sleep(pause)
        attempt += 1
