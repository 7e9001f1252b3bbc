"""What stands for a database where there is none: without rows, other sessions and limits of rights."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from schema_kit.model import ColdPartition, IgnoredFinding, Moved, Partitioning, Range, Retired, Table
from schema_kit.names import QualifiedName


class Placeholder:
    """The answers, as `catalog.Catalog` would give them, that do not depend on what a placeholder is about."""

    def has_rows(self, name: QualifiedName) -> bool:
        """Never."""
        return False

    def has_row_where(self, table: QualifiedName, where: str) -> bool:
        """Never."""
        return False

    def refuse_others(self, name: QualifiedName) -> None:
        """Nothing else is known to have the name."""

    def misunderstood(self, table: QualifiedName, where: str) -> str:
        """Nothing: a condition cannot be tried."""
        return ""

    def reindex_leftovers(self, tables: Sequence[QualifiedName]) -> tuple[tuple[QualifiedName, QualifiedName], ...]:
        """Never: no build was interrupted."""
        return ()

    def view_lacks(self, view: QualifiedName, columns: Collection[str]) -> bool:
        """Never: a view is taken for one of the columns that its table has."""
        return False

    def rewrites(self, table: QualifiedName, action: str, first: str = "") -> tuple[bool, bool]:
        """Never: rows that could be written again do not exist."""
        return False, False

    def filled_default(self, table: Table | None) -> Table | None:
        """Never."""
        return None

    def strays(self, policy: Partitioning, table: Table | None, until: str | None = None) -> tuple[Range, ...]:
        """Never."""
        return ()

    def stops_drop(
        self,
        table: QualifiedName,
        column: str | None = None,
        constraint: str | None = None,
        attached: bool = False,
        but: Sequence[QualifiedName] = (),
    ) -> tuple[str, ...]:
        """Nothing is known to depend on it."""
        return ()

    def missing_rights(
        self, create_in: Collection[str] = (), refer_to: Collection[QualifiedName] = (), *, register: bool = False
    ) -> tuple[str, ...]:
        """None: who will run the script is not known."""
        return ()

    def missing_partition_rights(self, table: QualifiedName) -> tuple[str, ...]:
        """None, likewise."""
        return ()

    def missing_archive_rights(self, owned: Collection[QualifiedName]) -> tuple[str, ...]:
        """None, likewise."""
        return ()

    def retired(self) -> tuple[Retired, ...]:
        """None: no run of retire has been."""
        return ()

    def moved(self) -> tuple[Moved, ...]:
        """None: no run of archive has been."""
        return ()

    def cold_partitions(self, table: QualifiedName) -> tuple[ColdPartition, ...]:
        """None, likewise."""
        return ()

    def ignored_findings(self) -> dict[IgnoredFinding, str]:
        """None."""
        return {}
