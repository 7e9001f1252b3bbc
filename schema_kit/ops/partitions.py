"""Operations that partition a table, and keep its policy."""

from __future__ import annotations

from dataclasses import replace

from alembic.operations import Operations

from schema_kit.model import MAX_REPLICA_LAG, MAX_SLOT_BYTES, Partitioning
from schema_kit.ops.copying import limits_of, refuse_workers
from schema_kit.ops.naming import existing
from schema_kit.ops.operation import Task, operation, task
from schema_kit.plans.conversion import IncomingForeignKeys
from schema_kit.plans.copied_table import KeepOld, Strategy
from schema_kit.tasks import conversion, policies
from schema_kit.tasks.conversion import Convert


@operation(shared=True, reversed_by="drop_part_config")
def create_part_config(operations: Operations) -> Task:
    """Make ``schema_kit.part_config``, where policies live, if it is missing. Joins the migration's transaction."""
    return task(policies.create_config)


@operation(shared=True)
def drop_part_config(operations: Operations) -> Task:
    """Drop ``schema_kit.part_config``, once it holds no policy. Joins the migration's transaction.

    What remembers copies that are finished and partitions that were retired goes along, unless a copy is under way
    or a retired partition is there still.

    Raises:
        PlanError: it holds policies.
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
    incoming_foreign_keys: IncomingForeignKeys = "refuse",
    strategy: Strategy | None = None,
    workers: int = 1,
    default_partition: bool = True,
    keep_old: KeepOld = False,
    max_replica_lag: float | None = MAX_REPLICA_LAG,
    max_slot_bytes: int | None = MAX_SLOT_BYTES,
) -> Task:
    """Partition a populated table by range, without copying a row: it becomes the first partition.

    With ``strategy="copy"`` its rows are copied instead, into a partition for each window, and the table stays as
    it is until one short commit swaps; it is the machinery of ``drain_default_concurrently``, and has its locks.

    Its primary key gets the control column as its last, if it is not in it. What belongs to the table comes
    along: identity and sequences, defaults, checks, indexes, foreign keys, triggers, row security, grants,
    comments, views. The policy is registered in part_config. Locks: ACCESS EXCLUSIVE for an instant to add a
    check, then for the one short commit of the swap (milliseconds, whatever the size), each under the lock
    budget; scans and index builds run beside writers.

    That check refuses rows at or past its bound, two weeks ahead at least, until the swap. A conversion that has
    stopped is either run again before that moment, or given up: ``unpartition`` drops what it has left.

    Args:
        operations: given by Alembic.
        table_name: the table.
        control: the column that decides: timestamptz, timestamp, date, a whole number, or what holds a moment in
            an encoding.
        interval: the width of a partition: ``1 month``, ``7 days``, ``1 hour``; of plain numbers how many
            (``"100000"``).
        schema: its schema; by schema_translate_map or search_path where it is left out.
        timezone: an IANA name; partitions follow its wall clock.
        premake: how many partitions are kept ahead of the current one; one that was changed in part_config
            after the swap stays.
        origin: where some partition begins: ``2000-01-02`` makes weeks begin on Sundays.
        encoding: how a column that is no date or time holds a moment: ``seconds``, ``milliseconds``,
            ``microseconds``, ``nanoseconds``, ``uuidv7``, ``ulid``, ``snowflake``, ``snowflake:1420070400000``.
        incoming_foreign_keys: ``refuse``, ``drop``, or ``composite``: the referring table gets the key column
            too, and a trigger that fills it. Those that hold the control column already come along by themselves.
        strategy: ``attach``: seconds, whatever the size, and the first partition holds all rows (it can be split
            later). ``copy``: takes as long as copying takes and the space of the table once more, and rows may lie
            as far ahead as they like. Left out: what is begun already; else copy, where rows lie in several windows
            and the table has 1 GB at most, or its rows lie too far ahead to be attached; else attach. Which, and
            why, is what a run says first. Say it in a migration that has to do the same on a small database and on
            a big one. With --sql always attach.
        workers: how many sessions copy, build indexes and compare side by side; of ``copy``.
        default_partition: whether a default partition takes what lies beyond the others; of ``copy``.
        keep_old: whether the plain table stays as it was at the swap, under its name and ``__old``; of ``copy``.
            ``fed``: a trigger logs the keys of rows that change from the swap on (12 to 16 us a row), so that it
            can take its place again with all that was written: ``unpartition``, or ``partitions convert
            --rollback``. The log grows by a key a change; running this again replays it.
        max_replica_lag: pause while a physical replica is more seconds than that behind, but for a chunk a minute;
            None: never; of ``copy``.
        max_slot_bytes: pause while a replication slot holds back more bytes of WAL than that, or a physical replica
            is as far behind; None: never; of ``copy``.

    Raises:
        DeclarationError: an unknown strategy, less than one worker, or a limit that is none.
        PlanError: something belongs to the table or depends on it that cannot move with it; it is named.
        LockNotAvailable: the locks were not to be had; who holds them is named.
    """
    parent = existing(operations, table_name, schema)
    policy = Partitioning(parent, control, interval, timezone, premake, origin, encoding)
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
    """Make a partitioned table plain again: its first partition takes in the rows of the others.

    It blocks: ACCESS EXCLUSIVE on the table and its partitions for as long as those rows need to move (those of
    the first partition do not move). The primary key loses the control column; policies, key columns and triggers
    that the conversion made go.

    It is also how a conversion is given up that never came to its swap: of a table that is plain still, it drops
    the check of the bound, the empty parent beside it, the index over the longer key, and the key columns,
    triggers and foreign keys that tables which refer to it were given. Nothing blocks for longer than an instant.

    And where a conversion by copy has kept the plain table with ``keep_old="fed"``, that table takes its place
    again: what was written since is replayed into it beside writers, both are compared, and one short commit
    swaps (ACCESS EXCLUSIVE on the table and its partitions, the longer the more of them there are to drop).

    Args:
        operations: given by Alembic.
        table_name: the table.
        schema: its schema; by schema_translate_map or search_path where it is left out.
        keep_primary_key: whether the primary key keeps the control column, which was in it before the table was
            partitioned; foreign keys to it then come back as they are.

    Raises:
        PlanError: something depends on it that cannot move with it; it is named.
    """
    return task(conversion.unpartition, existing(operations, table_name, schema), keep_primary_key)
