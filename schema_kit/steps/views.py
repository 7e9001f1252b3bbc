"""A commit that fills a materialized view."""

from __future__ import annotations

from dataclasses import dataclass, field

from schema_kit.names import QualifiedName
from schema_kit.steps.step import Lock, LockMode, Step


@dataclass(frozen=True)
class RefreshMaterializedView(Step):
    """REFRESH MATERIALIZED VIEW: concurrently, or in the only way where the view was never filled."""

    once = True
    may_block = True

    view: QualifiedName
    concurrently: bool = field(default=True, compare=False)  # a view that was filled in the plain way is fresh

    @property
    def summary(self) -> str:
        """Says which way, and why."""
        if self.concurrently:
            return f"refresh {self.view} while it is read"
        return f"refresh {self.view} for the first time (no session can read it yet, nor while this runs)"

    @property
    def locks(self) -> tuple[Lock, ...]:
        """For as long as its query takes: readers go on, other refreshes wait; at first it cannot be read anyway."""
        return (Lock(LockMode.EXCLUSIVE if self.concurrently else LockMode.ACCESS_EXCLUSIVE, self.view),)

    def sql(self) -> tuple[str, ...]:
        """One statement."""
        return (f"REFRESH MATERIALIZED VIEW {'CONCURRENTLY ' if self.concurrently else ''}{self.view.sql}",)
