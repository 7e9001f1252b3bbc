"""schema_kit's own tables, where they are missing or of an older version."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from schema_kit.model import Stored
from schema_kit.names import QualifiedName
from schema_kit.sqlscripts import load
from schema_kit.steps.step import Lock, LockMode, Step, Transaction
from schema_kit.storage import ALTERED, SCRIPTS


@dataclass(frozen=True)
class EnsureTable(Step):
    """One of schema_kit's own tables, from its file in sql/.

    Args:
        table: which one.
        stored: how it was observed.
    """

    transaction: ClassVar[Transaction] = Transaction.SHARED

    table: QualifiedName
    stored: Stored = Stored.MISSING

    @property
    def summary(self) -> str:
        """What becomes of it."""
        return f"{'alter' if self.stored is Stored.OLDER else 'create'} {self.table}"

    @property
    def locks(self) -> tuple[Lock, ...]:
        """Of a table of an older version briefly."""
        altered = ALTERED.get(self.table, ()) if self.stored is Stored.OLDER else ()
        return tuple(Lock(LockMode.ACCESS_EXCLUSIVE, table) for table in altered)

    def sql(self) -> tuple[str, ...]:
        """Each can run again."""
        return load(SCRIPTS[self.table])
