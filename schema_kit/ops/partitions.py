"""Operations that partition a table, and keep its policy."""

from __future__ import annotations

from dataclasses import replace

from alembic.operations import Operations

from schema_kit.model import MAX_REPLICA_LAG, MAX_SLOT_BYTES, Partitioning
from schema_kit.ops.copying import limits_of, refuse_workers
from schema_kit.ops.naming import existing, translated
from schema_kit.ops.operation import Task, operation, task
from schema_kit.plans.conversion import IncomingForeignKeys
from schema_kit.plans.copied_table import KeepOld, Strategy
from schema_kit.tasks import conversion, policies
from schema_kit.tasks.conversion import Convert


@operation(shared=True, reversed_by="drop_part_config")
def create_part_config(operations: Operations) -> Task:
    """Create ``schema_kit.part_config``, the table of partition policies, if it does not exist.

    It runs in the migration's transaction.

    Locks: none on existing tables.

    Args:
        operations: given by Alembic.

    Raises:
        PlanError: the role lacks a privilege; the error has the GRANT to run.

    Example:
        op.create_part_config()

    See Also:
        https://www.postgresql.org/docs/current/sql-createtable.html
    """
    return task(policies.create_config)


@operation(shared=True, reversed_by="create_part_config")
def drop_part_config(operations: Operations) -> Task:
    """Drop ``schema_kit.part_config`` if it holds no policy.

    The records of finished copies and of retired partitions are dropped with it, unless a copy is in progress or a
    retired partition still exists. It runs in the migration's transaction.

    Locks: ACCESS EXCLUSIVE on ``part_config`` until the migration commits.

    Args:
        operations: given by Alembic.

    Raises:
        PlanError: it holds policies.

    Example:
        op.drop_part_config()

    See Also:
        https://www.postgresql.org/docs/current/sql-droptable.html
    """
    return task(policies.drop_config)


@operation(reversed_by="unpartition")
def convert_to_partitioned(
    operations: Operations,
    table_name: str,
    control: str,
    interval: str,
    *,
    schema: str | None = None,
    timezone: str = "UTC",
    premake: int = 4,
    origin: str | None = None,
    encoding: str = "",
    inherit_privileges: bool = False,
    retention: str | None = None,
    retention_keep_table: bool = True,
    retention_schema: str | None = None,
    retention_grace: str = "7 days",
    detach: str = "auto",
    incoming_foreign_keys: IncomingForeignKeys = "refuse",
    strategy: Strategy | None = None,
    workers: int = 1,
    default_partition: bool = True,
    keep_old: KeepOld = False,
    max_replica_lag: float | None = MAX_REPLICA_LAG,
    max_slot_bytes: int | None = MAX_SLOT_BYTES,
) -> Task:
    """Turn a live table into a partitioned one, without copying a row or by a copy while writes continue.

    By attaching, the table becomes the first partition. With ``strategy="copy"`` its rows are copied into one
    partition for each range, as by ``drain_default_concurrently``, and the table stays as it is until one short
    commit swaps.

    If the primary key lacks the control column, it is added as the last column. What belongs to the table moves
    with it: identity and sequences, defaults, checks, indexes, foreign keys, triggers, row security, grants,
    comments, views. The policy is registered in part_config.

    By attaching, a check refuses rows at or past its bound (at least two weeks ahead) until the swap. A conversion
    that has stopped is either run again before that moment or aborted: ``unpartition`` drops what it has created.

    Locks: ACCESS EXCLUSIVE briefly to add a check, then during the one short commit of the swap (milliseconds at
    any size), each within the lock budget. Scans and index builds run while writes continue. With ``copy``, those
    of ``drain_default_concurrently``.

    Args:
        operations: given by Alembic.
        table_name: the table.
        control: the partition key: a column of type timestamptz, timestamp, date or an integer type, or one that
            encodes a moment.
        interval: the width of a partition: ``1 month``, ``7 days``, ``1 hour``; for plain integers a number
            (``"100000"``).
        schema: the table's schema. If left out, ``schema_translate_map`` and then ``search_path`` decide.
        timezone: an IANA name. Partition bounds follow the wall clock of this time zone.
        premake: number of partitions that are kept ahead of the current one. A value that was changed in
            part_config after the swap is kept.
        origin: a moment at which some partition begins: ``2000-01-02`` makes weeks begin on Sundays.
        encoding: how a column that holds neither a date nor a time encodes a moment; see
            ``op.create_partitioned_table``.
        inherit_privileges: whether new partitions get the grants of their parent.
        retention: how far before the current position a partition must end for ``partitions retire`` to detach it:
            ``18 months``, or a number of ids; None keeps all partitions. It, and the four that follow, are kept as they
            are in part_config if they were changed there after the swap.
        retention_keep_table: whether a detached partition is kept as a table.
        retention_schema: the schema that detached partitions move to.
        retention_grace: how long a detached partition is kept before it is dropped, if it is not kept for good.
        detach: ``auto``, or only ``concurrently``, or only ``blocking``.
        incoming_foreign_keys: ``refuse``, ``drop`` or ``composite``: the referencing table gets the control column
            as well, and a trigger that fills it. Foreign keys that already include the control column are kept.
        strategy: ``attach``: takes seconds at any size; the first partition holds all rows and can be split later.
            ``copy``: takes as long as copying and the space of the table once more; rows may lie far in the future.
            If left out: the strategy of a conversion that has begun; else ``copy`` if the rows lie in several
            ranges and the table has at most 1 GB, or if rows lie too far ahead to be attached; else ``attach``. A
            run first reports its choice and the reason. State it in a migration that must do the same on a small
            and a big database. With ``--sql`` always ``attach``.
        workers: number of sessions that copy rows, build indexes and compare in parallel. For ``copy``.
        default_partition: whether a default partition takes the rows outside of all others. For ``copy``.
        keep_old: whether the plain table is kept as it was at the swap, under its name and ``__old``. For ``copy``.
            ``fed``: a trigger logs the keys of rows that change after the swap (12 to 16 microseconds a row), so
            that the plain table can be brought up to date and take its place again: ``unpartition``, or
            ``partitions convert --rollback``. The log grows by one key per change; another run of this operation
            replays it.
        max_replica_lag: seconds. Copying pauses while a physical replica lags further behind, except for one chunk
            a minute; None: never. For ``copy``.
        max_slot_bytes: bytes (16 GiB by default). Copying pauses while a replication slot retains more WAL or a
            physical replica is further behind; None: never. For ``copy``.

    Raises:
        DeclarationError: the strategy is unknown, *workers* is below 1, or a limit is invalid.
        PlanError: an object that depends on the table cannot move with it; the error names it.
        LockNotAvailable: the locks could not be taken; the error names the sessions that hold them.

    Example:
        op.convert_to_partitioned("visits", "visited_at", "1 month", premake=2)
        op.convert_to_partitioned("visits", "visited_at", "1 month", premake=1, strategy="copy")

    See Also:
        https://www.postgresql.org/docs/current/ddl-partitioning.html
        https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-ATTACH-PARTITION
    """
    parent = existing(operations, table_name, schema)
    policy = Partitioning(
        parent,
        control,
        interval,
        timezone,
        premake,
        origin,
        encoding,
        inherit_privileges,
        retention,
        retention_keep_table,
        translated(operations, retention_schema),
        retention_grace,
        detach,
    )
    policy = replace(policy, interval=policy.cut.text)
    refuse_workers(workers, "convert_to_partitioned")
    limits = limits_of(max_replica_lag, max_slot_bytes)
    return Convert(policy, incoming_foreign_keys, strategy, default_partition, keep_old, limits).plan


@operation()
def unpartition(
    operations: Operations,
    table_name: str,
    *,
    schema: str | None = None,
    keep_primary_key: bool = False,
) -> Task:
    """Turn a partitioned table back into a plain one; its first partition takes the rows of the others.

    It blocks readers and writers while the rows move; those of the first partition stay where they are. The primary
    key loses the control column. The policy, and the key columns and triggers that the conversion created, are
    dropped.

    It also aborts a conversion that has not reached its swap. On a table that is still plain, it drops the check of
    the bound, the empty parent, the index over the longer key, and the key columns, triggers and foreign keys of
    referencing tables. All locks are then brief.

    If a conversion by copy has kept the plain table with ``keep_old="fed"``, that table takes its place again: the
    changes since the swap are replayed into it while writes continue, both tables are compared, and one short
    commit swaps (its ACCESS EXCLUSIVE lock grows with the number of partitions to drop).

    Locks: ACCESS EXCLUSIVE on the table and its partitions while the rows move.

    Args:
        operations: given by Alembic.
        table_name: the table.
        schema: the table's schema. If left out, ``schema_translate_map`` and then ``search_path`` decide.
        keep_primary_key: whether the primary key keeps the control column, because it had it before the table was
            partitioned. Foreign keys to it are then restored as they are.

    Raises:
        PlanError: an object that depends on the table cannot move with it; the error names it.

    Example:
        op.unpartition("visits")

    See Also:
        https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-DETACH-PARTITION
    """
    return task(conversion.unpartition, existing(operations, table_name, schema), keep_primary_key)
