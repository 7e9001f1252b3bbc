"""Operations that give rows of a live table partitions of their own."""

from __future__ import annotations

from itertools import chain

from alembic.operations import Operations

from schema_kit.catalog import Catalog
from schema_kit.errors import DeclarationError, PlanError
from schema_kit.model import MAX_REPLICA_LAG, MAX_SLOT_BYTES, CopyLimits, Partitioning
from schema_kit.names import QualifiedName
from schema_kit.offline import EmptyDatabase
from schema_kit.ops.door import AnyCatalog, PlanOperation, register
from schema_kit.ops.naming import existing, translated
from schema_kit.plans import copying
from schema_kit.sqlscripts import load
from schema_kit.steps import Plan

COPY_SCRIPT = "tables/copy_run.sql"


def drain(catalog: Catalog, policy: Partitioning, limits: CopyLimits | None = None, until: str | None = None) -> Plan:
    """What draining the default partition of a set needs now; *until* is up to where, if farther than is kept ahead."""
    # First of all: GRANT SELECT on the default partition alone would be something that its heirs do not have.
    if lacks := catalog.rights_missing(policy.parent):
        raise PlanError(f"cannot drain the default of {policy.parent}: {'; '.join(lacks)}.")
    parent = catalog.table(policy.parent)
    default = next((p.name for p in parent.partitions if p.default), policy.parent) if parent else policy.parent
    return copying.drain_default(
        policy, catalog.copying(default, parent, policy, "drain", until), load(COPY_SCRIPT), limits or CopyLimits()
    )


def split(catalog: Catalog, policy: Partitioning, partition: QualifiedName, limits: CopyLimits | None = None) -> Plan:
    """What splitting a partition needs now."""
    seen = catalog.copying(partition, catalog.table(policy.parent), policy, "split")
    return copying.split(policy, partition, seen, load(COPY_SCRIPT), limits or CopyLimits())


def _policy(catalog: Catalog, parent: QualifiedName) -> Partitioning:
    policy = catalog.policy(parent)
    if policy is None:
        raise PlanError(f"{parent} has no policy in schema_kit.part_config, which says how it is cut.")
    return policy


def limits_of(max_replica_lag: float | None, max_slot_bytes: int | None) -> CopyLimits:
    """When a copy pauses.

    Raises:
        DeclarationError: a limit that is none.
    """
    for name, value in (("max_replica_lag", max_replica_lag), ("max_slot_bytes", max_slot_bytes)):
        if value is not None and not value > 0:
            raise DeclarationError(f"{name} is more than 0, or None for no limit, not {value}")
    return CopyLimits(max_replica_lag, max_slot_bytes)


def _checked(workers: int, operation: str) -> int:
    if workers < 1:
        raise DeclarationError(f"workers of {operation} is 1 or more, not {workers}")
    return workers


@register("drain_default_concurrently")
class DrainDefaultConcurrentlyOp(PlanOperation):
    """Give the rows of a default partition partitions of their own."""

    def __init__(self, parent: QualifiedName, workers: int, limits: CopyLimits) -> None:
        self.parent = parent
        self.limits = limits
        self.workers = _checked(workers, self.called)

    @classmethod
    def drain_default_concurrently(
        cls,
        operations: Operations,
        table_name: str,
        *,
        schema: str | None = None,
        workers: int = 1,
        max_replica_lag: float | None = MAX_REPLICA_LAG,
        max_slot_bytes: int | None = MAX_SLOT_BYTES,
    ) -> None:
        """Give the rows of a default partition partitions of their own, by the set's policy in part_config.

        Each window that such rows lie in becomes a partition, as far as partitions are kept ahead: rows beyond that
        stay, and are said. The rows are copied beside readers and writers, a
        trigger logs the keys of those that change meanwhile, and one short commit puts the partitions and a new, empty
        default partition in the place of the old one: readers of the table see every row at every moment. What was
        copied is compared with the default partition before. Interrupted at any point, it goes on where it stopped
        when it is run again.

        Locks: SHARE ROW EXCLUSIVE on the default partition for an instant, to add the trigger; ACCESS EXCLUSIVE on the
        table, its default partition and the tables at the other end of foreign keys for the commit of the swap: for
        the last keys of the log, 2000 at most beside those that come while it waits, and about a millisecond for each
        new partition. It takes the space of the rows that are copied until the old partition is dropped: where the
        server's disk can be seen (it is on this machine, reached over a Unix socket), too little room is refused
        beforehand, and copying pauses while little is left.

        Before the swap it waits for transactions whose snapshot is older than the copy. Foreign keys to and from the
        table are taken off in the swap, come back NOT VALID in the same commit, and are validated afterwards.

        Args:
            operations: given by Alembic.
            table_name: the partitioned table.
            schema: its schema; by schema_translate_map or search_path where it is left out.
            workers: how many sessions copy, build indexes and compare side by side.
            max_replica_lag: pause while a physical replica is more seconds than that behind, but for a chunk a minute;
                None: never.
            max_slot_bytes: pause while a replication slot holds back more bytes of WAL than that, or a physical replica
                is as far behind; None: never.

        Raises:
            DeclarationError: less than one worker, or a limit that is none.
            PlanError: no policy, no primary key, or something belongs to the default partition that cannot move; it is
                named. Or what was copied is not what it holds.
            LockNotAvailable: the locks were not to be had; who holds them is named.
        """
        limits = limits_of(max_replica_lag, max_slot_bytes)
        operations.invoke(cls(existing(operations, table_name, schema), workers, limits))

    def plan(self, catalog: AnyCatalog) -> Plan:
        """Observe and decide."""
        if isinstance(catalog, EmptyDatabase):
            return Plan(self.called)  # a database that was empty at base has no row to copy
        return drain(catalog, _policy(catalog, self.parent), self.limits)


@register("split_partition_concurrently")
class SplitPartitionConcurrentlyOp(PlanOperation):
    """Cut a partition into the windows of its set."""

    def __init__(
        self, parent: QualifiedName, partition: QualifiedName | None, workers: int, limits: CopyLimits
    ) -> None:
        self.parent = parent
        self.limits = limits
        self.partition = partition
        self.workers = _checked(workers, self.called)

    @classmethod
    def split_partition_concurrently(
        cls,
        operations: Operations,
        table_name: str,
        partition_name: str | None = None,
        *,
        schema: str | None = None,
        partition_schema: str | None = None,
        workers: int = 1,
        max_replica_lag: float | None = MAX_REPLICA_LAG,
        max_slot_bytes: int | None = MAX_SLOT_BYTES,
    ) -> None:
        """Cut a partition into the windows of its set's policy in part_config.

        Its rows are copied beside readers and writers, as ``drain_default_concurrently`` does it, with the same locks;
        a partition that is one window, or less, stays as it is. Where it has no end, neither has the first or the last
        of those that take its place.

        Args:
            operations: given by Alembic.
            table_name: the partitioned table.
            partition_name: the partition; where it is left out the first one, which holds all rows of a table that was
                converted by attaching it.
            schema: the table's schema; by schema_translate_map or search_path where it is left out.
            partition_schema: the partition's, where it is another one.
            workers: how many sessions copy, build indexes and compare side by side.
            max_replica_lag: pause while a physical replica is more seconds than that behind, but for a chunk a minute;
                None: never.
            max_slot_bytes: pause while a replication slot holds back more bytes of WAL than that, or a physical replica
                is as far behind; None: never.

        Raises:
            DeclarationError: less than one worker, or a limit that is none.
            PlanError: no policy, no such partition, bounds that cross a window's, no primary key, or something belongs
                to the partition that cannot move; it is named. Or what was copied is not what it holds.
            LockNotAvailable: the locks were not to be had; who holds them is named.
        """
        parent = existing(operations, table_name, schema)
        within = translated(operations, partition_schema) or parent.schema
        named = None if partition_name is None else QualifiedName(within, partition_name)
        operations.invoke(cls(parent, named, workers, limits_of(max_replica_lag, max_slot_bytes)))

    def plan(self, catalog: AnyCatalog) -> Plan:
        """Observe and decide."""
        if isinstance(catalog, EmptyDatabase):
            return Plan(self.called)  # a database that was empty at base has no row to copy
        policy, partition = _policy(catalog, self.parent), self.partition or _first(catalog, self.parent)
        return split(catalog, policy, partition, self.limits) if partition else Plan(self.called)


def _first(catalog: Catalog, parent: QualifiedName) -> QualifiedName | None:
    """The first partition, or the one whose split is under way: it may be cut, and not cleared away."""
    begun = (source for source, run in catalog.copy_runs() if run.parent == parent and run.purpose == "split")
    table = catalog.table(parent)
    parts = (part.name for part in (table.partitions if table else ()) if not part.default)
    return next(chain(begun, parts), None)
