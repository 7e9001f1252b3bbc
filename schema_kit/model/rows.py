"""What is observed of tables whose rows are changed or leave, in batches."""

from __future__ import annotations

from dataclasses import dataclass

from schema_kit.model.distribution import Distribution
from schema_kit.model.stored import Stored
from schema_kit.model.tables import ForeignKey, KeyColumn
from schema_kit.names import QualifiedName


@dataclass(frozen=True, slots=True)
class BatchRun:
    """A row of batch_progress: how far an update in batches has come."""

    table: str
    change: str
    target: str
    key: tuple[str, ...]
    finished: bool = False
    here: bool | None = True
    """Whether it was written in this database as it is: False after a dump and restore; None: unknown."""
    ended: bool = False
    """The last pass has come to the end of the table."""
    missed: int = 0
    """Rows that were gone, or had another key, when a batch came to them."""
    stays: bool = False
    """A row meets WHERE still when it has been updated."""


@dataclass(frozen=True, slots=True)
class BatchTarget:
    """A table to update in batches."""

    key: tuple[KeyColumn, ...]
    """The primary key; empty where there is none."""
    numbers: tuple[tuple[str, int], ...]
    """The columns by name, with their numbers; those that PostgreSQL computes are left out."""
    oid: int
    has_progress: Stored = Stored.MISSING
    """Whether batch_progress exists, with all the columns that this version knows."""
    run: BatchRun | None = None
    types: tuple[tuple[str, str], ...] = ()
    """Of those columns."""
    distribution: Distribution | None = None
    """How Citus spreads it."""


@dataclass(frozen=True, slots=True)
class LeavingTable:
    """A table whose rows are deleted or archived, or one that they go to."""

    name: QualifiedName
    columns: tuple[str, ...]
    """Those that can be written; what PostgreSQL computes is in `generated`."""
    key: tuple[KeyColumn, ...] = ()
    """The primary key; empty where there is none."""
    indexes: tuple[tuple[KeyColumn, ...], ...] = ()
    """The columns of each B-tree index that is valid and holds all rows."""
    incoming: tuple[ForeignKey, ...] = ()
    """What refers to it, or to one of its partitions."""
    generated: tuple[str, ...] = ()
    partitioned: bool = False
    types: tuple[tuple[str, str], ...] = ()
    """Of each column, whether it can be written or not."""
    missing_rights: tuple[str, ...] = ()
    """Privileges that the current role lacks, each with what grants it; rows that row security hides from it."""
    distribution: Distribution | None = None
    """How Citus spreads it."""
    layout: str = ""
    """Stands for its columns and for what references it: see fingerprints/layouts.py. Empty: not read."""

    def index_on(self, column: str) -> tuple[KeyColumn, ...] | None:
        """Return the columns of an index that begins with that one."""
        return next((own for own in self.indexes if own[0].name == column), None)
