"""Locks, and what is relied on under them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from schema_kit.names import QualifiedName


class LockMode(Enum):
    """PostgreSQL's table locks, weakest first (manual: 13.3.1)."""

    ACCESS_SHARE = "ACCESS SHARE"
    ROW_SHARE = "ROW SHARE"
    ROW_EXCLUSIVE = "ROW EXCLUSIVE"
    SHARE_UPDATE_EXCLUSIVE = "SHARE UPDATE EXCLUSIVE"
    SHARE = "SHARE"
    SHARE_ROW_EXCLUSIVE = "SHARE ROW EXCLUSIVE"
    EXCLUSIVE = "EXCLUSIVE"
    ACCESS_EXCLUSIVE = "ACCESS EXCLUSIVE"

    @property
    def blocks_writes(self) -> bool:
        """Whether INSERT, UPDATE and DELETE wait for it (and, worse, queue behind the session that waits for it)."""
        return self in _BLOCKS_WRITES

    @property
    def conflicts(self) -> tuple[str, ...]:
        """The modes it waits for, as pg_locks spells them: RowExclusiveLock, ..."""
        order = list(LockMode)
        found = (other for other in order if (self, other) in _CONFLICTS or (other, self) in _CONFLICTS)
        return tuple(f"{other.value.title().replace(' ', '')}Lock" for other in found)


_BLOCKS_WRITES = {LockMode.SHARE, LockMode.SHARE_ROW_EXCLUSIVE, LockMode.EXCLUSIVE, LockMode.ACCESS_EXCLUSIVE}


def _pairs() -> set[tuple[LockMode, LockMode]]:
    m = LockMode
    conflicts = {
        m.ROW_SHARE: [m.EXCLUSIVE],
        m.ROW_EXCLUSIVE: [m.SHARE, m.SHARE_ROW_EXCLUSIVE, m.EXCLUSIVE],
        m.SHARE_UPDATE_EXCLUSIVE: [m.SHARE_UPDATE_EXCLUSIVE, m.SHARE, m.SHARE_ROW_EXCLUSIVE, m.EXCLUSIVE],
        m.SHARE: [m.SHARE_ROW_EXCLUSIVE, m.EXCLUSIVE],
        m.SHARE_ROW_EXCLUSIVE: [m.SHARE_ROW_EXCLUSIVE, m.EXCLUSIVE],
        m.EXCLUSIVE: [m.EXCLUSIVE],
        m.ACCESS_EXCLUSIVE: list(m),
    }
    return {(mode, other) for mode, others in conflicts.items() for other in others}


_CONFLICTS = _pairs()


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock that a step takes on a table or view that existed before it.

    Args:
        mode: the strongest that the step takes on it.
        table: the table alone; partitions are listed by themselves.
        acquire: the statement that takes it, where LOCK TABLE would take more than it (a view's tables too).
    """

    mode: LockMode
    table: QualifiedName
    acquire: str = ""


def exclusive(tables: Iterable[QualifiedName]) -> tuple[Lock, ...]:
    """Return ACCESS EXCLUSIVE on each table, once."""
    return tuple(Lock(LockMode.ACCESS_EXCLUSIVE, table) for table in dict.fromkeys(tables))


@dataclass(frozen=True, slots=True)
class Seen:
    """A table as it was last seen: its name, and the stamp that stamps.py asks for."""

    table: QualifiedName
    stamp: str
