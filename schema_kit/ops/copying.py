"""Operations that give rows of a live table partitions of their own."""

from __future__ import annotations

from alembic.operations import Operations

from schema_kit.errors import DeclarationError
from schema_kit.model import MAX_REPLICA_LAG, MAX_SLOT_BYTES, CopyLimits
from schema_kit.names import QualifiedName
from schema_kit.ops.naming import existing, translated
from schema_kit.ops.operation import Task, operation, task
from schema_kit.tasks import copying


def limits_of(max_replica_lag: float | None, max_slot_bytes: int | None) -> CopyLimits:
    """When a copy pauses.

    Raises:
        DeclarationError: a limit that is none.
    """
    for name, value in (("max_replica_lag", max_replica_lag), ("max_slot_bytes", max_slot_bytes)):
        if value is not None and not value > 0:
            raise DeclarationError(f"{name} is more than 0, or None for no limit, not {value}")
    return CopyLimits(max_replica_lag, max_slot_bytes)


def refuse_workers(workers: int, called: str) -> None:
    """Refuse fewer than one.

    Raises:
        DeclarationError: there are.
    """
    if workers < 1:
        raise DeclarationError(f"workers of {called} is 1 or more, not {workers}")


@operation()
def drain_default_concurrently(
    operations: Operations,
    table_name: str,
    *,
    schema: str | None = None,
    workers: int = 1,
    max_replica_lag: float | None = MAX_REPLICA_LAG,
    max_slot_bytes: int | None = MAX_SLOT_BYTES,
) -> Task:
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
    refuse_workers(workers, "drain_default_concurrently")
    return task(copying.drain_registered, existing(operations, table_name, schema), limits)


@operation()
def split_partition_concurrently(
    operations: Operations,
    table_name: str,
    partition_name: str | None = None,
    *,
    schema: str | None = None,
    partition_schema: str | None = None,
    workers: int = 1,
    max_replica_lag: float | None = MAX_REPLICA_LAG,
    max_slot_bytes: int | None = MAX_SLOT_BYTES,
) -> Task:
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
    refuse_workers(workers, "split_partition_concurrently")
    return task(copying.split_registered, parent, named, limits_of(max_replica_lag, max_slot_bytes))
