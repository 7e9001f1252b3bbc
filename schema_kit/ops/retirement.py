"""Operations that put a table into a set of partitions and take one out."""

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
    """Take a partition out of its set; it stays as a table of its own, with all its rows.

    Concurrently, wherever PostgreSQL can: queries of the parent that begin afterwards pass the partition over, all
    who use the parent are waited for, then it is a table by itself. Where that is cut off, the next run finalizes
    it. Beside a default partition, and where the table refers to itself, there is only the blocking way: ACCESS
    EXCLUSIVE on the parent, the partition and the default partition for an instant, under the lock budget. Tables
    that refer to the parent are locked against writes while PostgreSQL looks through them for rows that refer to
    the partition (for as long as one join of the two takes), and for an instant altogether; those that it refers
    to against writes for an instant. ``schema_kit.retired_partition`` remembers where it came from.

    The way back is ``op.attach_partition_concurrently``.

    Args:
        operations: given by Alembic.
        table_name: the partitioned table.
        partition_name: the partition; one that is detached already stays so.
        schema: the table's schema; by schema_translate_map or search_path where it is left out.
        partition_schema: the partition's; the table's where it is left out.

    Raises:
        PlanError: no such table, a partition of another table, or rows refer to it; the foreign key is named.
        LockNotAvailable: the locks were not to be had; who holds them is named.
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
    """Drop a partition with its rows, and never lock the parent for it: it is detached first.

    Locks: as detach_partition_concurrently; then ACCESS EXCLUSIVE on the table, which nobody uses any more, and on
    those that its foreign keys refer to, for an instant, under the lock budget. There is no way back.

    Args:
        operations: given by Alembic.
        table_name: the partitioned table.
        partition_name: the partition, or a table that schema_kit has detached from it; one that is gone is fine.
        schema: the table's schema; by schema_translate_map or search_path where it is left out.
        partition_schema: the partition's; the table's where it is left out.

    Raises:
        PlanError: a table that never was its partition, something depends on it, or rows refer to it; they are
            named.
        LockNotAvailable: the locks were not to be had; who holds them is named.
    """
    return task(retirement.drop, *_names(operations, table_name, partition_name, schema, partition_schema))


@operation()
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
    """Make a table that is there a partition; nothing is scanned or built while others wait.

    First it gets what it lacks of the parent's: NOT NULLs, checks and foreign keys (for new rows, then proved
    beside writers), indexes (concurrently), and a check that proves its bounds, which goes when it is attached; a
    table that was detached concurrently brings that along. Locks: SHARE UPDATE EXCLUSIVE on the parent, whose
    readers and writers go on; ACCESS EXCLUSIVE on the table, the default partition and the tables that its foreign
    keys refer to, SHARE ROW EXCLUSIVE on those that refer to the parent, each for an instant, under the lock
    budget.

    The way back is ``op.detach_partition_concurrently``.

    Args:
        operations: given by Alembic.
        table_name: the partitioned table: by RANGE of one column.
        partition_name: the table, with the parent's columns.
        from_: its first key, as text, number, date or datetime; None is MINVALUE. What names no time zone is read
            in UTC.
        to: where it ends, exclusive; None is MAXVALUE.
        schema: the parent's schema; by schema_translate_map or search_path where it is left out.
        partition_schema: the table's; the parent's where it is left out.

    Raises:
        PlanError: another shape, a range that overlaps a partition's, rows of it in the default partition, or a
            partition of another table; everything that is wrong is named.
        ExecutionError: rows lie outside of the range, or fail a constraint of the parent's; the error counts them.
        LockNotAvailable: the locks were not to be had; who holds them is named.
    """
    parent, partition = _names(operations, table_name, partition_name, schema, partition_schema)
    lower, upper = (None if end is None else str(end) for end in (from_, to))
    return task(retirement.attach, parent, partition, lower, upper)


def _names(
    operations: Operations, table: str, partition: str, schema: str | None, partition_schema: str | None
) -> tuple[QualifiedName, QualifiedName]:
    parent = existing(operations, table, schema)
    return parent, QualifiedName(translated(operations, partition_schema) or parent.schema, partition)
