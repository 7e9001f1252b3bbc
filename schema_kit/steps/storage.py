"""schema_kit's own tables, where they are missing or of an older version."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from schema_kit.names import QualifiedName
from schema_kit.sqlscripts import load
from schema_kit.steps.step import Step, Transaction
from schema_kit.storage import SCRIPTS


@dataclass(frozen=True)
class EnsureTable(Step):
    """One of schema_kit's own tables, from its file in sql/."""

    transaction: ClassVar[Transaction] = Transaction.SHARED
    says: ClassVar[str] = "create {self.table}"

    table: QualifiedName

    def sql(self) -> tuple[str, ...]:
        """Each can run again; a table of an older version is altered, ACCESS EXCLUSIVE, which `locks` leaves out."""
        return load(SCRIPTS[self.table])
