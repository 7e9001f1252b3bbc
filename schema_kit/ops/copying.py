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
        DeclarationError: a limit that is not one.
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
    """Move the rows of a default partition into partitions of their own, while they are read and written.

    The policy in part_config defines the ranges. Each range that has such rows becomes a partition, up to the
    number of partitions that are kept ahead; rows beyond that stay in the default partition and are reported.

    The rows are copied while reads and writes continue, and a trigger logs the keys of the rows that change. The
    copy is compared with the default partition. One short commit then replaces the old default partition by the new
    partitions and a new, empty default partition, so readers of the table see every row at every moment. If it is
    interrupted, run it again; it resumes where it stopped.

    Before the swap it waits for transactions whose snapshot is older than the copy. The swap drops foreign keys to
    and from the table, creates them again as NOT VALID in the same commit, and they are validated afterwards.

    The copy takes the space of the copied rows until the old partition is dropped. If the server's disk is visible
    (the server runs on this machine and is reached over a Unix socket), too little room is refused before anything
    is created, and copying pauses while the disk is nearly full.

    Locks: SHARE ROW EXCLUSIVE on the default partition briefly, to add the trigger; ACCESS EXCLUSIVE on the table,
    its default partition and the tables at the other end of foreign keys during the commit of the swap: the time to
    replay the last keys of the log (2000 at most, plus those that arrive while it waits) and about a millisecond
    for each new partition.

    Args:
        operations: given by Alembic.
        table_name: the partitioned table.
        schema: the table's schema. If left out, ``schema_translate_map`` and then ``search_path`` decide.
        workers: number of sessions that copy rows, build indexes and compare in parallel.
        max_replica_lag: seconds. Copying pauses while a physical replica lags further behind, except for one chunk
            a minute; None: never.
        max_slot_bytes: bytes (16 GiB by default). Copying pauses while a replication slot retains more WAL or a
            physical replica is further behind; None: never.

    Raises:
        DeclarationError: *workers* is below 1, or a limit is invalid.
        PlanError: the table has no policy or no primary key, an object of the default partition cannot move (the
            error names it), or the copy differs from the default partition.
        LockNotAvailable: the locks could not be taken; the error names the sessions that hold them.

    Example:
        op.drain_default_concurrently("visits")

    See Also:
        https://www.postgresql.org/docs/current/ddl-partitioning.html#DDL-PARTITIONING-DECLARATIVE-MAINTENANCE
        https://www.postgresql.org/docs/current/sql-createtable.html
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
    """Split a partition into the ranges of the table's policy, while it is read and written.

    The rows are copied as by ``drain_default_concurrently``. A partition that covers one range or less stays as it
    is. If the partition is unbounded on a side, so is the first or last of the new partitions.

    Locks: those of ``drain_default_concurrently``, on the partition.

    Args:
        operations: given by Alembic.
        table_name: the partitioned table.
        partition_name: the partition. If left out, the first one, which holds all rows of a table that was
            converted by attaching it.
        schema: the table's schema. If left out, ``schema_translate_map`` and then ``search_path`` decide.
        partition_schema: the partition's schema, if it differs.
        workers: number of sessions that copy rows, build indexes and compare in parallel.
        max_replica_lag: seconds. Copying pauses while a physical replica lags further behind, except for one chunk
            a minute; None: never.
        max_slot_bytes: bytes (16 GiB by default). Copying pauses while a replication slot retains more WAL or a
            physical replica is further behind; None: never.

    Raises:
        DeclarationError: *workers* is below 1, or a limit is invalid.
        PlanError: the table has no policy or no primary key, the partition does not exist, its bounds cross a
            range's, an object of the partition cannot move (the error names it), or the copy differs from the
            partition.
        LockNotAvailable: the locks could not be taken; the error names the sessions that hold them.

    Example:
        op.split_partition_concurrently("visits", "visits_before_20261201")

    See Also:
        https://www.postgresql.org/docs/current/ddl-partitioning.html#DDL-PARTITIONING-DECLARATIVE-MAINTENANCE
    """
    parent = existing(operations, table_name, schema)
    within = translated(operations, partition_schema) or parent.schema
    named = None if partition_name is None else QualifiedName(within, partition_name)
    refuse_workers(workers, "split_partition_concurrently")
    return task(copying.split_registered, parent, named, limits_of(max_replica_lag, max_slot_bytes))
