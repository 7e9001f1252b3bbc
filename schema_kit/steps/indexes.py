"""Commits that make, attach and drop indexes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from schema_kit.model import IndexDeclaration
from schema_kit.names import QualifiedName, ident
from schema_kit.steps.step import Lock, LockMode, Step, Transaction


def create_index_sql(index: IndexDeclaration, name: str, on: QualifiedName, how: str = "", only: bool = False) -> str:
    """The CREATE INDEX statement of a declaration, for one table."""
    keys = ", ".join(key.sql + (f" {key.opclass}" if key.opclass else "") for key in index.elements)
    parts = [
        "CREATE",
        "UNIQUE" if index.unique else "",
        "INDEX",
        how,
        ident(name),
        "ON ONLY" if only else "ON",
        on.sql,
        f"USING {ident(index.using)}",
        f"({keys})",
        f"INCLUDE ({', '.join(map(ident, index.include))})" if index.include else "",
        "NULLS NOT DISTINCT" if index.nulls_not_distinct else "",
        f"WITH ({', '.join(f'{ident(key)} = {value}' for key, value in index.with_)})" if index.with_ else "",
        f"TABLESPACE {ident(index.tablespace)}" if index.tablespace else "",
        f"WHERE ({index.where})" if index.where else "",
    ]
    return " ".join(part for part in parts if part)


@dataclass(frozen=True)
class CreateIndexConcurrently(Step):
    """CREATE INDEX CONCURRENTLY: two scans, waits for older transactions, blocks nobody."""

    transaction: ClassVar[Transaction] = Transaction.NONE

    index: IndexDeclaration
    name: str
    table: QualifiedName

    @property
    def summary(self) -> str:
        """Names the index and the table."""
        return f"create index {self.name} on {self.table} concurrently"

    @property
    def locks(self) -> tuple[Lock, ...]:
        """Other DDL and VACUUM wait; reads and writes do not."""
        return (Lock(LockMode.SHARE_UPDATE_EXCLUSIVE, self.table),)

    def sql(self) -> tuple[str, ...]:
        """One statement, outside of a transaction."""
        return (create_index_sql(self.index, self.name, self.table, "CONCURRENTLY"),)


@dataclass(frozen=True)
class WaitForBuild(Step):
    """Wait until nobody else builds an index on the table: a killed tool's build goes on in the server to its end."""

    decide_again: ClassVar[bool] = True

    name: str
    table: QualifiedName

    @property
    def summary(self) -> str:
        """Names the index and the table."""
        return f"wait for another session that builds {self.name} on {self.table}"

    @property
    def locks(self) -> tuple[Lock, ...]:
        """The lock that a build holds from its beginning to its end."""
        return (Lock(LockMode.SHARE_UPDATE_EXCLUSIVE, self.table),)

    def sql(self) -> tuple[str, ...]:
        """Nothing is changed; what to do is decided again afterwards."""
        return (f"LOCK TABLE ONLY {self.table.sql} IN SHARE UPDATE EXCLUSIVE MODE",)


@dataclass(frozen=True)
class CreateParentIndex(Step):
    """CREATE INDEX ON ONLY: the partitioned index, invalid until each partition has its own attached."""

    index: IndexDeclaration

    @property
    def summary(self) -> str:
        """Names the index and the table."""
        return f"create the partitioned index {self.index.name} on {self.index.table}, without its partitions"

    @property
    def locks(self) -> tuple[Lock, ...]:
        """Writes to the parent wait, for an instant: nothing is built."""
        return (Lock(LockMode.SHARE, self.index.table),)

    def sql(self) -> tuple[str, ...]:
        """From this commit on, new partitions get the index by themselves."""
        return (create_index_sql(self.index, self.index.name, self.index.table, only=True),)


@dataclass(frozen=True)
class AttachIndex(Step):
    """ALTER INDEX ... ATTACH PARTITION: free to repeat, and the last one makes the parent valid."""

    parent: QualifiedName
    child: QualifiedName

    @property
    def summary(self) -> str:
        """Names both."""
        return f"attach index {self.child} to {self.parent}"

    def sql(self) -> tuple[str, ...]:
        """Locks indexes only: queries that plan with the child index wait for an instant."""
        return (f"ALTER INDEX {self.parent.sql} ATTACH PARTITION {self.child.sql}",)


@dataclass(frozen=True)
class DropIndexConcurrently(Step):
    """DROP INDEX CONCURRENTLY: waits for older transactions, blocks nobody."""

    transaction: ClassVar[Transaction] = Transaction.NONE

    index: QualifiedName
    table: QualifiedName

    @property
    def summary(self) -> str:
        """Names the index."""
        return f"drop index {self.index} concurrently"

    @property
    def locks(self) -> tuple[Lock, ...]:
        """Other DDL and VACUUM wait; reads and writes do not."""
        return (Lock(LockMode.SHARE_UPDATE_EXCLUSIVE, self.table),)

    def sql(self) -> tuple[str, ...]:
        """One statement, outside of a transaction."""
        return (f"DROP INDEX CONCURRENTLY {self.index.sql}",)


@dataclass(frozen=True)
class DropParentIndex(Step):
    """DROP INDEX of a partitioned index: PostgreSQL has no concurrent way."""

    index: QualifiedName
    table: QualifiedName
    leaves: tuple[QualifiedName, ...]

    @property
    def summary(self) -> str:
        """Says that it blocks."""
        return f"drop the partitioned index {self.index} (blocks {self.table} and its partitions for an instant)"

    @property
    def locks(self) -> tuple[Lock, ...]:
        """Everybody waits, for an instant."""
        return tuple(Lock(LockMode.ACCESS_EXCLUSIVE, table) for table in (self.table, *self.leaves))

    def sql(self) -> tuple[str, ...]:
        """The partitions' indexes go with it."""
        return (f"DROP INDEX {self.index.sql}",)
