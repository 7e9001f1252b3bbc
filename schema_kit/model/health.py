"""What is declared of health."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class IgnoredFinding:
    """A finding that is left out: its code and object."""

    code: str
    table: str = ""
    """The table, of partitions the one above all of them; empty: the server."""
    object: str = ""
    """The index, constraint, trigger, ... of it; empty: the table itself."""

    @property
    def key(self) -> tuple[str, str, str]:
        """As it stands in health_ignored."""
        return self.code, self.table, self.object

    def __str__(self) -> str:
        of = ": ".join(part for part in (self.table, self.object) if part)
        return f"{self.code} of {of or 'the server'}"


@dataclass(frozen=True, slots=True)
class Size:
    """How big a table is, with its partitions."""

    partitions: int
    """Leaves; 0 where it is not partitioned."""
    bytes: int
    """With indexes and TOAST."""
    rows: int
    """The planner's estimate."""
