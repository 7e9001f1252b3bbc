"""Sets that pg_partman looks after, too: one of both works at a time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar

import sqlalchemy as sa

from schema_kit import execute
from schema_kit.catalog import Catalog
from schema_kit.catalog.advisory import held
from schema_kit.catalog.blockers import advisory_holders
from schema_kit.names import QualifiedName
from schema_kit.script import LockPolicy
from schema_kit.steps import Step
from schema_kit.waiting import wait

_KEY, _NUMBER = "pg_partman run_maintenance", "hashtext(%(key)s)"
_ONE_OF_US = threading.Lock()


@dataclass(frozen=True)
class _BesidePartman(Step):
    """What waits for pg_partman."""

    says: ClassVar[str] = "work on {self.parent}, which pg_partman maintains too"

    parent: QualifiedName


@contextmanager
def beside_partman(
    connection: sa.Connection, parent: QualifiedName, policy: LockPolicy, emit: execute.Emit
) -> Iterator[None]:
    """Keep pg_partman's maintenance out while a table is worked on that both look after: by its own advisory lock.

    Its maintenance passes over a run for which it does not get that lock. Where it is at work itself, its end is
    waited for.

    Args:
        connection: in autocommit; the lock is its session's.
        parent: the partitioned table.
        policy: how long each try waits, and how many there are.
        emit: receives what is waited for.

    Raises:
        LockNotAvailable: it was still at work after all tries.
    """
    if not Catalog(connection).partman_manages(parent):
        yield
        return

    def again(attempt: int) -> bool:
        who = advisory_holders(connection, _KEY, _NUMBER, "pg_partman's lock")
        why = f"its maintenance was at work through {attempt} tries. Run again when it has ended."
        wait(_BesidePartman(parent), policy, attempt, who, emit, why)
        return True

    with _ONE_OF_US, held(connection, _KEY, again, _NUMBER):  # several sets at a time would be in each other's way
        yield
