"""Operations on partitioned tables: their policy, and their next partitions."""

from __future__ import annotations

from alembic.operations import Operations

from schema_kit.ops.naming import existing, translated
from schema_kit.ops.operation import Task, nothing, operation, task
from schema_kit.tasks import partitions, policies


@operation(shared=True, reversed_by="drop_partition_policy")
def set_partition_policy(
    operations: Operations,
    table_name: str,
    *,
    schema: str | None = None,
    control: str | None = None,
    interval: str | None = None,
    timezone: str | None = None,
    premake: int | None = None,
    origin: str | None = None,
    encoding: str | None = None,
    inherit_privileges: bool | None = None,
    retention: str | None = None,
    retention_keep_table: bool | None = None,
    retention_schema: str | None = None,
    retention_grace: str | None = None,
    detach: str | None = None,
) -> Task:
    """Register or change the policy of a partitioned table in ``schema_kit.part_config``.

    Only the given values change; the first registration needs *control* and *interval*. Existing partitions must
    match: from the current one on, no partition may cross a boundary of the policy. Older partitions of other
    widths are kept. It runs in the migration's transaction. The reverse is ``drop_partition_policy``, or a call
    with the former values.

    Locks: the policy's row.

    Args:
        operations: given by Alembic.
        table_name: the table, partitioned by RANGE; or by LIST or HASH into tables that are partitioned by RANGE.
        schema: the table's schema. If left out, ``schema_translate_map`` and then ``search_path`` decide.
        control: the partition key.
        interval: the width of a partition: ``1 month``, ``7 days``, ``15 minutes``; for plain integers a number.
        timezone: an IANA name. Partition bounds follow the wall clock of this time zone. UTC by default.
        premake: number of partitions that are kept ahead of the current one; 4 by default.
        origin: a moment, or an id, at which some partition begins; an empty text removes it.
        encoding: how a column that holds neither a date nor a time encodes a moment; see
            ``op.create_partitioned_table``. An empty text removes it.
        inherit_privileges: whether new partitions get the grants of their parent.
        retention: how far before the current position a partition must end for ``partitions retire`` to detach it:
            ``18 months``, or a number of ids; an empty text removes it.
        retention_keep_table: whether a detached partition is kept as a table; true by default.
        retention_schema: the schema that detached partitions move to; an empty text removes it.
        retention_grace: how long a detached partition is kept before it is dropped, if it is not kept for good; ``7
            days`` by default.
        detach: ``auto`` (the default), or only ``concurrently``, or only ``blocking``.

    Raises:
        DeclarationError: an interval, time zone or grace period is invalid, or *premake* is below 1.
        PlanError: the table is not partitioned by that column, the column can be NULL, partitions cross the
            boundaries, or the retention is shorter than a partition.

    Example:
        op.set_partition_policy("visits", premake=6)

    See Also:
        https://www.postgresql.org/docs/current/ddl-partitioning.html#DDL-PARTITIONING-DECLARATIVE
    """
    changes = {
        "control": control,
        "interval": interval,
        "timezone": timezone,
        "premake": premake,
        "origin": origin,
        "encoding": encoding,
        "inherit_privileges": inherit_privileges,
        "retention": retention,
        "retention_keep_table": retention_keep_table,
        "retention_schema": translated(operations, retention_schema),
        "retention_grace": retention_grace,
        "detach": detach,
    }
    return task(policies.set_policy, existing(operations, table_name, schema), changes)


@operation(shared=True)
def drop_partition_policy(operations: Operations, table_name: str, *, schema: str | None = None) -> Task:
    """Delete the policy of a partitioned table; the table and its partitions are kept.

    A table without a policy is not an error. It runs in the migration's transaction. The reverse is
    ``set_partition_policy``.

    Locks: the policy's row.

    Args:
        operations: given by Alembic.
        table_name: the table; it need not exist.
        schema: the table's schema. If left out, ``schema_translate_map`` and then ``search_path`` decide.

    Raises:
        PlanError: the role lacks a privilege; the error has the GRANT to run.

    Example:
        op.drop_partition_policy("visits")

    See Also:
        https://www.postgresql.org/docs/current/ddl-partitioning.html#DDL-PARTITIONING-DECLARATIVE
    """
    return task(policies.drop_policy, existing(operations, table_name, schema))


@operation()
def drop_retention(operations: Operations, table_name: str, *, schema: str | None = None) -> Task:
    """Delete the retention of a policy, and attach the partitions that it has retired and not yet dropped.

    It reverses ``set_partition_policy(retention=...)``. The first commit deletes the retention, so nothing else is
    retired or dropped. Then each partition that ``schema_kit.retired_partition`` lists as retired by the policy is
    attached again, in whichever schema it is. If it is interrupted, run it again; it resumes where it stopped.

    Locks: those of ``attach_partition_concurrently``, for one partition after the other.

    Args:
        operations: given by Alembic.
        table_name: the partitioned table.
        schema: the table's schema. If left out, ``schema_translate_map`` and then ``search_path`` decide.

    Raises:
        PlanError: a partition cannot be attached: its range is in use, or its columns differ. The policy is
            unchanged.
        LockNotAvailable: the locks could not be taken; the error names the sessions that hold them.

    Example:
        op.drop_retention("visits")

    See Also:
        https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-ATTACH-PARTITION
    """
    return task(policies.drop_retention, existing(operations, table_name, schema))


@operation(reversed_by=nothing)
def create_next_partitions(
    operations: Operations, table_name: str, *, schema: str | None = None, until: str | None = None
) -> Task:
    """Create the current partition and those ahead of it, if they are missing.

    It does in a migration what ``schema_kit partitions create-next`` does. Each partition is created as a table and
    attached, in one commit.

    Locks: SHARE UPDATE EXCLUSIVE on the table briefly for each partition, while reads and writes continue; ACCESS
    EXCLUSIVE on a default partition; SHARE ROW EXCLUSIVE on the tables at the other end of foreign keys.

    Args:
        operations: given by Alembic.
        table_name: a table with a policy in part_config.
        schema: the table's schema. If left out, ``schema_translate_map`` and then ``search_path`` decide.
        until: create all missing partitions from the current position to there, instead of *premake* of the policy:
            ``2027-12-31``, or an id.

    Raises:
        DeclarationError: *until* is invalid.
        PlanError: the table has no policy, or its partitions do not match it.
        LockNotAvailable: the locks could not be taken; the error names the sessions that hold them.

    Example:
        op.create_next_partitions("visits", until="2027-03-01")

    See Also:
        https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-ATTACH-PARTITION
    """
    return task(partitions.create_next_of, existing(operations, table_name, schema), until)
