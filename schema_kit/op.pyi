# What `from schema_kit import op` offers: Alembic's own operations, and these; written by tools/write_operations.py.

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date
from typing import Any, Literal

import sqlalchemy as sa
from alembic.op import *

from schema_kit.model import Cut, Tree
from schema_kit.plans.conversion import IncomingForeignKeys
from schema_kit.plans.copied_table import KeepOld, Strategy

def by_hash(column: str, modulus: int) -> Cut:
    """As `partition_by` or `sub_partitions`: so many parts by the hash of a column.

    Args:
        column: whose values decide.
        modulus: how many parts, 2 to 1000.

    Raises:
        DeclarationError: a modulus outside of that.
    """

def by_list(column: str, parts: Mapping[str, Sequence[Any]], *, default: bool = False) -> Cut:
    """As `partition_by` or `sub_partitions`: parts by the values of a column.

    Args:
        column: whose values decide.
        parts: by the name of each part, which stands at the end of its table's: its values, texts or whole numbers,
            or None for NULL.
        default: whether there is one more part, for all other values.

    Raises:
        DeclarationError: no part, a part without a value, or a value that two parts have.
    """

def lock_policy(
    *,
    longest: str | int = ...,
    first: str | int = ...,
    statement_timeout: str | int = ...,
    attempts: int = ...,
    look_first: bool = ...,
) -> AbstractContextManager[None]:
    """Another lock policy for the operations in this block.

    Args:
        changes: `longest`, `first`, `statement_timeout` (``"2s"`` or milliseconds), `attempts`, `look_first`.

    Raises:
        DeclarationError: an unknown name, or a duration that cannot be read.
    """

def create_archive_table(
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
) -> None:
    """Make an archive from a table: the same columns, checks, grants and row security, and no rows yet.

    The archive of a partitioned table is partitioned by the same column; its partitions are those of the table,
    which ``schema_kit archive run`` detaches and attaches, without copying a row. They bring their foreign keys
    along; the archive itself has none, so that nothing locks the tables that they refer to. Nor has it an identity.
    Joins the migration's transaction; the table is only read. The way back is ``drop_archive_table``.

    Args:
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

def drop_archive_table(
    table_name: str,
    archive_table_name: str | None = None,
    *,
    schema: str | None = None,
    archive_schema: str | None = None,
    view: str | None = None,
) -> None:
    """Drop an archive, while it holds no row; one that is gone is fine. ``restore_archive_table`` empties one.

    With the last of archives and policies archive_policy and archived_partition go as well. Joins the migration's
    transaction, which holds the locks until it commits: ACCESS EXCLUSIVE on the archive, its partitions, the tables
    that these refer to and the view. Whether it holds a row is looked at under the lock.

    Args:
        table_name: the table whose archive it is.
        archive_table_name: the archive; the table's name and ``_archive`` where it is left out.
        schema: the table's schema; by schema_translate_map or search_path where it is left out.
        archive_schema: the archive's; the table's where it is left out.
        view: the view over both that goes along.

    Raises:
        PlanError: it holds rows, a policy sends rows there, or something depends on it.
        LockNotAvailable: the locks were not to be had; who holds them is named.
    """

def set_archive_policy(
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
) -> None:
    """Register in ``schema_kit.archive_policy`` what ``schema_kit archive run`` takes to the archive, and when.

    Called again, it replaces what was said before. Joins the migration's transaction; locks nothing but the
    policy's row. The way back is ``drop_archive_policy``, or the same with the values of before.

    Args:
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

def repair_archive_table(
    table_name: str,
    archive_table_name: str | None = None,
    *,
    schema: str | None = None,
    archive_schema: str | None = None,
    drop_columns: Sequence[str] = (),
    view: str | None = None,
    access: bool = False,
) -> None:
    """Mend what ``schema_kit archive verify`` names: after each change of the table, its archive follows.

    Columns that the archive lacks are added, with their default for the rows that are there; types, defaults and
    NOT NULL are changed, checks added and proved, each as the operation for it does it (``add_column_concurrently``
    and so on), on the archive and its partitions. Indexes are no hindrance, and stay as they are. A check that only
    the archive has is named and left alone; so is a NOT NULL column without a default, where rows are archived.
    Partitions that are detached and on their way follow as well. The way back is to change the table back, and this
    again.

    Args:
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

def drop_archive_policy(table_name: str, *, schema: str | None = None) -> None:
    """Forget a table's archive policy; the archive and its rows stay. Nothing to do where there is none.

    With the last policy archive_policy and archived_partition go, unless that knows partitions. Joins the
    migration's transaction; locks nothing but the policy's row, or those tables. The way back is
    ``set_archive_policy``.

    Args:
        table_name: the table, whether it is there or not.
        schema: its schema; by schema_translate_map or search_path where it is left out.
    """

def restore_archive_table(
    table_name: str,
    archive_table_name: str | None = None,
    *,
    schema: str | None = None,
    archive_schema: str | None = None,
) -> None:
    """Forget the archive's policy, and take all that it holds back to the table; the empty archive stays.

    What ``drop_archive_table`` needs before it, where the archive holds rows. Partitions are detached and attached,
    in one commit where a view shows both, concurrently elsewhere, and no row is copied; what was on its way to the
    archive comes back as well. Where the table has a partition in their range already, and where rows were archived
    one by one, they go in batches, each deleted and inserted by one statement; of a tree each table has an archive
    of its own, and comes back after what it refers to. Locks: as ``schema_kit archive restore``. Run again, it goes
    on; of an archive that is gone there is nothing to do.

    Args:
        table_name: the table.
        archive_table_name: the archive; the table's name and ``_archive`` where it is left out.
        schema: the table's schema; by schema_translate_map or search_path where it is left out.
        archive_schema: the archive's; the table's where it is left out.

    Raises:
        PlanError: no such table, another table's archive, another shape, rows of the same key and other values
            (they are named), or rights are missing.
        LockNotAvailable: the locks were not to be had; who holds them is named.
    """

def create_extension(name: str) -> None:
    """Install an extension where it is missing, and remember that. Joins the migration's transaction.

    Args:
        name: the extension.
    """

def drop_extension(name: str) -> None:
    """Drop an extension that ``create_extension`` installed; leave one that was there before.

    Args:
        name: the extension.
    """

def create_baseline(metadata: sa.MetaData) -> None:
    """Make each table of *metadata* where it is missing; compare it, and leave it, where it is there.

    Enums and comments come along; foreign keys in a circle are added when both tables are there. Types are
    compared as PostgreSQL prints them.

    Locks: a new foreign key takes SHARE ROW EXCLUSIVE on the table it refers to, for an instant, under the budget.

    Args:
        metadata: the tables, literally: a revision means tomorrow what it meant yesterday.

    Raises:
        PlanError: a table or an enum is there in another shape; each difference is named.
    """

def drop_baseline(metadata: sa.MetaData) -> None:
    """Drop the tables that ``create_baseline`` made, if all of them are empty; leave all others.

    Args:
        metadata: the same tables.

    Raises:
        PlanError: a table that it made holds rows; nothing was dropped.
    """

def update_in_batches(
    table_name: str,
    values: Mapping[str, Any],
    *,
    schema: str | None = None,
    where: str | sa.TextClause | sa.ColumnElement[Any] | None = None,
    batch_size: int = 1000,
    target_seconds: float = 0.5,
    name: str | None = None,
    max_replica_lag: float | None = 10.0,
    max_dead_share: float | None = 0.2,
) -> None:
    """Update the rows of a table that is in use, in the order of its primary key, a batch a commit.

    When a pass has come to the end, rows that still meet WHERE are looked for, and another pass updates them, up to
    ten in all: a row whose key changed while a batch waited for it, say, which moves between partitions where the
    key holds the partition's column. Where rows go on meeting WHERE once they are updated, or there is none, this
    is done where a row was missed and the values are the same for all rows (those are set again, then, that the
    application has changed meanwhile); else what was missed is counted, and said.

    Each row is updated once, whatever interrupts this: how far it came is written to
    ``schema_kit.batch_progress`` in the same statement as the batch, and running it again goes on from there.
    Finished, it does nothing more; to run it again all the same, delete its row there::

        DELETE FROM schema_kit.batch_progress WHERE name = 'public.orders fill total'

    (a table or column that was dropped and made anew since is updated again without that). Rows that the
    application inserts or changes meanwhile are the application's matter: those behind the point that was reached
    are not visited again, so it has to write the new values itself before this begins, and no transaction that
    began earlier may be open. What the application writes into a row that is still to come, an explicit NULL too,
    is overwritten unless WHERE spares it. There is no way back: a downgrade has nothing to call, unless it is an
    update of its own.

    Locks: the rows of one batch, until its commit, and no lock on the table that anybody waits for. A row that
    somebody else has locked is waited for under the lock budget (100 ms at first, 5 s at most); then the batch is
    given up, and tried again. Between batches it gives way to replicas and to vacuum, for a minute at most, since
    a replica may be delayed on purpose. A session that may not read other sessions' statistics (pg_monitor)
    cannot see these reasons. Dead rows are left to autovacuum; VACUUM is not run at the end.

    With --sql it is one plain UPDATE: such a script is for a database that was empty at base.

    Args:
        table_name: the table; a partitioned one is updated as a whole.
        values: what each column is set to: a Python value, or SQL as ``sa.text("price * 2")`` or an expression.
        schema: its schema; by schema_translate_map or search_path where it is left out.
        where: which rows: SQL, ``sa.text`` or an expression; all where it is left out. Rows are found by the
            primary key and looked at one by one, so it needs no index.
        batch_size: rows of the first batch, from 1 to 100000; the next ones become smaller or larger, from 10 to
            100000, by a factor of 2 at most.
        target_seconds: how long a batch should take.
        name: what the update is remembered under; made from table, values and WHERE where it is left out.
        max_replica_lag: pause while a physical replica is more seconds than that behind; None: never.
        max_dead_share: pause while more than this share of the rows (0 to 1) is dead and a vacuum of the table is
            running; None: never.

    Raises:
        DeclarationError: a number out of its range, no values, or one that has no SQL.
        PlanError: no such table or column, no primary key, a column of it among the values, or the name belongs
            to another update.
        LockNotAvailable: somebody held a row through every try. The batches before it are committed.
        ExecutionError: PostgreSQL refused a batch, as it does where row security would hide rows from whoever
            runs this; those before it are committed.
    """

def add_column_concurrently(
    table_name: str,
    column: sa.Column[Any],
    *,
    schema: str | None = None,
    if_not_exists: bool | None = None,
    inline_references: bool | None = None,
    inline_primary_key: bool | None = None,
) -> None:
    """Add a column without rewriting the table.

    The keywords are those of ``op.add_column``. A default that is the same for all rows costs nothing. One that
    changes from row to row (``gen_random_uuid()``, ``clock_timestamp()``) is set for new rows, filled in by
    batches, and only then NOT NULL. A foreign key of the column comes with it where the column has no default,
    and by op.create_foreign_key_concurrently's steps where it has one. A column of that name and type that is
    there already gets what it lacks of the declaration. Locks: ACCESS EXCLUSIVE for an instant, under the lock
    budget; SHARE ROW EXCLUSIVE on a referenced table and its partitions.

    Args:
        table_name: the table.
        column: the column.
        schema: the table's schema; by schema_translate_map or search_path where it is left out.
        if_not_exists: as ``op.add_column`` has it; not needed, since a column that is there is no error.
        inline_references: the same; a foreign key comes with the column wherever that can be.
        inline_primary_key: the same; a primary key is an operation of its own.

    Raises:
        DeclarationError: identity, stored generated, primary key, unique, indexed, checked or with several foreign
            keys (the message says what to do instead), or NOT NULL without a default.
        PlanError: no such table, a column of that name with another type or default, or a type that makes
            PostgreSQL write every row again (a domain with constraints).
    """

def drop_column_concurrently(
    table_name: str, column_name: str, *, schema: str | None = None, if_exists: bool | None = None, **dialect_kw: Any
) -> None:
    """Drop a column: its indexes first, concurrently; one that is gone already is no error.

    The keywords are those of ``op.drop_column``. Locks: ACCESS EXCLUSIVE for an instant, under the lock budget;
    also on the table that a foreign key over it refers to. There is no way back: the values are gone.

    Args:
        table_name: the table.
        column_name: its column.
        schema: the table's schema; by schema_translate_map or search_path where it is left out.
        if_exists: as ``op.drop_column`` has it; not needed, since a column that is gone is no error.
        dialect_kw: keywords of other databases, which are passed over.

    Raises:
        DeclarationError: a keyword that there is not.
        PlanError: no such table, a view or something else depends on it, or it is in the partition key.
    """

def alter_column_concurrently(
    table_name: str,
    column_name: str,
    *,
    nullable: bool | None = None,
    server_default: str | sa.TextClause | sa.ColumnElement[Any] | sa.FetchedValue | Literal[False] | None = False,
    type_: sa.types.TypeEngine[Any] | type[sa.types.TypeEngine[Any]] | None = None,
    existing_type: sa.types.TypeEngine[Any] | type[sa.types.TypeEngine[Any]] | None = None,
    existing_server_default: str
    | sa.TextClause
    | sa.ColumnElement[Any]
    | sa.FetchedValue
    | Literal[False]
    | None = False,
    existing_nullable: bool | None = None,
    existing_comment: str | None = None,
    existing_autoincrement: bool | None = None,
    schema: str | None = None,
    postgresql_using: str | None = None,
    **dialect_kw: Any,
) -> None:
    """Change a column's type, default or NOT NULL where PostgreSQL needs no rewrite, and refuse where it does.

    The keywords are those of ``op.alter_column``. Whether a change of type rewrites the table or builds an index
    again is tried on an empty copy, so each version's own rules hold: varchar widened or made text, numeric with
    more digits, and so on are done; others are refused with what to do instead. Locks: ACCESS EXCLUSIVE for an
    instant, under the lock budget; NOT NULL as set_not_null_concurrently.

    Args:
        table_name: the table.
        column_name: its column.
        nullable: True lets it be NULL, False forbids it.
        server_default: the new default; None drops it, False leaves it.
        type_: the new type.
        existing_type: what autogenerate writes; not needed.
        existing_server_default: the same.
        existing_nullable: the same.
        existing_comment: the same.
        existing_autoincrement: the same.
        schema: the table's schema; by schema_translate_map or search_path where it is left out.
        postgresql_using: how values of the old type become those of the new one.
        dialect_kw: keywords of other databases, which are passed over.

    Raises:
        DeclarationError: a default that PostgreSQL does not keep as one (FetchedValue, Identity, Computed), or a
            keyword that there is not.
        PlanError: no such table or column, or a change that would hold a lock for as long as the table is big.
        ExecutionError: NOT NULL, and rows have no value.
    """

def drop_table_concurrently(
    table_name: str, *, schema: str | None = None, if_exists: bool | None = None, **dialect_kw: Any
) -> None:
    """Drop a table: its foreign keys first, each in a commit and with a retry of its own.

    Locks: ACCESS EXCLUSIVE on the table and on one other at a time, for an instant, under the lock budget. There
    is no way back.

    Args:
        table_name: the table; one that is gone already is no error.
        schema: its schema; by schema_translate_map or search_path where it is left out.
        if_exists: as ``op.drop_table`` has it; not needed.
        dialect_kw: keywords of other databases, which are passed over.

    Raises:
        DeclarationError: a keyword that there is not.
        PlanError: foreign keys of other tables refer to it, a view or something else depends on it, or it is a
            partition.
    """

def create_foreign_key_concurrently(
    constraint_name: str | None,
    source_table: str,
    referent_table: str,
    local_cols: Sequence[str | sa.ColumnElement[Any]],
    remote_cols: Sequence[str | sa.ColumnElement[Any]],
    *,
    onupdate: str | None = None,
    ondelete: str | None = None,
    deferrable: bool | None = None,
    initially: str | None = None,
    match: str | None = None,
    source_schema: str | None = None,
    referent_schema: str | None = None,
    postgresql_not_valid: bool = False,
    **dialect_kw: Any,
) -> None:
    """Create a foreign key: at once for new rows, then proved for the old ones beside writers.

    The keywords are those of ``op.create_foreign_key``. Locks: SHARE ROW EXCLUSIVE on both tables for an instant,
    under the lock budget; then SHARE UPDATE EXCLUSIVE on the source for one scan, leaf by leaf where it is
    partitioned. Up to PostgreSQL 17 a partitioned source takes ACCESS EXCLUSIVE on the referent for an instant.

    Args:
        constraint_name: the foreign key; None leaves it to target_metadata's naming convention, or PostgreSQL's.
        source_table: the table that refers.
        referent_table: the table that is referred to.
        local_cols: columns of the first.
        remote_cols: columns of the second.
        onupdate: CASCADE, RESTRICT, SET NULL, SET DEFAULT, or NO ACTION.
        ondelete: the same.
        deferrable: whether a transaction may defer it.
        initially: DEFERRED or IMMEDIATE.
        match: FULL or SIMPLE.
        source_schema: the first table's schema; by schema_translate_map or search_path where it is left out.
        referent_schema: the second's.
        postgresql_not_valid: leave the old rows unproved; op.validate_constraint proves them later.
        dialect_kw: keywords of other databases, which are passed over.

    Raises:
        DeclarationError: a string for a list of columns, or a keyword that there is not.
        PlanError: no such table, or a foreign key of that name says something else.
        ExecutionError: rows refer to nothing; the error counts them and shows which values.
    """

def create_check_constraint_concurrently(
    constraint_name: str | None,
    table_name: str,
    condition: str | sa.TextClause | sa.ColumnElement[Any],
    *,
    schema: str | None = None,
    postgresql_not_valid: bool = False,
    **dialect_kw: Any,
) -> None:
    """Create a check: at once for new rows, then proved for the old ones beside writers.

    The keywords are those of ``op.create_check_constraint``. Locks: ACCESS EXCLUSIVE for an instant, under the
    lock budget; then SHARE UPDATE EXCLUSIVE for one scan, leaf by leaf where the table is partitioned.

    Args:
        constraint_name: the check; None leaves it to target_metadata's naming convention, or PostgreSQL's.
        table_name: its table.
        condition: SQL text or an expression.
        schema: the table's schema; by schema_translate_map or search_path where it is left out.
        postgresql_not_valid: leave the old rows unproved; op.validate_constraint proves them later.
        dialect_kw: keywords of other databases, which are passed over.

    Raises:
        DeclarationError: a keyword that there is not.
        PlanError: no such table, or a check of that name says something else.
        ExecutionError: rows fail it; the error counts them.
    """

def create_unique_constraint_concurrently(
    constraint_name: str | None,
    table_name: str,
    columns: Sequence[str | sa.ColumnElement[Any]],
    *,
    schema: str | None = None,
    deferrable: bool | None = None,
    initially: str | None = None,
    postgresql_nulls_not_distinct: bool = False,
    postgresql_include: Sequence[str | sa.ColumnElement[Any]] | None = None,
    **dialect_kw: Any,
) -> None:
    """Create a unique constraint over an index that is built beside writers.

    The keywords are those of ``op.create_unique_constraint``. Locks: SHARE UPDATE EXCLUSIVE while the index is
    built; ACCESS EXCLUSIVE for an instant, under the lock budget, to make it a constraint. Partitioned tables: the
    parent's first, invalid; each partition's; then attached.

    Args:
        constraint_name: the constraint, and its index; None leaves it to the naming convention, or PostgreSQL's.
        table_name: its table.
        columns: its columns.
        schema: the table's schema; by schema_translate_map or search_path where it is left out.
        deferrable: whether a transaction may defer it.
        initially: DEFERRED or IMMEDIATE.
        postgresql_nulls_not_distinct: whether NULLs equal each other (15+).
        postgresql_include: columns stored beside the key.
        dialect_kw: keywords of other databases, which are passed over.

    Raises:
        DeclarationError: a string for a list of columns, an expression, or a keyword that there is not.
        PlanError: no such table, or something else of that name.
        ExecutionError: values occur twice; the INVALID index is replaced by the next run.
    """

def create_primary_key_concurrently(
    constraint_name: str | None,
    table_name: str,
    columns: Sequence[str | sa.ColumnElement[Any]],
    *,
    schema: str | None = None,
    postgresql_include: Sequence[str | sa.ColumnElement[Any]] | None = None,
) -> None:
    """Create a primary key over an index that is built beside writers; its columns are made NOT NULL first.

    The keywords are those of ``op.create_primary_key``. Locks: as set_not_null_concurrently and
    create_unique_constraint_concurrently.

    Args:
        constraint_name: the primary key, and its index; None leaves it to the naming convention, or PostgreSQL's.
        table_name: its table.
        columns: its columns.
        schema: the table's schema; by schema_translate_map or search_path where it is left out.
        postgresql_include: columns stored beside the key.

    Raises:
        DeclarationError: a string for a list of columns, or an expression.
        PlanError: no such table or column, or another primary key is there.
        ExecutionError: values are NULL or occur twice.
    """

def validate_constraint(constraint_name: str, table_name: str, *, schema: str | None = None) -> None:
    """Prove a check, foreign key or NOT NULL that is there but not validated, beside writers.

    Locks: SHARE UPDATE EXCLUSIVE for one scan, leaf by leaf where the table is partitioned.

    Args:
        constraint_name: the constraint.
        table_name: its table.
        schema: the table's schema; by schema_translate_map or search_path where it is left out.

    Raises:
        PlanError: no such table or constraint.
        ExecutionError: rows fail it; the error counts them.
    """

def set_not_null_concurrently(table_name: str, column_name: str, *, schema: str | None = None) -> None:
    """Make a column NOT NULL: at once for new rows, then proved for the old ones beside writers.

    A validated check that says the same is taken as the proof. Locks: ACCESS EXCLUSIVE for an instant, under the
    lock budget, before and (up to PostgreSQL 17) after; SHARE UPDATE EXCLUSIVE for one scan, leaf by leaf where
    the table is partitioned. The way back is ``op.alter_column(..., nullable=True)``.

    Args:
        table_name: the table.
        column_name: its column.
        schema: the table's schema; by schema_translate_map or search_path where it is left out.

    Raises:
        PlanError: no such table or column.
        ExecutionError: rows have no value; the error counts them.
    """

def drain_default_concurrently(
    table_name: str,
    *,
    schema: str | None = None,
    workers: int = 1,
    max_replica_lag: float | None = 30.0,
    max_slot_bytes: int | None = 17179869184,
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

def split_partition_concurrently(
    table_name: str,
    partition_name: str | None = None,
    *,
    schema: str | None = None,
    partition_schema: str | None = None,
    workers: int = 1,
    max_replica_lag: float | None = 30.0,
    max_slot_bytes: int | None = 17179869184,
) -> None:
    """Cut a partition into the windows of its set's policy in part_config.

    Its rows are copied beside readers and writers, as ``drain_default_concurrently`` does it, with the same locks;
    a partition that is one window, or less, stays as it is. Where it has no end, neither has the first or the last
    of those that take its place.

    Args:
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

def create_partitioned_table(
    table_name: str,
    *columns: sa.schema.SchemaItem,
    control: str,
    interval: str,
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
    default_partition: bool = False,
    partition_by: Cut | None = None,
    sub_partitions: Cut | None = None,
    comment: str | None = None,
    postgresql_with: Mapping[str, Any] | None = None,
    postgresql_tablespace: str | None = None,
    if_not_exists: bool | None = None,
    **dialect_kw: Any,
) -> None:
    """Make a table that is partitioned by range, its current partition and `premake` ahead, and its policy.

    Takes columns and constraints as Alembic's ``create_table`` does. Joins the migration's transaction: nobody
    sees the table before that commits. A foreign key takes SHARE ROW EXCLUSIVE on the table it refers to until
    then; where that one is busy, add it in a revision of its own with ``create_foreign_key_concurrently``. The
    way back is ``drop_table``, which takes the partitions along, and ``drop_partition_policy``.

    Args:
        table_name: the table.
        columns: its columns and constraints. The primary key and each unique one contain the columns that decide
            about the partition.
        control: the column that decides, NOT NULL.
        interval: the width of a partition: ``1 month``, ``7 days``, ``15 minutes``; of plain numbers how many.
        schema: its schema; by schema_translate_map or search_path where it is left out.
        timezone: an IANA name; partitions follow its wall clock.
        premake: how many partitions are kept ahead of the current one.
        origin: where some partition begins, on that clock or among the ids.
        encoding: how a column that is no date or time holds a moment: ``seconds``, ``milliseconds``, ``uuidv7``,
            ``ulid``, ``snowflake``, ...
        inherit_privileges: whether new partitions get the grants of their parent.
        retention: how far behind the present a partition has to end for ``partitions retire`` to take it out:
            ``18 months``, or so many ids; none, and all stay.
        retention_keep_table: whether it stays as a table of its own.
        retention_schema: the schema that it moves to instead.
        retention_grace: how long one that is not kept is out before it is dropped.
        detach: ``auto``, or ``concurrently`` or ``blocking`` and nothing else.
        default_partition: whether rows outside of all partitions are taken by a default one; it makes detaching
            and attaching harder, so there is none unless you ask.
        partition_by: ``op.by_list(...)`` or ``op.by_hash(...)``: the table is cut so first, and each part into
            ranges. The one policy stands for all of them.
        sub_partitions: the same, of each range partition. Later ones follow the newest.
        comment: the table's.
        postgresql_with: storage parameters of the partitions that hold rows: ``{"fillfactor": 70}``.
        postgresql_tablespace: where they lie.
        if_not_exists: as ``op.create_table`` has it; not needed: one that is there is compared.
        dialect_kw: keywords of other databases, which are passed over.

    Raises:
        DeclarationError: a key without the control column, an unknown interval or time zone, ...
        PlanError: the table is there in another shape, or rights are missing.
    """

def add_enum_value_concurrently(
    enum_name: str, value: str, *, schema: str | None = None, before: str | None = None, after: str | None = None
) -> None:
    """Add a value to an enum and commit, so that it can be used at once; one that is there already is left.

    Locks: the type against other changes of it, for an instant, under the lock budget; no table. There is no way
    back: PostgreSQL drops no value of an enum.

    Args:
        enum_name: the enum.
        value: the value, of 63 bytes at most.
        schema: the enum's schema; by schema_translate_map or search_path where it is left out.
        before: the value that it comes right before.
        after: the value that it comes right after; with neither it comes last.

    Raises:
        DeclarationError: both before and after, or a value that is too long.
        PlanError: no such enum or neighbour, or the value is there on the other side of it.
        LockNotAvailable: somebody else was changing the type through every try.
    """

def ignore_health_finding(
    code: str, table_name: str | None = None, object_name: str | None = None, *, reason: str, schema: str | None = None
) -> None:
    """Leave a finding of ``schema_kit health`` out from now on, and say why in ``schema_kit.health_ignored``.

    ::

        op.ignore_health_finding("index_unused", "orders", "orders_note_idx", reason="for the yearly audit")

    The words are those of ``schema_kit health --format json``; ``--ignored`` shows what is left out. A reason that
    is there is replaced. Joins the migration's transaction; locks nothing but the row. The way back is
    ``heed_health_finding``.

    Args:
        code: the finding's code: ``index_unused``.
        table_name: its table, of partitions the one above all of them; None: the server.
        object_name: its index, constraint, trigger, slot, ...; None: the table itself.
        reason: why it is left out, for people.
        schema: the table's; by schema_translate_map or search_path where it is left out.

    Raises:
        DeclarationError: no finding has that code, or the reason is empty.
    """

def heed_health_finding(
    code: str, table_name: str | None = None, object_name: str | None = None, *, schema: str | None = None
) -> None:
    """Tell of a finding again that ``ignore_health_finding`` has left out. Nothing to do where it is not.

    With the last one health_ignored goes as well. Joins the migration's transaction; locks nothing but the row, or
    health_ignored. The way back is ``ignore_health_finding``.

    Args:
        code: the finding's code.
        table_name: its table, whether it is there or not; None: the server.
        object_name: its index, constraint, trigger, slot, ...; None: the table itself.
        schema: the table's; by schema_translate_map or search_path where it is left out.

    Raises:
        DeclarationError: no finding has that code.
    """

def create_index_concurrently(
    index_name: str | None,
    table_name: str,
    columns: Sequence[str | sa.TextClause | sa.ColumnElement[Any]],
    *,
    schema: str | None = None,
    unique: bool = False,
    if_not_exists: bool | None = None,
    postgresql_using: str = "btree",
    postgresql_where: str | sa.TextClause | sa.ColumnElement[Any] | None = None,
    postgresql_ops: Mapping[str, str] | None = None,
    postgresql_include: Sequence[str | sa.ColumnElement[Any]] | None = None,
    postgresql_with: Mapping[str, Any] | None = None,
    postgresql_tablespace: str | None = None,
    postgresql_nulls_not_distinct: bool = False,
    postgresql_concurrently: bool | None = None,
    **dialect_kw: Any,
) -> None:
    """Create an index without stopping reads or writes; an INVALID leftover of that name is replaced.

    The keywords are those of ``op.create_index``. An index that is there with the same definition is left as it
    is. On a partitioned table each partition's index is built concurrently and attached; the parent's becomes
    valid with the last one. Locks: SHARE UPDATE EXCLUSIVE on each table while its index is built; on a partitioned
    parent SHARE for an instant, under the lock budget. A unique index that finds keys more than once names them.

    Args:
        index_name: the index; None leaves it to the naming convention of target_metadata.
        table_name: its table.
        columns: column names, or ``sa.text("created_at DESC")`` and other expressions, which get the parentheses
            that PostgreSQL wants.
        schema: the table's schema; by schema_translate_map or search_path where it is left out.
        unique: whether keys may occur once only.
        if_not_exists: taken for Alembic's sake; it is always so.
        postgresql_using: btree, gin, gist, brin, hash or another access method.
        postgresql_where: the predicate of a partial index.
        postgresql_ops: operator classes by column (or by the label of an expression); found wherever their
            extension lives. Parameters may follow: ``gist_trgm_ops(siglen=32)``.
        postgresql_include: columns stored beside the key.
        postgresql_with: storage parameters.
        postgresql_tablespace: where it is stored; an index that is there is not moved.
        postgresql_nulls_not_distinct: whether NULLs equal each other in a unique index (15+).
        postgresql_concurrently: as ``op.create_index`` has it; not needed, since it is always so.
        dialect_kw: keywords of other databases, which are passed over.

    Raises:
        DeclarationError: a string for the list of columns, or a keyword that there is not.
        PlanError: no such table or operator class; an index of that name with another definition; a database whose
            LC_CTYPE gives trigrams of ASCII text only.
        ExecutionError: PostgreSQL refused it.
    """

def replace_index_concurrently(
    index_name: str | None,
    table_name: str,
    columns: Sequence[str | sa.TextClause | sa.ColumnElement[Any]],
    *,
    schema: str | None = None,
    unique: bool = False,
    postgresql_using: str = "btree",
    postgresql_where: str | sa.TextClause | sa.ColumnElement[Any] | None = None,
    postgresql_ops: Mapping[str, str] | None = None,
    postgresql_include: Sequence[str | sa.ColumnElement[Any]] | None = None,
    postgresql_with: Mapping[str, Any] | None = None,
    postgresql_tablespace: str | None = None,
    postgresql_nulls_not_distinct: bool = False,
    postgresql_concurrently: bool | None = None,
    **dialect_kw: Any,
) -> None:
    """Build an index again under another definition, without a moment in which there is none.

    The new one is built beside the old one as ``<name>__replacement``; then both change names in one commit, and
    the old one, now ``<name>__replaced``, is dropped. The comment goes over to the new one. Stopped anywhere and
    run again, it goes on. Where the index has the declared definition, nothing is done; where there is no index of
    that name, or only an INVALID one, it is created.

    Locks: those of ``create_index_concurrently`` while it is built; SHARE UPDATE EXCLUSIVE on the indexes alone
    while they change names, which nobody notices; SHARE UPDATE EXCLUSIVE on the table while the old one goes. The
    old index of a partitioned table has no concurrent way: ACCESS EXCLUSIVE on the parent and each partition, for
    an instant, under the lock budget.

    Args:
        index_name: the index; None leaves it to the naming convention of target_metadata.
        table_name: its table.
        columns: column names, or ``sa.text("created_at DESC")`` and other expressions.
        schema: the table's schema; by schema_translate_map or search_path where it is left out.
        unique: whether keys may occur once only.
        postgresql_using: btree, gin, gist, brin, hash or another access method.
        postgresql_where: the predicate of a partial index.
        postgresql_ops: operator classes by column.
        postgresql_include: columns stored beside the key.
        postgresql_with: storage parameters.
        postgresql_tablespace: where it is stored; another tablespace alone is no other definition.
        postgresql_nulls_not_distinct: whether NULLs equal each other in a unique index (15+).
        postgresql_concurrently: as ``op.create_index`` has it; not needed, since it is always so.
        dialect_kw: keywords of other databases, which are passed over.

    Raises:
        DeclarationError: a string for a list of columns, or a keyword that there is not.
        PlanError: no such table or operator class; a constraint, a foreign key or the replica identity rests on
            the index; it is the part of a partitioned one; another index has one of the two names that are needed.
        ExecutionError: PostgreSQL refused it; the old index still serves.
    """

def drop_index_concurrently(
    index_name: str,
    table_name: str | None = None,
    *,
    schema: str | None = None,
    if_exists: bool | None = None,
    postgresql_concurrently: bool | None = None,
    **dialect_kw: Any,
) -> None:
    """Drop an index without stopping reads or writes; one that is gone already is no error.

    Locks: SHARE UPDATE EXCLUSIVE on the table. The index of a partitioned table has no concurrent way in
    PostgreSQL: ACCESS EXCLUSIVE on the parent and each partition, for an instant, under the lock budget.

    Args:
        index_name: the index.
        table_name: its table; it may be left out.
        schema: the schema of both; by schema_translate_map or search_path where it is left out.
        if_exists: taken for Alembic's sake; it is always so.
        postgresql_concurrently: the same.
        dialect_kw: keywords of other databases, which are passed over.

    Raises:
        DeclarationError: a keyword that there is not.
        PlanError: a constraint, a foreign key or the replica identity rests on the index; it is the part of a
            partitioned one; it belongs to another table.
    """

def reindex_concurrently(
    index_name: str | None = None, table_name: str | None = None, *, schema: str | None = None
) -> None:
    """Build an index again without stopping reads or writes: one that is bloated, INVALID or of an older collation.

    With a table and no index, all indexes of the table and of its TOAST table; an index of an exclusion constraint
    is passed over with a warning of PostgreSQL's. INVALID leftovers of an earlier try (``_ccnew``, ``_ccold``) are
    dropped first. What is partitioned is done partition by partition: PostgreSQL itself would first take SHARE on
    all of them, behind whoever writes.

    A reindex leaves nothing behind that could be observed: interrupted and run again, all of it is built again.
    Locks: SHARE UPDATE EXCLUSIVE on each table while its indexes are built. With ``--sql``, the statement alone.

    Args:
        index_name: the index; None for all indexes of the table.
        table_name: the table; it may be left out where an index is named.
        schema: the schema of both; by schema_translate_map or search_path where it is left out.

    Raises:
        DeclarationError: neither an index nor a table is named.
        PlanError: there is no such index or table; an index carries an exclusion constraint.
        ExecutionError: PostgreSQL refused it.
    """

def create_part_config() -> None:
    """Make ``schema_kit.part_config``, where policies live, if it is missing. Joins the migration's transaction."""

def drop_part_config() -> None:
    """Drop ``schema_kit.part_config``, once it holds no policy. Joins the migration's transaction.

    What remembers copies that are finished and partitions that were retired goes along, unless a copy is under way
    or a retired partition is there still.

    Raises:
        PlanError: it holds policies.
    """

def convert_to_partitioned(
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
    max_replica_lag: float | None = 30.0,
    max_slot_bytes: int | None = 17179869184,
) -> None:
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

def unpartition(table_name: str, *, schema: str | None = None, keep_primary_key: bool = False) -> None:
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
        table_name: the table.
        schema: its schema; by schema_translate_map or search_path where it is left out.
        keep_primary_key: whether the primary key keeps the control column, which was in it before the table was
            partitioned; foreign keys to it then come back as they are.

    Raises:
        PlanError: something depends on it that cannot move with it; it is named.
    """

def install_partman_sql(*, schema: str = "partman") -> None:
    """Install pg_partman's functions in SQL, or bring them up to date: its calls, without the extension.

    What ``schema_kit sql apply`` does, in a migration: create_parent, run_maintenance and the others of
    pg_partman 5.1, views part_config and part_config_sub, over the policies in ``schema_kit.part_config``. Run
    again, it replaces what is older or was changed by hand; policies stay. Joins the migration's transaction.

    Locks: ACCESS EXCLUSIVE on part_config, part_config_sub and the two views for an instant, where they are
    changed; nothing on tables of yours.

    Args:
        schema: where the functions live; it is created where it is missing.

    Raises:
        DeclarationError: a schema of PostgreSQL's, or schema_kit's own.
        PlanError: the extension pg_partman lives there, or functions that schema_kit has not made.
        LockNotAvailable: the locks were not to be had; who holds them is named.
    """

def remove_partman_sql(*, schema: str = "partman") -> None:
    """Remove pg_partman's functions in SQL; policies, partitions and templates stay. The way back of install.

    The schema goes, too, where nothing else is in it. Nothing that uses them is taken along: where a view or a
    function of yours does, PostgreSQL refuses. Joins the migration's transaction.

    Locks: ACCESS EXCLUSIVE on the two views for an instant.

    Args:
        schema: where the functions live.

    Raises:
        DeclarationError: a schema of PostgreSQL's, or schema_kit's own.
        ExecutionError: something else depends on them.
        LockNotAvailable: the locks were not to be had; who holds them is named.
    """

def set_partition_policy(
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
) -> None:
    """Register how a partitioned table is kept in ``schema_kit.part_config``, or change that.

    Only what is given changes; a first registration needs `control` and `interval`. What is there has to agree:
    no partition may lie across a window from the current one on. Past partitions of other widths stay as they
    are. Joins the migration's transaction; locks nothing but the policy's row. The way back is
    ``drop_partition_policy``, or the same with the values of before.

    Args:
        table_name: the table, partitioned by RANGE; or by LIST or HASH into tables that are, each of them a set.
        schema: its schema; by schema_translate_map or search_path where it is left out.
        control: the column that decides.
        interval: the width of a partition: ``1 month``, ``7 days``, ``15 minutes``; of plain numbers how many.
        timezone: an IANA name, whose wall clock partitions follow; UTC at first.
        premake: how many partitions are kept ahead of the current one; 4 at first.
        origin: where some partition begins, on that clock or among the ids; an empty text takes it back.
        encoding: how a column that is no date or time holds a moment: ``seconds``, ``milliseconds``, ``uuidv7``,
            ``ulid``, ``snowflake``, ...; an empty text takes it back.
        inherit_privileges: whether new partitions get the grants of their parent.
        retention: how far behind the present a partition has to end for ``partitions retire`` to take it out:
            ``18 months``, or so many ids; an empty text takes it back.
        retention_keep_table: whether it stays as a table of its own; true at first.
        retention_schema: the schema that it moves to instead; an empty text takes it back.
        retention_grace: how long one that is not kept is out before it is dropped; ``7 days`` at first.
        detach: ``auto`` at first, or ``concurrently`` or ``blocking`` and nothing else.

    Raises:
        DeclarationError: an unknown interval or time zone, premake below 1, or a grace period that is none.
        PlanError: not partitioned by that column, one that may be NULL, partitions across the windows, or a
            retention shorter than a partition.
    """

def drop_partition_policy(table_name: str, *, schema: str | None = None) -> None:
    """Forget a set's policy; its table and partitions stay. Nothing to do where there is none.

    Joins the migration's transaction; locks nothing but the policy's row. The way back is
    ``set_partition_policy``.

    Args:
        table_name: the table, whether it is there or not.
        schema: its schema; by schema_translate_map or search_path where it is left out.
    """

def drop_retention(table_name: str, *, schema: str | None = None) -> None:
    """Forget a set's retention, and put back the partitions that it has retired and that are not dropped yet.

    The way back of ``set_partition_policy(retention=...)``: nothing is retired or dropped any more from the first
    commit on, then each partition that ``schema_kit.retired_partition`` names as retired by the policy comes back,
    wherever it lies by now. Locks: as ``attach_partition_concurrently``. Run again, it goes on.

    Args:
        table_name: the partitioned table.
        schema: its schema; by schema_translate_map or search_path where it is left out.

    Raises:
        PlanError: a partition cannot come back: its range was taken meanwhile, or its shape differs. Nothing was
            changed.
        LockNotAvailable: the locks were not to be had; who holds them is named.
    """

def create_next_partitions(table_name: str, *, schema: str | None = None, until: str | None = None) -> None:
    """Make the current partition and the premade ones ahead of it, where they are missing.

    What ``schema_kit partitions create-next`` does, in a migration. Each partition is a commit of its own under
    SHARE UPDATE EXCLUSIVE on the table, beside its writers; see the command.

    Args:
        table_name: a table with a policy in part_config.
        schema: its schema; by schema_translate_map or search_path where it is left out.
        until: make all that are missing from the present to there, instead of the policy's premake:
            ``2027-12-31``, or an id.

    Raises:
        DeclarationError: *until* cannot be read.
        PlanError: no policy, or partitions that do not agree with it.
        LockNotAvailable: the locks were not to be had; who holds them is named.
    """

def detach_partition_concurrently(
    table_name: str, partition_name: str, *, schema: str | None = None, partition_schema: str | None = None
) -> None:
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
        table_name: the partitioned table.
        partition_name: the partition; one that is detached already stays so.
        schema: the table's schema; by schema_translate_map or search_path where it is left out.
        partition_schema: the partition's; the table's where it is left out.

    Raises:
        PlanError: no such table, a partition of another table, or rows refer to it; the foreign key is named.
        LockNotAvailable: the locks were not to be had; who holds them is named.
    """

def drop_partition_concurrently(
    table_name: str, partition_name: str, *, schema: str | None = None, partition_schema: str | None = None
) -> None:
    """Drop a partition with its rows, and never lock the parent for it: it is detached first.

    Locks: as detach_partition_concurrently; then ACCESS EXCLUSIVE on the table, which nobody uses any more, and on
    those that its foreign keys refer to, for an instant, under the lock budget. There is no way back.

    Args:
        table_name: the partitioned table.
        partition_name: the partition, or a table that schema_kit has detached from it; one that is gone is fine.
        schema: the table's schema; by schema_translate_map or search_path where it is left out.
        partition_schema: the partition's; the table's where it is left out.

    Raises:
        PlanError: a table that never was its partition, something depends on it, or rows refer to it; they are
            named.
        LockNotAvailable: the locks were not to be had; who holds them is named.
    """

def attach_partition_concurrently(
    table_name: str,
    partition_name: str,
    from_: str | int | date | None,
    to: str | int | date | None,
    *,
    schema: str | None = None,
    partition_schema: str | None = None,
) -> None:
    """Make a table that is there a partition; nothing is scanned or built while others wait.

    First it gets what it lacks of the parent's: NOT NULLs, checks and foreign keys (for new rows, then proved
    beside writers), indexes (concurrently), and a check that proves its bounds, which goes when it is attached; a
    table that was detached concurrently brings that along. Locks: SHARE UPDATE EXCLUSIVE on the parent, whose
    readers and writers go on; ACCESS EXCLUSIVE on the table, the default partition and the tables that its foreign
    keys refer to, SHARE ROW EXCLUSIVE on those that refer to the parent, each for an instant, under the lock
    budget.

    The way back is ``op.detach_partition_concurrently``.

    Args:
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

def set_ttl_policy(
    table_name: str,
    column: str,
    *,
    schema: str | None = None,
    age: str | None = None,
    timezone: str = "UTC",
    encoding: str = "",
    tree: Tree | None = None,
    archive_first: bool = False,
    batch_size: int = 1000,
    target_seconds: float = 0.5,
    max_replica_lag: float | None = 10.0,
    max_dead_share: float | None = 0.2,
) -> None:
    """Say in ``schema_kit.ttl_policy`` when rows of a table expire; ``schema_kit ttl run`` removes them then.

    Rows whose column is NULL never expire. What refers to an expired row goes before it, whether it has expired
    itself or not: `tree` names the tables, each with those that hang on it::

        op.set_ttl_policy(
            "sessions", "expires_at", tree={"conversations": {"messages": {"citations": {}}}}
        )

    Where no tree is given, the foreign keys that say ON DELETE CASCADE are it, as they are when the rows are
    removed. A foreign key that says SET NULL or SET DEFAULT needs no mention: its rows stay.

    What is there has to agree: an index on the column and on the columns of each foreign key, and no foreign key
    left whose rows would be in the way. A policy that is there is replaced as a whole. Joins the migration's
    transaction; locks nothing but the policy's row. The way back is ``drop_ttl_policy``, or the same with the
    values of before.

    Args:
        table_name: the table; a partitioned one is looked after as a whole.
        column: the column that says when a row expires; with `age`, from when on it ages. A date expires when
            its day begins.
        schema: its schema; by schema_translate_map or search_path where it is left out.
        age: how old a row becomes: ``90 days``, ``18 months``.
        timezone: an IANA name, by whose wall clock ages are counted and columns without a zone are read.
        encoding: how a column that is no date or time holds a moment: ``seconds``, ``milliseconds``, ``uuidv7``,
            ``ulid``, ``snowflake``, ...
        tree: the tables whose rows go along; names without a schema are of the schema of what they hang on.
        archive_first: rows move to their tables' archives instead of being deleted; each table of the tree needs
            one then, by op.set_archive_policy.
        batch_size: rows of the first batch, from 1 to 100000; the next ones become smaller or larger, from 10 to
            100000, by a factor of 2 at most.
        target_seconds: how long a batch should take.
        max_replica_lag: pause while a physical replica is more seconds than that behind; None: never.
        max_dead_share: pause while more than this share of a table's rows (0 to 1) is dead and a vacuum of it is
            running; None: never.

    Raises:
        DeclarationError: a number out of its range, an age or time zone that cannot be read, a tree that is none.
        PlanError: no such table or column, an index that is missing, a column that holds no moments, a table that
            refers to one whose rows go and is not in the tree, or rights that are missing.
    """

def drop_ttl_policy(table_name: str, *, schema: str | None = None) -> None:
    """Forget when rows of a table expire; the rows stay. Nothing to do where there is no policy.

    With the last policy ttl_policy goes as well. Joins the migration's transaction; locks nothing but the policy's
    row, or ttl_policy. The way back is ``set_ttl_policy``.

    Args:
        table_name: the table, whether it is there or not.
        schema: its schema; by schema_translate_map or search_path where it is left out.
    """

def refresh_materialized_view_concurrently(view_name: str, *, schema: str | None = None) -> None:
    """Fill a materialized view anew while it is read; every run does it once.

    Locks: EXCLUSIVE on the view, taken under the lock budget and held for as long as its query and the comparison
    of old and new rows take: readers go on, other refreshes wait; ACCESS SHARE on what it reads from. No
    statement_timeout ends it. A view that was never filled (WITH NO DATA) is filled in the plain way, the only
    one that PostgreSQL has: ACCESS EXCLUSIVE for as long as its query takes, on a view that nobody can read yet.

    With --sql it is a plain REFRESH: such a script is for a database that was empty at base.

    Args:
        view_name: the materialized view.
        schema: its schema; by schema_translate_map or search_path where it is left out.

    Raises:
        PlanError: no such view, or no valid unique index over plain columns, without WHERE.
        LockNotAvailable: somebody held the view through every try, another refresh for instance.
        ExecutionError: its query failed, or two of the new rows are the same.
    """
