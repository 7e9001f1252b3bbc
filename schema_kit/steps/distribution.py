"""Steps that have Citus distribute a table, or take it back to the coordinator."""

from __future__ import annotations

from dataclasses import dataclass

from schema_kit.model import Distribution
from schema_kit.names import QualifiedName, literal
from schema_kit.steps.step import LockMode, OnTable, Transaction


@dataclass(frozen=True)
class _Distribute(OnTable):
    """Citus distributes a table.

    Args:
        table: the table, with its partitions.
        wanted: how it is distributed.
        colocate_with: the table with which it is colocated; None: Citus decides.
        shard_count: how many shards; None: citus.shard_count.
    """

    # Writers wait: until it is done, or concurrently at the end, until the last changes are applied.
    mode = LockMode.EXCLUSIVE

    table: QualifiedName
    wanted: Distribution
    colocate_with: QualifiedName | None = None
    shard_count: int | None = None

    def call(self, function: str) -> str:
        """Return the call of one of Citus' functions."""
        given = [literal(self.table.sql), literal(self.wanted.column) if self.wanted.column else "NULL"]
        given += [f"colocate_with => {literal(self.colocate_with.sql)}"] if self.colocate_with else []
        given += [f"shard_count => {self.shard_count}"] if self.shard_count else []
        return f"SELECT pg_catalog.{function}({', '.join(given)})"


@dataclass(frozen=True)
class DistributeConcurrently(_Distribute):
    """create_distributed_table_concurrently: rows are copied while writes continue; outside of a transaction."""

    transaction = Transaction.NONE
    left_behind = "The table is as it was; Citus removes shards that were begun by itself."

    @property
    def summary(self) -> str:
        """Names the table and the column."""
        return f"distribute {self.table} by {self.wanted.column} while writes continue"

    def sql(self) -> tuple[str, ...]:
        """One call."""
        return (self.call("create_distributed_table_concurrently"),)


@dataclass(frozen=True)
class Distribute(_Distribute):
    """create_distributed_table or create_reference_table: in one transaction; writers wait while rows are copied."""

    may_block = True

    @property
    def summary(self) -> str:
        """Names the table and how."""
        how = "a reference table" if self.wanted.kind == "reference" else f"distributed by {self.wanted.column}"
        how = "distributed as a single shard" if self.wanted.kind == "single" else how
        return f"make {self.table} {how}; writes wait while its rows are copied"

    def sql(self) -> tuple[str, ...]:
        """One call."""
        if self.wanted.kind == "reference":
            return (self.wanted.call(self.table.sql),)
        return (self.call("create_distributed_table"),)


@dataclass(frozen=True)
class Undistribute(OnTable):
    """undistribute_table: the rows come back to the coordinator, in one transaction, and all access waits meanwhile."""

    may_block = True
    says = "take {self.table} back to the coordinator; reads and writes wait while its rows are copied"

    table: QualifiedName

    def sql(self) -> tuple[str, ...]:
        """One call."""
        return (f"SELECT pg_catalog.undistribute_table({literal(self.table.sql)})",)
