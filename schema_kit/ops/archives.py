"""Operations that make archives and say what goes there."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from alembic.operations import Operations

from schema_kit.model import ArchivePolicy, DeclaredArchive
from schema_kit.names import QualifiedName, fit
from schema_kit.ops.keywords import columns_of
from schema_kit.ops.naming import existing, translated
from schema_kit.ops.operation import Task, operation, task
from schema_kit.tasks import archives, restoring


def archive_name(table: QualifiedName, name: str | None, schema: str | None) -> QualifiedName:
    """What an archive is called: the table's name and _archive, in its schema, unless something else is said."""
    return QualifiedName(schema or table.schema, name or fit(table.name, "_archive"))


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
    """Make an archive from a table: the same columns, checks, grants and row security, and no rows yet.

    The archive of a partitioned table is partitioned by the same column; its partitions are those of the table,
    which ``schema_kit archive run`` detaches and attaches, without copying a row. They bring their foreign keys
    along; the archive itself has none, so that nothing locks the tables that they refer to. Nor has it an identity.
    Joins the migration's transaction; the table is only read. The way back is ``drop_archive_table``.

    Args:
        operations: given by Alembic.
        table_name: the table; partitioned by RANGE with a policy, or plain.
        archive_table_name: the archive; the table's name and ``_archive`` where it is left out. One that is there
            in the same shape stays as it is.
        schema: the table's schema; by schema_translate_map or search_path where it is left out.
        archive_schema: the archive's; the table's where it is left out.
        control: of a plain table, the column that the archive is partitioned by; none, and it is plain, too.
        interval: the width of partitions that are made in the archive (by rows); the table's where it is left
            out. Partitions that are brought keep theirs.
        indexes: the table's indexes, or the names of those that the archive gets; the primary key it always gets.
            Others of its own it gets as every table does: ``create_index_concurrently``.
        archived_at: whether it has a column ``archived_at``, DEFAULT now(), more than the table: for rows that are
            moved one by one. A partition cannot bring a column that it has not:
            ``schema_kit.archived_partition`` says when each one came.
        tablespace: where partitions lie that are made in the archive; those that are brought stay where they are,
            since their files would have to be copied under lock.
        compression: ``pglz`` or ``lz4``, for values that are written into it; those that are brought stay as they
            are.
        view: a view over both: ``table`` or ``schema.table``; in the table's schema where it names none. It reads
            with the rights of whoever reads it (PostgreSQL 15 and later).

    Raises:
        DeclarationError: an unknown compression or interval, or a control without an interval.
        PlanError: no such table, an archive of another shape (what differs is named), a key that the archive could
            not keep unique, or rights are missing.
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
    """Drop an archive, while it holds no row; one that is gone is fine. ``restore_archive_table`` empties one.

    With the last of archives and policies archive_policy and archived_partition go as well. Joins the migration's
    transaction, which holds the locks until it commits: ACCESS EXCLUSIVE on the archive, its partitions, the tables
    that these refer to and the view. Whether it holds a row is looked at under the lock.

    Args:
        operations: given by Alembic.
        table_name: the table whose archive it is.
        archive_table_name: the archive; the table's name and ``_archive`` where it is left out.
        schema: the table's schema; by schema_translate_map or search_path where it is left out.
        archive_schema: the archive's; the table's where it is left out.
        view: the view over both that goes along.

    Raises:
        PlanError: it holds rows, a policy sends rows there, or something depends on it.
        LockNotAvailable: the locks were not to be had; who holds them is named.
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
    destination: str | None = None,
    compression: str | None = None,
) -> Task:
    """Register in ``schema_kit.archive_policy`` what ``schema_kit archive run`` takes to the archive, and when.

    Called again, it replaces what was said before. Joins the migration's transaction; locks nothing but the
    policy's row. The way back is ``drop_archive_policy``, or the same with the values of before.

    Args:
        operations: given by Alembic.
        table_name: the table.
        archive_after: how far behind the present a partition has to end, or a row has to be: ``90 days``; of plain
            ids how many.
        schema: the table's schema; by schema_translate_map or search_path where it is left out.
        archive_table_name: the archive; the table's name and ``_archive`` where it is left out.
        archive_schema: the archive's; the table's where it is left out.
        condition: by rows, SQL over the table's columns that has to hold as well: ``status = 'closed'``.
        way: ``partition``, whole ones, without copying a row; or ``rows``, in batches.
        control: by rows, the column that the age is counted from; of a partitioned table its key.
        archived_at: by rows, the archive's column that takes the moment.
        tree: by rows, the tables that go along.
        destination: where files go, if rows go on from the archive to files.
        compression: theirs.

    Raises:
        DeclarationError: an unknown way, a length that cannot be read, neither a length nor a condition.
        PlanError: no such table or archive, an archive of another shape (what differs is named), a length shorter
            than a partition, or rights are missing.
    """
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
        destination,
        compression,
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
    """Mend what ``schema_kit archive verify`` names: after each change of the table, its archive follows.

    Columns that the archive lacks are added, with their default for the rows that are there; types, defaults and
    NOT NULL are changed, checks added and proved, each as the operation for it does it (``add_column_concurrently``
    and so on), on the archive and its partitions. Indexes are no hindrance, and stay as they are. A check that only
    the archive has is named and left alone; so is a NOT NULL column without a default, where rows are archived.
    Partitions that are detached and on their way follow as well. The way back is to change the table back, and this
    again.

    Args:
        operations: given by Alembic.
        table_name: the table.
        archive_table_name: the archive; the table's name and ``_archive`` where it is left out.
        schema: the table's schema; by schema_translate_map or search_path where it is left out.
        archive_schema: the archive's; the table's where it is left out.
        drop_columns: columns that the table has no more and whose archived values may go; others are named.
        view: the view over both, which gets the new columns at its end; it is made where it is not there.
        access: it gets the table's owner, grants, policies and row security, instead of what it has.

    Raises:
        PlanError: no such table, or something that no operation mends without harm; it is named.
        ExecutionError: archived rows fail a check or a NOT NULL of the table's.
        LockNotAvailable: the locks were not to be had; who holds them is named.
    """
    table = existing(operations, table_name, schema)
    archive = archive_name(table, archive_table_name, translated(operations, archive_schema))
    named = QualifiedName.parse(view, table.schema) if view else None
    dropped = columns_of("repair_archive_table", "drop_columns", drop_columns) if drop_columns else ()
    return task(archives.repair, table, archive, dropped, named, access)


@operation(shared=True)
def drop_archive_policy(operations: Operations, table_name: str, *, schema: str | None = None) -> Task:
    """Forget a table's archive policy; the archive and its rows stay. Nothing to do where there is none.

    With the last policy archive_policy and archived_partition go, unless that knows partitions. Joins the
    migration's transaction; locks nothing but the policy's row, or those tables. The way back is
    ``set_archive_policy``.

    Args:
        operations: given by Alembic.
        table_name: the table, whether it is there or not.
        schema: its schema; by schema_translate_map or search_path where it is left out.
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
    """Forget the archive's policy, and take all that it holds back to the table; the empty archive stays.

    What ``drop_archive_table`` needs before it, where the archive holds rows. Partitions are detached and attached,
    in one commit where a view shows both, concurrently elsewhere, and no row is copied; what was on its way to the
    archive comes back as well. Where the table has a partition in their range already, and where rows were archived
    one by one, they go in batches, each deleted and inserted by one statement; of a tree each table has an archive
    of its own, and comes back after what it refers to. Locks: as ``schema_kit archive restore``. Run again, it goes
    on; of an archive that is gone there is nothing to do.

    Args:
        operations: given by Alembic.
        table_name: the table.
        archive_table_name: the archive; the table's name and ``_archive`` where it is left out.
        schema: the table's schema; by schema_translate_map or search_path where it is left out.
        archive_schema: the archive's; the table's where it is left out.

    Raises:
        PlanError: no such table, another table's archive, another shape, rows of the same key and other values
            (they are named), or rights are missing.
        LockNotAvailable: the locks were not to be had; who holds them is named.
    """
    table = existing(operations, table_name, schema)
    archive = archive_name(table, archive_table_name, translated(operations, archive_schema))
    return task(restoring.restore_all, table, archive)
