"""Operations that make archives and say what goes there."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from alembic.operations import Operations

from schema_kit.model import ArchivePolicy, DeclaredArchive
from schema_kit.names import QualifiedName, archive_name
from schema_kit.ops.keywords import columns_of, pass_over_former
from schema_kit.ops.naming import existing, translated
from schema_kit.ops.operation import Task, operation, task
from schema_kit.tasks import archives, restore


@operation(shared=True, reversed_by="drop_archive_table")
def create_archive_table(
    operations: Operations,
    table_name: str,
    archive_table_name: str | None = None,
    *,
    schema: str | None = None,
    archive_schema: str | None = None,
    control: str | None = None,
    interval: str | None = None,
    indexes: bool | Sequence[str] = True,
    archived_at: bool = False,
    tablespace: str | None = None,
    compression: str | None = None,
    view: str | None = None,
) -> Task:
    """Create an empty archive of a table: the same columns, checks, indexes, grants and row security.

    The archive of a partitioned table is partitioned by the same column; ``schema_kit archive run`` detaches
    partitions from the table and attaches them to the archive without copying a row. Partitions keep their foreign
    keys. The archive has neither foreign keys, so that referenced tables are not locked, nor an identity. It runs
    in the migration's transaction. The reverse is ``drop_archive_table``.

    Locks: ACCESS SHARE on the table, while it is read.

    Args:
        operations: given by Alembic.
        table_name: the table; partitioned by RANGE with a policy, or plain.
        archive_table_name: the archive; by default the table's name and ``_archive``. An existing archive with the
            same columns is kept.
        schema: the table's schema. If left out, ``schema_translate_map`` and then ``search_path`` decide.
        archive_schema: the archive's schema; by default the table's.
        control: for a plain table, the partition key of the archive; None makes a plain archive.
        interval: the width of partitions that are created in the archive (row-wise); by default the table's.
            Attached partitions keep theirs.
        indexes: True for all indexes of the table, or the names of those that the archive gets; it always gets the
            primary key. ``create_index_concurrently`` adds others.
        archived_at: whether to add a column ``archived_at`` with DEFAULT now(), for rows that are archived
            row-wise. Attached partitions cannot have it: ``schema_kit.archived_partition`` records when each one
            arrived.
        tablespace: the tablespace of partitions that are created in the archive. Attached partitions stay where
            they are, because a move would copy their files under a lock.
        compression: ``pglz`` or ``lz4``, for values that are written into the archive; attached partitions are not
            compressed again.
        view: the name of a view over both, ``table`` or ``schema.table``; by default in the table's schema. It
            reads with the privileges of the role that queries it (PostgreSQL 15 or later).

    Raises:
        DeclarationError: a compression or interval is invalid, or *control* is given without *interval*.
        PlanError: the table does not exist, the archive has other columns (the error names the differences), the
            archive could not enforce a key, or the role lacks a privilege.

    Example:
        op.create_archive_table("visits", view="all_visits")

    See Also:
        https://www.postgresql.org/docs/current/sql-createtable.html
        https://www.postgresql.org/docs/current/sql-createview.html
    """
    table = existing(operations, table_name, schema)
    declared = DeclaredArchive(
        table,
        archive_name(table, archive_table_name, translated(operations, archive_schema)),
        control,
        interval,
        indexes if isinstance(indexes, bool) else columns_of("create_archive_table", "indexes", indexes),
        archived_at,
        tablespace,
        compression,
        QualifiedName.parse(view, table.schema) if view else None,
    )
    return task(archives.create, declared)


@operation(shared=True)
def drop_archive_table(
    operations: Operations,
    table_name: str,
    archive_table_name: str | None = None,
    *,
    schema: str | None = None,
    archive_schema: str | None = None,
    view: str | None = None,
) -> Task:
    """Drop an archive that holds no rows; an archive that does not exist is not an error.

    ``restore_archive_table`` empties an archive. With the last archive and policy, archive_policy and
    archived_partition are dropped as well. It runs in the migration's transaction.

    Locks: ACCESS EXCLUSIVE on the archive, its partitions, the tables that these reference and the view, until the
    migration commits. Under the lock it is checked that the archive is empty.

    Args:
        operations: given by Alembic.
        table_name: the table of the archive.
        archive_table_name: the archive; by default the table's name and ``_archive``.
        schema: the table's schema. If left out, ``schema_translate_map`` and then ``search_path`` decide.
        archive_schema: the archive's schema; by default the table's.
        view: the view over both, which is dropped as well.

    Raises:
        PlanError: the archive holds rows, a policy sends rows to it, or an object depends on it.
        LockNotAvailable: the locks could not be taken; the error names the sessions that hold them.

    Example:
        op.drop_archive_table("visits", view="all_visits")

    See Also:
        https://www.postgresql.org/docs/current/sql-droptable.html
    """
    table = existing(operations, table_name, schema)
    archive = archive_name(table, archive_table_name, translated(operations, archive_schema))
    return task(archives.drop, archive, QualifiedName.parse(view, table.schema) if view else None)


@operation(shared=True, reversed_by="drop_archive_policy")
def set_archive_policy(
    operations: Operations,
    table_name: str,
    archive_after: str | None = None,
    *,
    schema: str | None = None,
    archive_table_name: str | None = None,
    archive_schema: str | None = None,
    condition: str | None = None,
    way: str = "partition",
    control: str | None = None,
    archived_at: str | None = None,
    tree: Mapping[str, Any] | None = None,
    max_rows: int | None = None,
    access_method: str | None = None,
    cold_after: str | None = None,
    **former: Any,
) -> Task:
    """Register in ``schema_kit.archive_policy`` what ``schema_kit archive run`` archives, and when.

    A second call replaces the policy. It runs in the migration's transaction. The reverse is
    ``drop_archive_policy``, or a call with the former values.

    Locks: the policy's row.

    Args:
        operations: given by Alembic.
        table_name: the table.
        archive_after: how far before the current position a partition must end, or how old a row must be: ``90
            days``; for plain integers a number of ids.
        schema: the table's schema. If left out, ``schema_translate_map`` and then ``search_path`` decide.
        archive_table_name: the archive; by default the table's name and ``_archive``.
        archive_schema: the archive's schema; by default the table's.
        condition: row-wise, an SQL condition over the table's columns that must hold as well: ``status =
            'closed'``.
        way: ``partition``: whole partitions, without copying a row; or ``rows``: row-wise, in batches.
        control: row-wise, the column from which the age is counted; for a partitioned table its partition key.
        archived_at: row-wise, the archive's column that records when a row arrived.
        tree: row-wise, the referencing tables whose rows are archived first, nested: ``{"order_items": {"refunds":
            {}}}``.
        max_rows: for whole partitions, a number of rows: the oldest partitions go before *archive_after* while the
            table has more, by the planner's estimate (ANALYZE). The current partition and the one before it stay.
        access_method: by partition, the table access method of what has come to the archive: ``columnar`` on Citus.
            Its rows are written again, compared by checksum, and a heap again before they come back. From PostgreSQL
            15 on.
        cold_after: by partition, how far before the current position a partition must end to go on to the server of
            ``create_cold_archive``; longer than *archive_after*.
        former: *destination* and *compression*, which never had an effect: ignored with a DeprecationWarning.

    Raises:
        DeclarationError: *way* is unknown, a duration is invalid, neither *archive_after* nor *condition* is given,
            *max_rows* is below 1, without *archive_after* or row-wise, or *cold_after* is not longer than
            *archive_after*.
        PlanError: the table or archive does not exist, the archive has other columns (the error names the
            differences), *cold_after* is given without a cold archive, *archive_after* is shorter than a partition, or
            the role lacks a privilege.

    Example:
        op.set_archive_policy("visits", "90 days")

    See Also:
        https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-DETACH-PARTITION
    """
    pass_over_former("set_archive_policy", former, ("destination", "compression"))
    table = existing(operations, table_name, schema)
    policy = ArchivePolicy(
        table,
        archive_name(table, archive_table_name, translated(operations, archive_schema)),
        archive_after,
        way,
        control,
        condition,
        archived_at,
        None if tree is None else json.dumps(tree, sort_keys=True),
        max_rows=max_rows,
        access_method=access_method,
        cold_after=cold_after,
    )
    return task(archives.set_policy, policy)


@operation()
def repair_archive_table(
    operations: Operations,
    table_name: str,
    archive_table_name: str | None = None,
    *,
    schema: str | None = None,
    archive_schema: str | None = None,
    drop_columns: Sequence[str] = (),
    view: str | None = None,
    access: bool = False,
) -> Task:
    """Change an archive to match its table again: columns, types, checks and, if asked, privileges.

    It repairs what ``schema_kit archive verify`` reports. Missing columns are added, with their default for
    existing rows; types, defaults and NOT NULL are changed and checks are added and validated, on the archive and
    its partitions, as by ``add_column_concurrently`` and the other operations. Detached partitions in transit to
    the archive are changed as well. A cold archive and its tables on the server get the columns that the archive
    has got. Indexes stay as they are. A check that only the archive has is reported and
    kept; so is a NOT NULL column without a default, if rows are archived. To reverse it, change the table back and
    run it again.

    Locks: those of ``add_column_concurrently``, ``alter_column_concurrently`` and the others, on the archive; with
    ``access=True`` also ACCESS EXCLUSIVE on it briefly.

    Args:
        operations: given by Alembic.
        table_name: the table.
        archive_table_name: the archive; by default the table's name and ``_archive``.
        schema: the table's schema. If left out, ``schema_translate_map`` and then ``search_path`` decide.
        archive_schema: the archive's schema; by default the table's.
        drop_columns: columns that the table no longer has and whose archived values are dropped; others are only
            reported.
        view: the view over both; new columns are appended, and a missing view is created.
        access: whether to replace the archive's owner, grants, policies and row security by those of the table.

    Raises:
        PlanError: the table does not exist, or no operation can repair a difference safely; the error names it.
        ExecutionError: archived rows violate a check or a NOT NULL of the table.
        LockNotAvailable: the locks could not be taken; the error names the sessions that hold them.

    Example:
        op.repair_archive_table("visits", view="all_visits")

    See Also:
        https://www.postgresql.org/docs/current/sql-altertable.html
    """
    table = existing(operations, table_name, schema)
    archive = archive_name(table, archive_table_name, translated(operations, archive_schema))
    named = QualifiedName.parse(view, table.schema) if view else None
    dropped = columns_of("repair_archive_table", "drop_columns", drop_columns) if drop_columns else ()
    return task(archives.repair, table, archive, dropped, named, access)


@operation(shared=True)
def drop_archive_policy(operations: Operations, table_name: str, *, schema: str | None = None) -> Task:
    """Delete the archive policy of a table; the archive and its rows are kept.

    A table without a policy is not an error. With the last policy, archive_policy and archived_partition are
    dropped, unless the latter lists partitions. It runs in the migration's transaction. The reverse is
    ``set_archive_policy``.

    Locks: the policy's row, or the two tables that are dropped.

    Args:
        operations: given by Alembic.
        table_name: the table; it need not exist.
        schema: the table's schema. If left out, ``schema_translate_map`` and then ``search_path`` decide.

    Raises:
        PlanError: the role lacks a privilege; the error has the GRANT to run.

    Example:
        op.drop_archive_policy("visits")

    See Also:
        https://www.postgresql.org/docs/current/sql-delete.html
    """
    return task(archives.drop_policy, existing(operations, table_name, schema))


@operation()
def restore_archive_table(
    operations: Operations,
    table_name: str,
    archive_table_name: str | None = None,
    *,
    schema: str | None = None,
    archive_schema: str | None = None,
) -> Task:
    """Delete the archive policy, and move everything in the archive back to the table.

    Call it before ``drop_archive_table`` if the archive holds rows; the empty archive is kept. Partitions are
    detached and attached without copying a row: in one commit if a view shows both tables, else concurrently.
    Partitions in transit to the archive return as well. If the table has a partition in the same range, or rows
    were archived row-wise, rows move in batches, each deleted and inserted by one statement. Each table of a *tree*
    has its own archive, which is restored after the tables that it references. If it is interrupted, run it again;
    it resumes where it stopped. An archive that does not exist is not an error.

    Locks: those of ``schema_kit archive restore``: ACCESS EXCLUSIVE briefly, within the lock budget, where DETACH
    and ATTACH are one commit; else those of ``detach_partition_concurrently`` and
    ``attach_partition_concurrently``; for rows, the rows of one batch.

    Args:
        operations: given by Alembic.
        table_name: the table.
        archive_table_name: the archive; by default the table's name and ``_archive``.
        schema: the table's schema. If left out, ``schema_translate_map`` and then ``search_path`` decide.
        archive_schema: the archive's schema; by default the table's.

    Raises:
        PlanError: the table does not exist, the archive belongs to another table or has other columns, rows have
            the same key and other values (the error names them), or the role lacks a privilege.
        LockNotAvailable: the locks could not be taken; the error names the sessions that hold them.

    Example:
        op.restore_archive_table("visits")

    See Also:
        https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-ATTACH-PARTITION
    """
    table = existing(operations, table_name, schema)
    archive = archive_name(table, archive_table_name, translated(operations, archive_schema))
    return task(restore.restore_all, table, archive)
