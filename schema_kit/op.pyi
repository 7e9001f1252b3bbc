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
    """Partition by the hash of a column; for *partition_by* or *sub_partitions*.

    Args:
        column: the partition key.
        modulus: number of partitions, 2 to 1000.

    Raises:
        DeclarationError: the modulus is out of its range.

    Example:
        op.by_hash("customer_id", 8)
    """

def by_list(column: str, parts: Mapping[str, Sequence[Any]], *, default: bool = False) -> Cut:
    """Partition by the values of a column; for *partition_by* or *sub_partitions*.

    Args:
        column: the partition key.
        parts: the values of each partition (texts, integers, or None for NULL), by the suffix of its name.
        default: whether to create a default partition for all other values.

    Raises:
        DeclarationError: no partition is given, a partition has no value, or two partitions have the same value.

    Example:
        op.by_list("region", {"eu": ["ES", "FR"], "us": ["US"]}, default=True)
    """

def lock_policy(
    *,
    longest: str | int = ...,
    first: str | int = ...,
    statement_timeout: str | int = ...,
    attempts: int = ...,
    look_first: bool = ...,
) -> AbstractContextManager[None]:
    """Change the lock policy for the operations in this block.

    Args:
        changes: *longest*, *first*, *statement_timeout* (``"2s"`` or milliseconds), *attempts*, *look_first*.

    Raises:
        DeclarationError: a name is unknown, or a duration is invalid.

    Example:
        with op.lock_policy(longest="500ms", look_first=True):
            op.drop_table_concurrently("carts")
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
    """Create an empty archive of a table: the same columns, checks, indexes, grants and row security.

    The archive of a partitioned table is partitioned by the same column; ``schema_kit archive run`` detaches
    partitions from the table and attaches them to the archive without copying a row. Partitions keep their foreign
    keys. The archive has neither foreign keys, so that referenced tables are not locked, nor an identity. It runs
    in the migration's transaction. The reverse is ``drop_archive_table``.

    Locks: ACCESS SHARE on the table, while it is read.

    Args:
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

def drop_archive_table(
    table_name: str,
    archive_table_name: str | None = None,
    *,
    schema: str | None = None,
    archive_schema: str | None = None,
    view: str | None = None,
) -> None:
    """Drop an archive that holds no rows; an archive that does not exist is not an error.

    ``restore_archive_table`` empties an archive. With the last archive and policy, archive_policy and
    archived_partition are dropped as well. It runs in the migration's transaction.

    Locks: ACCESS EXCLUSIVE on the archive, its partitions, the tables that these reference and the view, until the
    migration commits. Under the lock it is checked that the archive is empty.

    Args:
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
    max_rows: int | None = None,
    access_method: str | None = None,
    cold_after: str | None = None,
    **former: Any,
) -> None:
    """Register in ``schema_kit.archive_policy`` what ``schema_kit archive run`` archives, and when.

    A second call replaces the policy. It runs in the migration's transaction. The reverse is
    ``drop_archive_policy``, or a call with the former values.

    Locks: the policy's row.

    Args:
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

def drop_archive_policy(table_name: str, *, schema: str | None = None) -> None:
    """Delete the archive policy of a table; the archive and its rows are kept.

    A table without a policy is not an error. With the last policy, archive_policy and archived_partition are
    dropped, unless the latter lists partitions. It runs in the migration's transaction. The reverse is
    ``set_archive_policy``.

    Locks: the policy's row, or the two tables that are dropped.

    Args:
        table_name: the table; it need not exist.
        schema: the table's schema. If left out, ``schema_translate_map`` and then ``search_path`` decide.

    Raises:
        PlanError: the role lacks a privilege; the error has the GRANT to run.

    Example:
        op.drop_archive_policy("visits")

    See Also:
        https://www.postgresql.org/docs/current/sql-delete.html
    """

def restore_archive_table(
    table_name: str,
    archive_table_name: str | None = None,
    *,
    schema: str | None = None,
    archive_schema: str | None = None,
) -> None:
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

def create_extension(name: str) -> None:
    """Install an extension if it is missing, and record that in ``schema_kit.created_object``.

    It runs in the migration's transaction. The reverse is ``drop_extension``.

    Locks: none on existing tables.

    Args:
        name: the extension.

    Raises:
        ExecutionError: PostgreSQL refused it, for example because its files are not on the server.

    Example:
        op.create_extension("pg_trgm")

    See Also:
        https://www.postgresql.org/docs/current/sql-createextension.html
    """

def drop_extension(name: str) -> None:
    """Drop an extension that ``create_extension`` installed; keep an extension that existed before.

    It runs in the migration's transaction.

    Locks: none on existing tables.

    Args:
        name: the extension.

    Raises:
        ExecutionError: an object depends on the extension.

    Example:
        op.drop_extension("pg_trgm")

    See Also:
        https://www.postgresql.org/docs/current/sql-dropextension.html
    """

def create_baseline(metadata: sa.MetaData) -> None:
    """Create each table of *metadata* that is missing; compare, and keep, each table that exists.

    Enums, domains, sequences and comments are created as well: domains with their checks, before the domains and
    columns that need them, sequences before the defaults that call them. Composite types and ranges of your own must
    exist, for SQLAlchemy has no words for them. Foreign keys in a circle are added once both tables exist. What exists
    is compared as PostgreSQL prints it. The reverse is ``drop_baseline``.

    Locks: SHARE ROW EXCLUSIVE on a table that a new foreign key references, briefly, within the lock budget.

    Args:
        metadata: the tables, written out in the revision, so that the revision keeps its meaning.

    Raises:
        DeclarationError: a table is partitioned; ``create_partitioned_table`` creates those.
        PlanError: a table, a type or a sequence exists with another definition, and the error names each difference; or
            the type of a column does not exist.

    Example:
        op.create_baseline(metadata)

    See Also:
        https://www.postgresql.org/docs/current/sql-createtable.html
    """

def drop_baseline(metadata: sa.MetaData) -> None:
    """Drop what ``create_baseline`` created, if all of its tables are empty; keep what existed before.

    Locks: ACCESS EXCLUSIVE on the dropped tables, which are empty, and on the tables that their foreign keys
    reference.

    Args:
        metadata: the same tables.

    Raises:
        PlanError: a table that it created holds rows; nothing was dropped.

    Example:
        op.drop_baseline(metadata)

    See Also:
        https://www.postgresql.org/docs/current/sql-droptable.html
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
    """Update the rows of a live table in the order of its primary key, one batch per commit.

    Each row is updated once, even after an interruption: the statement that updates a batch also writes the
    position to ``schema_kit.batch_progress``, and the next run resumes there. A finished update is not repeated. To
    repeat it, delete its row::

        DELETE FROM schema_kit.batch_progress WHERE name = 'public.orders fill total'

    An update of a table or column that was dropped and created again since is repeated without that.

    Rows that the application inserts or changes meanwhile are not visited again. So the application must write the
    new values before the update begins, and no transaction that began earlier may be open. A value that the
    application writes into a row which is still to come, including an explicit NULL, is overwritten unless *where*
    excludes the row.

    At the end, rows that still match *where* are looked for and updated by another pass, up to ten passes: for
    example, a row whose key changed while a batch waited for it. If rows match *where* even after their update, or
    *where* is left out, another pass runs only if a row was missed and the values are the same for all rows;
    otherwise the missed rows are counted and reported. Such a pass also overwrites values that the application has
    written meanwhile.

    It cannot be reversed, except by another update. With ``--sql`` it is one plain UPDATE: such a script is for a
    database that was empty at base.

    Locks: the rows of one batch until its commit; no table lock that others wait for. A batch waits for locked rows
    within the lock budget, then is cancelled and tries again. Between batches it pauses for replicas and for
    vacuum, a minute at most. It sees these reasons only with the rights of pg_monitor. It does not run VACUUM; dead
    rows are left to autovacuum.

    Args:
        table_name: the table; a partitioned table is updated as a whole.
        values: the new value of each column: a Python value, or SQL as ``sa.text("price * 2")`` or an expression.
        schema: the table's schema. If left out, ``schema_translate_map`` and then ``search_path`` decide.
        where: which rows: SQL, ``sa.text`` or an expression; all rows if left out. It needs no index: rows are
            found by the primary key.
        batch_size: rows of the first batch, from 1 to 100000. Later batches adapt, from 10 to 100000 rows, by a
            factor of 2 at most.
        target_seconds: seconds that a batch should take.
        name: the name of the update in ``batch_progress``; by default made from table, values and *where*.
        max_replica_lag: seconds. Batches pause while a physical replica lags further behind; None: never.
        max_dead_share: share of dead rows, 0 to 1. Batches pause while the share is higher and a vacuum of the
            table is running; None: never.

    Raises:
        DeclarationError: a number is out of its range, *values* is empty, or a value cannot be written as SQL.
        PlanError: the table or a column does not exist, the table lacks a primary key, *values* holds a column of
            the primary key, or the name belongs to another update.
        LockNotAvailable: another session held a row through every try. Earlier batches are committed.
        ExecutionError: PostgreSQL refused a batch, for example because row security would hide rows. Earlier
            batches are committed.

    Example:
        op.update_in_batches("orders", {"note": ""}, where="note IS NULL", name="orders without notes")

    See Also:
        https://www.postgresql.org/docs/current/sql-update.html
    """

def create_cold_archive(
    table_name: str,
    server: str,
    *,
    schema: str | None = None,
    archive_table_name: str | None = None,
    archive_schema: str | None = None,
    cold_table_name: str | None = None,
    remote_schema: str | None = None,
    view: str | None = None,
) -> None:
    """Create the cold archive of a table: its partitions lie on another server, reached by postgres_fdw.

    ``schema_kit archive run`` moves partitions there that are older than ``cold_after`` of the archive policy: it
    copies the rows, compares them, and swaps in one commit. The cold archive is a partitioned table of foreign
    partitions, with the columns of the archive and without keys. The server is asked whether it can take them. The
    extensions postgres_fdw and dblink, CREATE SERVER, the user mappings and TLS are the administrator's. It runs in
    the migration's transaction. The reverse is ``drop_cold_archive``.

    Locks: ACCESS SHARE on the table and the archive; ACCESS EXCLUSIVE on the view, until the migration commits.

    Args:
        table_name: the table, with an archive that is partitioned by RANGE.
        server: the foreign server.
        schema: the table's schema. If left out, ``schema_translate_map`` and then ``search_path`` decide.
        archive_table_name: the archive; by default the table's name and ``_archive``.
        archive_schema: the archive's schema; by default the table's.
        cold_table_name: the cold archive, in the archive's schema; by default the table's name and ``_cold``.
        remote_schema: the schema on the server, which exists there; by default named as the archive's.
        view: the view over table, archive and cold archive, which replaces one over the table and the archive.

    Raises:
        DeclarationError: the cold archive has the name of the table or the archive.
        PlanError: the table or archive does not exist, an extension, the server, USAGE on it or the user mapping is
            missing (the error has what the administrator runs), the server cannot be reached or sorts texts in
            another way, a column's type cannot go there, or a view over the table and the archive would lose rows.

    Example:
        op.create_cold_archive("visits", "cold", view="all_visits")

    See Also:
        https://www.postgresql.org/docs/current/postgres-fdw.html
        https://www.postgresql.org/docs/current/dblink.html
    """

def drop_cold_archive(
    table_name: str, *, schema: str | None = None, cold_table_name: str | None = None, archive_schema: str | None = None
) -> None:
    """Drop a cold archive without partitions; one that does not exist is not an error.

    ``restore_archive_table`` takes its partitions back. The view shows the table and the archive again. With the
    last one, cold_archive and cold_partition are dropped as well. It runs in the migration's transaction.

    Locks: ACCESS EXCLUSIVE on the cold archive and the view, until the migration commits.

    Args:
        table_name: the table.
        schema: the table's schema. If left out, ``schema_translate_map`` and then ``search_path`` decide.
        cold_table_name: the cold archive; by default the one that the table has.
        archive_schema: the archive's schema; by default the table's.

    Raises:
        PlanError: partitions are on the server or in transit, or a policy sends them there.
        LockNotAvailable: the locks could not be taken; the error names the sessions that hold them.

    Example:
        op.drop_cold_archive("visits")

    See Also:
        https://www.postgresql.org/docs/current/sql-droptable.html
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

    The keywords are those of ``op.add_column``. A constant default costs nothing. A volatile default
    (``gen_random_uuid()``, ``clock_timestamp()``) is set for new rows, then filled in by batches; only then the
    column becomes NOT NULL. A foreign key is part of the same statement if the column has no default, else it is
    created as by ``op.create_foreign_key_concurrently``. If a column of that name and type exists, it receives what
    is missing of the declaration.

    Locks: ACCESS EXCLUSIVE briefly, within the lock budget; SHARE ROW EXCLUSIVE on a referenced table and its
    partitions.

    Args:
        table_name: the table.
        column: the column.
        schema: the table's schema. If left out, ``schema_translate_map`` and then ``search_path`` decide.
        if_not_exists: accepted for compatibility with Alembic; always in effect.
        inline_references: accepted for compatibility with Alembic; a foreign key is part of the statement wherever
            possible.
        inline_primary_key: accepted for compatibility with Alembic; a primary key needs its own operation.

    Raises:
        DeclarationError: the column is an identity, stored generated, primary key, unique, indexed or checked
            column, has several foreign keys, or is NOT NULL without a default. The message says what to do instead.
        PlanError: the table does not exist, a column of that name has another type or default, or the type makes
            PostgreSQL rewrite the table (a domain with constraints).

    Example:
        op.add_column_concurrently(
            "orders", sa.Column("currency", sa.Text, nullable=False, server_default="EUR")
        )

    See Also:
        https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-DESC-ADD-COLUMN
        https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-NOTES
    """

def drop_column_concurrently(
    table_name: str, column_name: str, *, schema: str | None = None, if_exists: bool | None = None, **dialect_kw: Any
) -> None:
    """Drop a column, its indexes first; a column that does not exist is not an error.

    The keywords are those of ``op.drop_column``. It cannot be reversed: the values are lost. A view over a table and
    its archive (``op.create_archive_table(view=...)``) is created again without the column, in the same commit.

    Locks: SHARE UPDATE EXCLUSIVE while indexes are dropped; then ACCESS EXCLUSIVE briefly, within the lock budget,
    also on that view and on the tables that foreign keys of the column reference.

    Args:
        table_name: the table.
        column_name: its column.
        schema: the table's schema. If left out, ``schema_translate_map`` and then ``search_path`` decide.
        if_exists: accepted for compatibility with Alembic; always in effect.
        dialect_kw: keywords of other dialects; ignored.

    Raises:
        DeclarationError: a keyword is unknown.
        PlanError: the table does not exist, another view or object depends on the column, or it is part of the
            partition key.

    Example:
        op.drop_column_concurrently("orders", "note")

    See Also:
        https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-DESC-DROP-COLUMN
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
    """Change a column's type, default or NOT NULL if PostgreSQL need not rewrite the table; refuse otherwise.

    The keywords are those of ``op.alter_column``. A change of type is first tried on an empty copy of the table,
    which shows whether this version of PostgreSQL rewrites the table or an index. Changes without a rewrite are
    applied: varchar made longer or changed to text, numeric with more digits. Others are refused, and the message
    says what to do instead. A view over a table and its archive is created again in the same commit.

    Locks: ACCESS EXCLUSIVE briefly, within the lock budget; SHARE UPDATE EXCLUSIVE for ``ANALYZE``; NOT NULL as by
    ``set_not_null_concurrently``.

    Args:
        table_name: the table.
        column_name: its column.
        nullable: True drops NOT NULL, False sets it.
        server_default: the new default; None drops it, False keeps it.
        type_: the new type.
        existing_type: written by autogenerate; not needed.
        existing_server_default: the same.
        existing_nullable: the same.
        existing_comment: the same.
        existing_autoincrement: the same.
        schema: the table's schema. If left out, ``schema_translate_map`` and then ``search_path`` decide.
        postgresql_using: an expression that converts values of the old type.
        dialect_kw: keywords of other dialects; ignored.

    Raises:
        DeclarationError: the default is a FetchedValue, Identity or Computed, or a keyword is unknown.
        PlanError: the table or column does not exist, or PostgreSQL would rewrite the table.
        ExecutionError: the column becomes NOT NULL and rows have NULL.

    Example:
        op.alter_column_concurrently("orders", "note", type_=sa.Text(), server_default="")

    See Also:
        https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-DESC-SET-DATA-TYPE
    """

def drop_table_concurrently(
    table_name: str, *, schema: str | None = None, if_exists: bool | None = None, **dialect_kw: Any
) -> None:
    """Drop a table, its foreign keys first, each in its own commit.

    It cannot be reversed: the rows are lost.

    Locks: ACCESS EXCLUSIVE on the table and on one referenced table at a time, briefly, within the lock budget.

    Args:
        table_name: the table; a table that does not exist is not an error.
        schema: the table's schema. If left out, ``schema_translate_map`` and then ``search_path`` decide.
        if_exists: accepted for compatibility with Alembic; always in effect.
        dialect_kw: keywords of other dialects; ignored.

    Raises:
        DeclarationError: a keyword is unknown.
        PlanError: foreign keys of other tables reference it, a view or another object depends on it, or it is a
            partition.

    Example:
        op.drop_table_concurrently("carts")

    See Also:
        https://www.postgresql.org/docs/current/sql-droptable.html
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
    """Create a foreign key: enforced for new rows at once, then validated while writes continue.

    The keywords are those of ``op.create_foreign_key``.

    Locks: SHARE ROW EXCLUSIVE on both tables briefly, within the lock budget; then SHARE UPDATE EXCLUSIVE on the
    source table during one scan, partition by partition. Up to PostgreSQL 17, a partitioned source table also takes
    ACCESS EXCLUSIVE on the referenced table briefly.

    Args:
        constraint_name: the foreign key; None leaves it to the naming convention of target_metadata, or to
            PostgreSQL.
        source_table: the referencing table.
        referent_table: the referenced table.
        local_cols: columns of the referencing table.
        remote_cols: columns of the referenced table.
        onupdate: CASCADE, RESTRICT, SET NULL, SET DEFAULT or NO ACTION.
        ondelete: the same; from PostgreSQL 15 on also ``SET NULL (customer_id)``: some of the columns.
        deferrable: whether a transaction may defer the check.
        initially: DEFERRED or IMMEDIATE.
        match: FULL or SIMPLE.
        source_schema: the referencing table's schema. If left out, ``schema_translate_map`` and then
            ``search_path`` decide.
        referent_schema: the referenced table's schema.
        postgresql_not_valid: True leaves the existing rows unchecked; ``op.validate_constraint`` checks them later.
        dialect_kw: keywords of other dialects; ignored.

    Raises:
        DeclarationError: a list of columns is a string, or a keyword is unknown.
        PlanError: a table does not exist, or a foreign key of that name has another definition.
        ExecutionError: rows reference nothing; the error counts them and shows their values.

    Example:
        op.create_foreign_key_concurrently(
            "orders_customer_id_fkey", "orders", "customers", ["customer_id"], ["id"]
        )
        op.create_foreign_key_concurrently(
            "events_customer_id_fkey", "events", "customers", ["customer_id"], ["id"]
        )

    See Also:
        https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-DESC-ADD-TABLE-CONSTRAINT
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
    """Create a check constraint: enforced for new rows at once, then validated while writes continue.

    The keywords are those of ``op.create_check_constraint``.

    Locks: ACCESS EXCLUSIVE briefly, within the lock budget; then SHARE UPDATE EXCLUSIVE during one scan, partition
    by partition.

    Args:
        constraint_name: the check constraint; None leaves it to the naming convention of target_metadata, or to
            PostgreSQL.
        table_name: its table.
        condition: SQL text or an expression.
        schema: the table's schema. If left out, ``schema_translate_map`` and then ``search_path`` decide.
        postgresql_not_valid: True leaves the existing rows unchecked; ``op.validate_constraint`` checks them later.
        dialect_kw: keywords of other dialects; ignored.

    Raises:
        DeclarationError: a keyword is unknown.
        PlanError: the table does not exist, or a check constraint of that name has another definition.
        ExecutionError: rows violate the constraint; the error counts them.

    Example:
        op.create_check_constraint_concurrently("orders_total_check", "orders", "total >= 0")
        op.create_check_constraint_concurrently("events_kind_check", "events", "kind <> ''")

    See Also:
        https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-DESC-ADD-TABLE-CONSTRAINT
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
    """Create a unique constraint from an index that is built while writes continue.

    The keywords are those of ``op.create_unique_constraint``. On a partitioned table the parent's constraint is
    created first, invalid; then each partition's, which is attached.

    Locks: SHARE UPDATE EXCLUSIVE while the index is built; ACCESS EXCLUSIVE briefly, within the lock budget, to
    turn it into a constraint.

    Args:
        constraint_name: the constraint, and its index; None leaves it to the naming convention of target_metadata,
            or to PostgreSQL.
        table_name: its table.
        columns: its columns.
        schema: the table's schema. If left out, ``schema_translate_map`` and then ``search_path`` decide.
        deferrable: whether a transaction may defer the check.
        initially: DEFERRED or IMMEDIATE.
        postgresql_nulls_not_distinct: whether NULLs are equal (PostgreSQL 15 or later).
        postgresql_include: columns stored in addition to the key.
        dialect_kw: keywords of other dialects; ignored.

    Raises:
        DeclarationError: *columns* is a string or holds an expression, or a keyword is unknown.
        PlanError: the table does not exist, or the name is in use for something else.
        ExecutionError: rows have duplicate values; the next run replaces the INVALID index.

    Example:
        op.create_unique_constraint_concurrently("imports_source_key", "imports", ["source"])
        op.create_unique_constraint_concurrently("events_key", "events", ["id", "created_at"])

    See Also:
        https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-DESC-ADD-TABLE-CONSTRAINT
    """

def create_primary_key_concurrently(
    constraint_name: str | None,
    table_name: str,
    columns: Sequence[str | sa.ColumnElement[Any]],
    *,
    schema: str | None = None,
    postgresql_include: Sequence[str | sa.ColumnElement[Any]] | None = None,
) -> None:
    """Create a primary key from an index that is built while writes continue.

    The keywords are those of ``op.create_primary_key``. The columns become NOT NULL first.

    Locks: those of ``set_not_null_concurrently`` and ``create_unique_constraint_concurrently``.

    Args:
        constraint_name: the primary key, and its index; None leaves it to the naming convention of target_metadata,
            or to PostgreSQL.
        table_name: its table.
        columns: its columns.
        schema: the table's schema. If left out, ``schema_translate_map`` and then ``search_path`` decide.
        postgresql_include: columns stored in addition to the key.

    Raises:
        DeclarationError: *columns* is a string or holds an expression.
        PlanError: the table or a column does not exist, or the table has another primary key.
        ExecutionError: rows have NULL or duplicate values.

    Example:
        op.create_primary_key_concurrently("imports_pkey", "imports", ["id"])

    See Also:
        https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-DESC-ADD-TABLE-CONSTRAINT
    """

def validate_constraint(constraint_name: str, table_name: str, *, schema: str | None = None) -> None:
    """Validate a NOT VALID check, foreign key or NOT NULL constraint while writes continue.

    A constraint that is already validated is skipped.

    Locks: SHARE UPDATE EXCLUSIVE during one scan, partition by partition; for a foreign key, also ROW SHARE on the
    referenced table.

    Args:
        constraint_name: the constraint.
        table_name: its table.
        schema: the table's schema. If left out, ``schema_translate_map`` and then ``search_path`` decide.

    Raises:
        PlanError: the table or constraint does not exist.
        ExecutionError: rows violate the constraint; the error counts them.

    Example:
        op.validate_constraint("orders_placed_at_check", "orders")

    See Also:
        https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-DESC-VALIDATE-CONSTRAINT
    """

def set_not_null_concurrently(table_name: str, column_name: str, *, schema: str | None = None) -> None:
    """Make a column NOT NULL: enforced for new rows at once, then validated while writes continue.

    A validated check constraint ``column IS NOT NULL`` replaces the scan. The reverse is ``op.alter_column(...,
    nullable=True)``.

    Locks: ACCESS EXCLUSIVE briefly, within the lock budget, before the scan and, up to PostgreSQL 17, after it;
    SHARE UPDATE EXCLUSIVE during one scan, partition by partition.

    Args:
        table_name: the table.
        column_name: its column.
        schema: the table's schema. If left out, ``schema_translate_map`` and then ``search_path`` decide.

    Raises:
        PlanError: the table or column does not exist.
        ExecutionError: rows have NULL; the error counts them.

    Example:
        op.set_not_null_concurrently("orders", "customer_id")

    See Also:
        https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-DESC-SET-DROP-NOT-NULL
    """

def drop_constraint_concurrently(
    constraint_name: str,
    table_name: str,
    type_: str | None = None,
    *,
    schema: str | None = None,
    if_exists: bool | None = None,
) -> None:
    """Drop a check, foreign key, unique, primary key, exclusion or NOT NULL constraint within the lock budget.

    The keywords are those of ``op.drop_constraint``. A constraint that does not exist is not an error. The columns of
    a primary key stay NOT NULL.

    Locks: ACCESS EXCLUSIVE briefly, within the lock budget, on the table and its partitions; of a foreign key, also on
    the referenced table and its partitions.

    Args:
        constraint_name: the constraint.
        table_name: its table.
        type_: ``foreignkey``, ``primary``, ``unique`` or ``check``; the naming convention of target_metadata may need
            it. PostgreSQL does not.
        schema: the table's schema. If left out, ``schema_translate_map`` and then ``search_path`` decide.
        if_exists: accepted for compatibility with Alembic; always in effect.

    Raises:
        DeclarationError: *type_* is something else.
        PlanError: the table does not exist, a foreign key or a view depends on the constraint, or it is inherited.

    Example:
        op.drop_constraint_concurrently("orders_placed_at_check", "orders")

    See Also:
        https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-DESC-DROP-CONSTRAINT
    """

def drain_default_concurrently(
    table_name: str,
    *,
    schema: str | None = None,
    workers: int = 1,
    max_replica_lag: float | None = 30.0,
    max_slot_bytes: int | None = 17179869184,
) -> None:
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
    """Split a partition into the ranges of the table's policy, while it is read and written.

    The rows are copied as by ``drain_default_concurrently``. A partition that covers one range or less stays as it
    is. If the partition is unbounded on a side, so is the first or last of the new partitions.

    Locks: those of ``drain_default_concurrently``, on the partition.

    Args:
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
    """Create a table that is partitioned by range, its current and next partitions, and its policy.

    It takes columns and constraints like ``op.create_table``. It runs in the migration's transaction. On a busy
    referenced table, create the foreign key in a revision of its own with ``create_foreign_key_concurrently``. The
    reverse is ``drop_table``, which drops the partitions as well, and ``drop_partition_policy``.

    Locks: SHARE ROW EXCLUSIVE on tables that foreign keys reference, until the migration commits.

    Args:
        table_name: the table.
        columns: its columns and constraints. The primary key and every unique constraint contain the partition key.
        control: the partition key; NOT NULL.
        interval: the width of a partition: ``1 month``, ``7 days``, ``15 minutes``; for plain integers a number.
        schema: the table's schema. If left out, ``schema_translate_map`` and then ``search_path`` decide.
        timezone: an IANA name. Partition bounds follow the wall clock of this time zone.
        premake: number of partitions that are kept ahead of the current one.
        origin: a moment, or an id, at which some partition begins.
        encoding: how a column that holds neither a date nor a time encodes a moment: ``seconds``, ``milliseconds``,
            ``microseconds``, ``nanoseconds``, ``uuidv7``, ``ulid``, ``snowflake``, or ``snowflake:1420070400000``
            (the epoch in milliseconds).
        inherit_privileges: whether new partitions get the grants of their parent.
        retention: how far before the current position a partition must end for ``partitions retire`` to detach it:
            ``18 months``, or a number of ids; None keeps all partitions.
        retention_keep_table: whether a detached partition is kept as a table.
        retention_schema: the schema that detached partitions move to.
        retention_grace: how long a detached partition is kept before it is dropped, if it is not kept for good.
        detach: ``auto``, or only ``concurrently``, or only ``blocking``.
        default_partition: whether a default partition takes the rows outside of all others. It makes attaching and
            detaching more expensive, so the default is False.
        partition_by: ``op.by_list(...)`` or ``op.by_hash(...)``: partition the table that way first, and each part
            by range. One policy covers all parts.
        sub_partitions: the same for each range partition. Later partitions copy the newest.
        comment: the comment of the table.
        postgresql_with: storage parameters of the partitions: ``{"fillfactor": 70}``.
        postgresql_tablespace: the tablespace of the partitions.
        if_not_exists: accepted for compatibility with Alembic; an existing table is compared.
        dialect_kw: keywords of other dialects; ignored.

    Raises:
        DeclarationError: a key lacks the control column, or an interval, time zone or another value is invalid.
        PlanError: the table exists with another definition, or the role lacks a privilege.

    Example:
        op.create_partitioned_table(
            "logins",
            sa.Column("id", sa.BigInteger, sa.Identity()),
            sa.Column("at", sa.DateTime(timezone=True)),
            sa.PrimaryKeyConstraint("id", "at", name="logins_pkey"),
            control="at",
            interval="1 month",
            premake=1,
        )

    See Also:
        https://www.postgresql.org/docs/current/ddl-partitioning.html#DDL-PARTITIONING-DECLARATIVE
        https://www.postgresql.org/docs/current/sql-createtable.html
    """

def distribute_table_concurrently(
    table_name: str,
    column: str | None = None,
    *,
    colocate_with: str | None = None,
    shard_count: int | None = None,
    reference: bool = False,
    single_shard: bool = False,
    blocking: bool = False,
    schema: str | None = None,
) -> None:
    """Have Citus distribute a table, with its partitions, over the nodes of its cluster.

    It needs the extension citus and a connection to the coordinator. Convert, split and drain a table before it is
    distributed: Citus has no triggers on distributed tables, which a copy needs. A table that is distributed as
    declared stays as it is. The reverse is ``op.undistribute_table``.

    Locks: by a column, rows are copied while writes continue, and writes wait briefly at the end, for as long as the
    last changes take (the lock budget does not hold there, since Citus allows no transaction). With *blocking*,
    *reference* or *single_shard*, writes wait until all rows are copied.

    Args:
        table_name: the table: plain, or partitioned with its partitions.
        column: the distribution column; each unique and primary key contains it.
        colocate_with: a distributed table of the same schema: rows with one value of the two distribution columns lie
            on one node. If left out, Citus decides by type and shard count.
        shard_count: the number of shards, 1 or more; by default ``citus.shard_count``.
        reference: whether each node gets all rows, so that any table can join and reference it.
        single_shard: whether all rows lie in one shard, on one node.
        blocking: whether writes may wait while rows are copied: needed without a primary key.
        schema: the table's schema. If left out, ``schema_translate_map`` and then ``search_path`` decide.

    Raises:
        DeclarationError: not exactly one of *column*, *reference* and *single_shard*, or an invalid shard count.
        PlanError: Citus is missing, the connection is one to a worker, the table does not exist or is distributed in
            another way, a key lacks the distribution column, a foreign key would join tables that are not colocated,
            or there is a trigger. The error names every problem.
        ExecutionError: Citus refused it; the table is as it was.

    Example:
        op.distribute_table_concurrently("visits", "id")

    See Also:
        https://www.postgresql.org/docs/current/logical-replication.html
    """

def undistribute_table(table_name: str, *, schema: str | None = None) -> None:
    """Take a table that Citus distributes back to the coordinator, with its partitions.

    A table that lies there stays as it is. Drop foreign keys from and to other tables first: they would take those
    along. To reverse it, call ``op.distribute_table_concurrently``.

    Locks: ACCESS EXCLUSIVE on the table, until all rows are copied.

    Args:
        table_name: the table.
        schema: the table's schema. If left out, ``schema_translate_map`` and then ``search_path`` decide.

    Raises:
        PlanError: Citus is missing, the connection is one to a worker, the table does not exist, it is a partition,
            or a foreign key joins it to another table.
        ExecutionError: Citus refused it; the table is as it was.

    Example:
        op.undistribute_table("visits")

    See Also:
        https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-TABLES
    """

def add_enum_value_concurrently(
    enum_name: str, value: str, *, schema: str | None = None, before: str | None = None, after: str | None = None
) -> None:
    """Add a value to an enum type and commit, so that it can be used at once.

    A value that exists is kept. It cannot be reversed: PostgreSQL cannot drop a value of an enum.

    Locks: no table; the type against other changes of it, briefly, within the lock budget.

    Args:
        enum_name: the enum.
        value: the value, 63 bytes at most.
        schema: the enum's schema. If left out, ``schema_translate_map`` and then ``search_path`` decide.
        before: the value that follows the new one.
        after: the value that precedes the new one. With neither, the new value is the last.

    Raises:
        DeclarationError: both *before* and *after* are given, or the value is too long.
        PlanError: the enum or the neighbour does not exist, or the value exists on the other side of the neighbour.
        LockNotAvailable: another session was changing the type through every try.

    Example:
        op.add_enum_value_concurrently("order_state", "refunded", after="paid")

    See Also:
        https://www.postgresql.org/docs/current/sql-altertype.html
    """

def ignore_health_finding(
    code: str, table_name: str | None = None, object_name: str | None = None, *, reason: str, schema: str | None = None
) -> None:
    """Suppress a finding of ``schema_kit health``, and record the reason in ``schema_kit.health_ignored``.

    The arguments are the fields of ``schema_kit health --format json``; ``--ignored`` lists suppressed findings. A
    second call replaces the reason. It runs in the migration's transaction. The reverse is ``heed_health_finding``.

    Locks: the finding's row.

    Args:
        code: the finding's code: ``index_unused``.
        table_name: its table, for a partition the topmost parent; None: the server.
        object_name: its index, constraint, trigger, slot, ...; None: the table itself.
        reason: why it is suppressed, for people.
        schema: the table's schema. If left out, ``schema_translate_map`` and then ``search_path`` decide.

    Raises:
        DeclarationError: the code is unknown, or the reason is empty.

    Example:
        op.ignore_health_finding("index_unused", "orders", "orders_note_idx", reason="for the audit")

    See Also:
        https://www.postgresql.org/docs/current/monitoring-stats.html
    """

def heed_health_finding(
    code: str, table_name: str | None = None, object_name: str | None = None, *, schema: str | None = None
) -> None:
    """Report a finding of ``schema_kit health`` again that ``ignore_health_finding`` suppresses.

    A finding that is not suppressed is not an error. With the last one, health_ignored is dropped as well. It runs
    in the migration's transaction. The reverse is ``ignore_health_finding``.

    Locks: the finding's row, or health_ignored.

    Args:
        code: the finding's code.
        table_name: its table, which need not exist; None: the server.
        object_name: its index, constraint, trigger, slot, ...; None: the table itself.
        schema: the table's schema. If left out, ``schema_translate_map`` and then ``search_path`` decide.

    Raises:
        DeclarationError: the code is unknown.

    Example:
        op.heed_health_finding("index_unused", "orders", "orders_note_idx")

    See Also:
        https://www.postgresql.org/docs/current/monitoring-stats.html
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
    """Create an index without blocking reads or writes; an INVALID index of that name is replaced.

    The keywords are those of ``op.create_index``. An index that already has this definition is kept. On a
    partitioned table, each partition's index is built concurrently and attached; the parent's index becomes valid
    with the last one. If a unique index fails, the error names the duplicate keys.

    Locks: SHARE UPDATE EXCLUSIVE on each table while its index is built; on a partitioned parent, SHARE briefly,
    within the lock budget.

    Args:
        index_name: the index; None leaves it to the naming convention of target_metadata.
        table_name: its table.
        columns: column names, or ``sa.text("created_at DESC")`` and other expressions. Parentheses are added where
            PostgreSQL requires them.
        schema: the table's schema. If left out, ``schema_translate_map`` and then ``search_path`` decide.
        unique: whether the index is unique.
        if_not_exists: accepted for compatibility with Alembic; always in effect.
        postgresql_using: the access method: btree, gin, gist, brin, hash or another one.
        postgresql_where: the predicate of a partial index.
        postgresql_ops: operator classes by column, or by the label of an expression; they are found in any schema.
            Parameters may follow: ``gist_trgm_ops(siglen=32)``.
        postgresql_include: columns stored in addition to the key.
        postgresql_with: storage parameters.
        postgresql_tablespace: the tablespace of a new index; an existing index is not moved.
        postgresql_nulls_not_distinct: whether a unique index treats NULLs as equal (PostgreSQL 15 or later).
        postgresql_concurrently: accepted for compatibility with ``op.create_index``; always in effect.
        dialect_kw: keywords of other dialects; ignored.

    Raises:
        DeclarationError: *columns* is a string, or a keyword is unknown.
        PlanError: the table or operator class does not exist; an index of that name has another definition; or the
            LC_CTYPE of the database limits trigrams to ASCII.
        ExecutionError: PostgreSQL refused a statement.

    Example:
        op.create_index_concurrently("ix_orders_customer", "orders", ["customer_id"])
        op.create_index_concurrently("ix_events_created_at", "events", ["created_at"])

    See Also:
        https://www.postgresql.org/docs/current/sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY
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
    """Give an index another definition; queries can use an index at every moment.

    The new index is built as ``<name>__replacement``. One commit then swaps the names, and the old index, now
    ``<name>__replaced``, is dropped. The comment moves to the new index. If the index already has the definition,
    nothing is done. If it does not exist or is INVALID, it is created.

    Locks: those of ``create_index_concurrently`` during the build; SHARE UPDATE EXCLUSIVE on the two indexes while
    the names change; SHARE UPDATE EXCLUSIVE on the table while the old index is dropped. PostgreSQL cannot drop the
    index of a partitioned table concurrently: ACCESS EXCLUSIVE on the parent and each partition briefly, within the
    lock budget.

    Args:
        index_name: the index; None leaves it to the naming convention of target_metadata.
        table_name: its table.
        columns: column names, or ``sa.text("created_at DESC")`` and other expressions.
        schema: the table's schema. If left out, ``schema_translate_map`` and then ``search_path`` decide.
        unique: whether the index is unique.
        postgresql_using: the access method: btree, gin, gist, brin, hash or another one.
        postgresql_where: the predicate of a partial index.
        postgresql_ops: operator classes by column.
        postgresql_include: columns stored in addition to the key.
        postgresql_with: storage parameters.
        postgresql_tablespace: the tablespace of the new index; by default that of the old one, on each partition.
            A different tablespace alone replaces nothing.
        postgresql_nulls_not_distinct: whether a unique index treats NULLs as equal (PostgreSQL 15 or later).
        postgresql_concurrently: accepted for compatibility with ``op.create_index``; always in effect.
        dialect_kw: keywords of other dialects; ignored.

    Raises:
        DeclarationError: *columns* is a string, or a keyword is unknown.
        PlanError: the table or operator class does not exist; a constraint, a foreign key or the replica identity
            uses the index; it is part of a partitioned index; or another index has one of the two names.
        ExecutionError: PostgreSQL refused a statement; the old index is still in use.

    Example:
        op.replace_index_concurrently("ix_orders_placed_at", "orders", ["placed_at", "id"])

    See Also:
        https://www.postgresql.org/docs/current/sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY
        https://www.postgresql.org/docs/current/sql-alterindex.html
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
    """Drop an index without blocking reads or writes; an index that does not exist is not an error.

    Locks: SHARE UPDATE EXCLUSIVE on the table. PostgreSQL cannot drop the index of a partitioned table
    concurrently: ACCESS EXCLUSIVE on the parent and each partition briefly, within the lock budget.

    Args:
        index_name: the index.
        table_name: its table; optional.
        schema: the schema of both. If left out, ``schema_translate_map`` and then ``search_path`` decide.
        if_exists: accepted for compatibility with Alembic; always in effect.
        postgresql_concurrently: the same.
        dialect_kw: keywords of other dialects; ignored.

    Raises:
        DeclarationError: a keyword is unknown.
        PlanError: a constraint, a foreign key or the replica identity uses the index; it is part of a partitioned
            index; or it belongs to another table.

    Example:
        op.drop_index_concurrently("ix_orders_note", "orders")
        op.drop_index_concurrently("ix_events_kind", "events")

    See Also:
        https://www.postgresql.org/docs/current/sql-dropindex.html
    """

def reindex_concurrently(
    index_name: str | None = None, table_name: str | None = None, *, schema: str | None = None
) -> None:
    """Rebuild an index, or all indexes of a table, without blocking reads or writes.

    Use it for an index that is bloated, INVALID or built under an older collation. With a table and no index, all
    indexes of the table and of its TOAST table are rebuilt; PostgreSQL skips the index of an exclusion constraint
    with a warning. INVALID indexes that an interrupted run left (``_ccnew``, ``_ccold``) are dropped first. A
    partitioned table or index is rebuilt partition by partition: PostgreSQL's own statement would first take SHARE
    on all partitions, and wait for every writer.

    A finished reindex leaves no trace in the catalog, so every run rebuilds everything. With ``--sql`` the script
    holds the plain statement.

    Locks: SHARE UPDATE EXCLUSIVE on each table while its indexes are built.

    Args:
        index_name: the index; None for all indexes of the table.
        table_name: the table; optional if an index is named.
        schema: the schema of both. If left out, ``schema_translate_map`` and then ``search_path`` decide.

    Raises:
        DeclarationError: neither an index nor a table is named.
        PlanError: the index or table does not exist, or the index belongs to an exclusion constraint.
        ExecutionError: PostgreSQL refused a statement.

    Example:
        op.reindex_concurrently("ix_orders_placed_at", "orders")
        op.reindex_concurrently(table_name="events")

    See Also:
        https://www.postgresql.org/docs/current/sql-reindex.html#SQL-REINDEX-CONCURRENTLY
    """

def create_part_config() -> None:
    """Create ``schema_kit.part_config``, the table of partition policies, if it does not exist.

    It runs in the migration's transaction.

    Locks: none on existing tables.

    Raises:
        PlanError: the role lacks a privilege; the error has the GRANT to run.

    Example:
        op.create_part_config()

    See Also:
        https://www.postgresql.org/docs/current/sql-createtable.html
    """

def drop_part_config() -> None:
    """Drop ``schema_kit.part_config`` if it holds no policy.

    The records of finished copies and of retired partitions are dropped with it, unless a copy is in progress or a
    retired partition still exists. It runs in the migration's transaction.

    Locks: ACCESS EXCLUSIVE on ``part_config`` until the migration commits.

    Raises:
        PlanError: it holds policies.

    Example:
        op.drop_part_config()

    See Also:
        https://www.postgresql.org/docs/current/sql-droptable.html
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
    max_replica_lag: float | None = 30.0,
    max_slot_bytes: int | None = 17179869184,
) -> None:
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

def unpartition(table_name: str, *, schema: str | None = None, keep_primary_key: bool = False) -> None:
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

def install_partman_sql(*, schema: str = "partman") -> None:
    """Install or update pg_partman's functions in SQL: its calls, without the extension.

    It does in a migration what ``schema_kit sql apply`` does: create_parent, run_maintenance and the other
    functions of pg_partman 5.1, and the views part_config and part_config_sub, over the policies in
    ``schema_kit.part_config``. A second call replaces functions that are older or were changed by hand; policies
    are kept. It runs in the migration's transaction.

    Locks: ACCESS EXCLUSIVE on part_config, part_config_sub and the two views briefly, where they change; none on
    tables of yours.

    Args:
        schema: the schema of the functions; it is created if it does not exist.

    Raises:
        DeclarationError: the schema is PostgreSQL's or schema_kit's own.
        PlanError: the schema holds the extension pg_partman, or functions that schema_kit has not created.
        LockNotAvailable: the locks could not be taken; the error names the sessions that hold them.

    Example:
        op.install_partman_sql()

    See Also:
        https://www.postgresql.org/docs/current/sql-createfunction.html
    """

def remove_partman_sql(*, schema: str = "partman") -> None:
    """Drop pg_partman's functions in SQL; policies, partitions and templates are kept.

    It reverses ``install_partman_sql``. The schema is dropped if it is empty. Nothing else is dropped: if a view or
    function of yours uses a function, PostgreSQL refuses. It runs in the migration's transaction.

    Locks: ACCESS EXCLUSIVE on the two views briefly.

    Args:
        schema: the schema of the functions.

    Raises:
        DeclarationError: the schema is PostgreSQL's or schema_kit's own.
        ExecutionError: another object depends on the functions.
        LockNotAvailable: the locks could not be taken; the error names the sessions that hold them.

    Example:
        op.remove_partman_sql()

    See Also:
        https://www.postgresql.org/docs/current/sql-dropfunction.html
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
    """Register or change the policy of a partitioned table in ``schema_kit.part_config``.

    Only the given values change; the first registration needs *control* and *interval*. Existing partitions must
    match: from the current one on, no partition may cross a boundary of the policy. Older partitions of other
    widths are kept. It runs in the migration's transaction. The reverse is ``drop_partition_policy``, or a call
    with the former values.

    Locks: the policy's row.

    Args:
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

def drop_partition_policy(table_name: str, *, schema: str | None = None) -> None:
    """Delete the policy of a partitioned table; the table and its partitions are kept.

    A table without a policy is not an error. It runs in the migration's transaction. The reverse is
    ``set_partition_policy``.

    Locks: the policy's row.

    Args:
        table_name: the table; it need not exist.
        schema: the table's schema. If left out, ``schema_translate_map`` and then ``search_path`` decide.

    Raises:
        PlanError: the role lacks a privilege; the error has the GRANT to run.

    Example:
        op.drop_partition_policy("visits")

    See Also:
        https://www.postgresql.org/docs/current/ddl-partitioning.html#DDL-PARTITIONING-DECLARATIVE
    """

def drop_retention(table_name: str, *, schema: str | None = None) -> None:
    """Delete the retention of a policy, and attach the partitions that it has retired and not yet dropped.

    It reverses ``set_partition_policy(retention=...)``. The first commit deletes the retention, so nothing else is
    retired or dropped. Then each partition that ``schema_kit.retired_partition`` lists as retired by the policy is
    attached again, in whichever schema it is. If it is interrupted, run it again; it resumes where it stopped.

    Locks: those of ``attach_partition_concurrently``, for one partition after the other.

    Args:
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

def create_next_partitions(table_name: str, *, schema: str | None = None, until: str | None = None) -> None:
    """Create the current partition and those ahead of it, if they are missing.

    It does in a migration what ``schema_kit partitions create-next`` does. Each partition is created as a table and
    attached, in one commit.

    Locks: SHARE UPDATE EXCLUSIVE on the table briefly for each partition, while reads and writes continue; ACCESS
    EXCLUSIVE on a default partition; SHARE ROW EXCLUSIVE on the tables at the other end of foreign keys.

    Args:
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

def set_publish_via_partition_root(
    publication_name: str, value: bool = True, *, subscribers_copy: bool = False
) -> None:
    """Publish rows of partitions as rows of the partitioned table, whatever partitions it has.

    Published under the names of its partitions, a table stops each subscription at the first row of a partition that
    the subscriber does not have. With ``publish_via_partition_root`` the subscriber only needs the partitioned table,
    and may partition it differently or not at all. It runs in the migration's transaction. The reverse is the same
    operation with ``False``.

    Subscribers know which tables they subscribe to. After the change, they ignore the rows of these tables until they
    copy them again: ``TRUNCATE`` of the tables and ``ALTER SUBSCRIPTION ... REFRESH PUBLICATION``, on the subscriber.

    Locks: no table; the publication against other changes of it.

    Args:
        publication_name: the publication.
        value: False: under the names of the partitions, as PostgreSQL does by default.
        subscribers_copy: the subscribers copy these tables again afterwards. Without it, a publication of partitioned
            tables is refused where the database has a logical replication slot.

    Raises:
        PlanError: the publication does not exist, belongs to another role, or may be subscribed to.

    Example:
        op.set_publish_via_partition_root("sales")

    See Also:
        https://www.postgresql.org/docs/current/sql-createpublication.html
    """

def detach_partition_concurrently(
    table_name: str, partition_name: str, *, schema: str | None = None, partition_schema: str | None = None
) -> None:
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

def drop_partition_concurrently(
    table_name: str, partition_name: str, *, schema: str | None = None, partition_schema: str | None = None
) -> None:
    """Drop a partition and its rows; it is detached first, so the drop never locks the parent.

    Only a partition, or a table that schema_kit has detached from this parent, is dropped. It cannot be reversed:
    the rows are lost.

    Locks: those of ``detach_partition_concurrently``; then ACCESS EXCLUSIVE on the detached table and on the tables
    that its foreign keys reference, briefly, within the lock budget.

    Args:
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

def attach_partition_concurrently(
    table_name: str,
    partition_name: str,
    from_: str | int | date | None,
    to: str | int | date | None,
    *,
    schema: str | None = None,
    partition_schema: str | None = None,
) -> None:
    """Attach an existing table as a partition; nothing is scanned or built while others wait.

    The table first gets what it lacks of the parent: NOT NULL, checks and foreign keys (NOT VALID, then validated
    while writes continue), indexes (concurrently), and a validated check of its bounds, which is dropped once it is
    attached. A table that was detached concurrently already has that check. The reverse is
    ``op.detach_partition_concurrently``.

    Locks: SHARE UPDATE EXCLUSIVE on the parent, which allows reads and writes; ACCESS EXCLUSIVE on the table, on
    the default partition and on the tables that its foreign keys reference, and SHARE ROW EXCLUSIVE on tables that
    reference the parent, each briefly, within the lock budget.

    Args:
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
    """Register in ``schema_kit.ttl_policy`` when rows of a table expire; ``schema_kit ttl run`` deletes them.

    A row whose column is NULL never expires. Rows that reference an expired row are deleted before it, whether they
    have expired or not; *tree* names their tables, nested::

        op.set_ttl_policy("sessions", "expires_at", tree={"conversations": {"messages": {"citations": {}}}})

    If *tree* is left out, the foreign keys with ON DELETE CASCADE define it at the time of deletion. A foreign key
    with SET NULL or SET DEFAULT needs no entry: its rows stay.

    The column and the columns of each foreign key need an index, and no other foreign key may block the deletion. A
    second call replaces the policy as a whole. It runs in the migration's transaction. The reverse is
    ``drop_ttl_policy``, or a call with the former values.

    Locks: the policy's row.

    Args:
        table_name: the table; a partitioned table as a whole.
        column: the column that holds the moment at which a row expires; with *age*, the moment from which it ages.
            A date expires when its day begins.
        schema: the table's schema. If left out, ``schema_translate_map`` and then ``search_path`` decide.
        age: the age at which a row expires: ``90 days``, ``18 months``.
        timezone: an IANA name. Ages are counted, and columns without a zone are read, on the wall clock of this
            time zone.
        encoding: how a column that holds neither a date nor a time encodes a moment; see
            ``op.create_partitioned_table``.
        tree: the referencing tables whose rows are deleted as well; a name without a schema is in the schema of the
            table that it references.
        archive_first: whether rows move to their tables' archives instead of being deleted; each table of the tree
            then needs an archive, by ``op.set_archive_policy``.
        batch_size: rows of the first batch, from 1 to 100000. Later batches adapt, from 10 to 100000 rows, by a
            factor of 2 at most.
        target_seconds: seconds that a batch should take.
        max_replica_lag: seconds. Batches pause while a physical replica lags further behind; None: never.
        max_dead_share: share of dead rows, 0 to 1. Batches pause while the share is higher and a vacuum of a table
            is running; None: never.

    Raises:
        DeclarationError: a number is out of its range, or an age, time zone or tree is invalid.
        PlanError: the table or column does not exist, an index is missing, the column holds no moments, a table
            that references deleted rows is not in the tree, or the role lacks a privilege.

    Example:
        op.set_ttl_policy("orders", "placed_at", age="18 months")

    See Also:
        https://www.postgresql.org/docs/current/sql-delete.html
        https://www.postgresql.org/docs/current/ddl-constraints.html#DDL-CONSTRAINTS-FK
    """

def drop_ttl_policy(table_name: str, *, schema: str | None = None) -> None:
    """Delete the time-to-live policy of a table; the rows are kept.

    A table without a policy is not an error. With the last policy, ttl_policy is dropped as well. It runs in the
    migration's transaction. The reverse is ``set_ttl_policy``.

    Locks: the policy's row, or ttl_policy.

    Args:
        table_name: the table; it need not exist.
        schema: the table's schema. If left out, ``schema_translate_map`` and then ``search_path`` decide.

    Raises:
        PlanError: the role lacks a privilege; the error has the GRANT to run.

    Example:
        op.drop_ttl_policy("orders")

    See Also:
        https://www.postgresql.org/docs/current/sql-delete.html
    """

def refresh_materialized_view_concurrently(view_name: str, *, schema: str | None = None) -> None:
    """Refresh a materialized view while it is read.

    Every run refreshes it once. A view that was never filled (WITH NO DATA) is filled by a plain REFRESH, as
    PostgreSQL requires; its ACCESS EXCLUSIVE lock blocks no query, because the view cannot be read yet. With
    ``--sql`` it is a plain REFRESH: such a script is for a database that was empty at base.

    Locks: EXCLUSIVE on the view, taken within the lock budget and held while its query runs and old and new rows
    are compared: readers continue, other refreshes wait; ACCESS SHARE on the tables that it reads. No
    statement_timeout applies.

    Args:
        view_name: the materialized view.
        schema: the view's schema. If left out, ``schema_translate_map`` and then ``search_path`` decide.

    Raises:
        PlanError: the view does not exist, or it lacks a valid unique index over plain columns without WHERE.
        LockNotAvailable: another session held the view through every try, for example another refresh.
        ExecutionError: its query failed, or two of the new rows are equal.

    Example:
        op.refresh_materialized_view_concurrently("sales")

    See Also:
        https://www.postgresql.org/docs/current/sql-refreshmaterializedview.html
    """
