"""Operations that attach and detach partitions."""

from __future__ import annotations

from datetime import date

from alembic.operations import Operations

from schema_kit.names import QualifiedName
from schema_kit.ops.naming import existing, translated
from schema_kit.ops.operation import Task, operation, task
from schema_kit.tasks import retirement


@operation()
def detach_partition_concurrently(
    operations: Operations,
    table_name: str,
    partition_name: str,
    *,
    schema: str | None = None,
    partition_schema: str | None = None,
) -> Task:
    """Detach a partition; it remains as a table of its own, with all its rows.

    It is detached concurrently wherever PostgreSQL can: new queries of the parent skip the partition, and the
    detach waits for running ones. The next run finalizes an interrupted detach. If the table has a default
    partition or references itself, PostgreSQL can only detach it in the blocking way.
    ``schema_kit.retired_partition`` records its parent and bounds. The reverse is
    ``op.attach_partition_concurrently``.

    Locks: concurrently, SHARE UPDATE EXCLUSIVE on the parent, and ACCESS EXCLUSIVE on the partition once no query
    uses it. In the blocking way, ACCESS EXCLUSIVE on the parent, the partition and the default partition briefly,
    within the lock budget. Either way, tables that reference the parent are locked against writes while PostgreSQL
    looks for rows that reference the partition (as long as one join of the two takes), and fully for a moment;
    tables that the partition references are locked against writes briefly.

    Args:
        operations: given by Alembic.
        table_name: the partitioned table.
        partition_name: the partition; a detached partition stays detached.
        schema: the table's schema. If left out, ``schema_translate_map`` and then ``search_path`` decide.
        partition_schema: the partition's schema; by default the table's.

    Raises:
        PlanError: the table does not exist, the partition belongs to another table, or rows reference it (the error
            names the foreign key).
        LockNotAvailable: the locks could not be taken; the error names the sessions that hold them.

    Example:
        op.detach_partition_concurrently("events", "events_202610")

    See Also:
        https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-DETACH-PARTITION
    """
    return task(retirement.detach, *_names(operations, table_name, partition_name, schema, partition_schema))


@operation()
def drop_partition_concurrently(
    operations: Operations,
    table_name: str,
    partition_name: str,
    *,
    schema: str | None = None,
    partition_schema: str | None = None,
) -> Task:
    """Drop a partition and its rows; it is detached first, so the drop never locks the parent.

    Only a partition, or a table that schema_kit has detached from this parent, is dropped. It cannot be reversed:
    the rows are lost.

    Locks: those of ``detach_partition_concurrently``; then ACCESS EXCLUSIVE on the detached table and on the tables
    that its foreign keys reference, briefly, within the lock budget.

    Args:
        operations: given by Alembic.
        table_name: the partitioned table.
        partition_name: the partition, or a table that schema_kit has detached from it; a table that does not exist
            is not an error.
        schema: the table's schema. If left out, ``schema_translate_map`` and then ``search_path`` decide.
        partition_schema: the partition's schema; by default the table's.

    Raises:
        PlanError: the table never was a partition of this parent, an object depends on it, or rows reference it;
            the error names them.
        LockNotAvailable: the locks could not be taken; the error names the sessions that hold them.

    Example:
        op.drop_partition_concurrently("events", "events_202610")

    See Also:
        https://www.postgresql.org/docs/current/sql-droptable.html
    """
    return task(retirement.drop, *_names(operations, table_name, partition_name, schema, partition_schema))


@operation(reversed_by="detach_partition_concurrently")
def attach_partition_concurrently(
    operations: Operations,
    table_name: str,
    partition_name: str,
    from_: str | int | date | None,
    to: str | int | date | None,
    *,
    schema: str | None = None,
    partition_schema: str | None = None,
) -> Task:
    """Attach an existing table as a partition; nothing is scanned or built while others wait.

    The table first gets what it lacks of the parent: NOT NULL, checks and foreign keys (NOT VALID, then validated
    while writes continue), indexes (concurrently), and a validated check of its bounds, which is dropped once it is
    attached. A table that was detached concurrently already has that check. The reverse is
    ``op.detach_partition_concurrently``.

    Locks: SHARE UPDATE EXCLUSIVE on the parent, which allows reads and writes; ACCESS EXCLUSIVE on the table, on
    the default partition and on the tables that its foreign keys reference, and SHARE ROW EXCLUSIVE on tables that
    reference the parent, each briefly, within the lock budget.

    Args:
        operations: given by Alembic.
        table_name: the partitioned table: by RANGE of one column.
        partition_name: the table; it has the parent's columns.
        from_: the lower bound, inclusive, as text, number, date or datetime; None is MINVALUE. A value without a
            time zone is read in UTC.
        to: the upper bound, exclusive; None is MAXVALUE.
        schema: the parent's schema. If left out, ``schema_translate_map`` and then ``search_path`` decide.
        partition_schema: the table's schema; by default the parent's.

    Raises:
        PlanError: the columns differ, the range overlaps another partition, the default partition holds rows of the
            range, or the table is a partition of another table; the error names every problem.
        ExecutionError: rows lie outside of the range or violate a constraint of the parent; the error counts them.
        LockNotAvailable: the locks could not be taken; the error names the sessions that hold them.

    Example:
        op.attach_partition_concurrently("events", "imported", "2026-09-01", "2026-10-01")

    See Also:
        https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-ATTACH-PARTITION
    """
    parent, partition = _names(operations, table_name, partition_name, schema, partition_schema)
    lower, upper = (None if end is None else str(end) for end in (from_, to))
    return task(retirement.attach, parent, partition, lower, upper)


def _names(
    operations: Operations, table: str, partition: str, schema: str | None, partition_schema: str | None
) -> tuple[QualifiedName, QualifiedName]:
    parent = existing(operations, table, schema)
    return parent, QualifiedName(translated(operations, partition_schema) or parent.schema, partition)
