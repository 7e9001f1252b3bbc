"""What models declare of their tables besides columns: partitions, an archive, rows that expire.

Each function makes an item of ``__table_args__`` or of ``sa.Table(...)``. ``create_all()`` honours it, and autogenerate
compares it with the database::

    class Event(Base):
        __tablename__ = "events"
        __table_args__ = (partitioned("at", "1 month", retention="18 months"), archived("90 days"))
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy import event

from schema_kit.declare.check import check
from schema_kit.declare.nouns import Archived, Expiring, Partitioned
from schema_kit.errors import DeclarationError
from schema_kit.model import Cut, Tree
from schema_kit.names import ident
from schema_kit.plans.cuts import by_hash, by_list

__all__ = ["archived", "by_hash", "by_list", "complete", "expiring", "partitioned"]

INFO = "schema_kit"
"""Under this name `Table.info` has what was declared, and `MetaData.info` whether that is all."""

Noun = Archived | Expiring | Partitioned
Kind = TypeVar("Kind", Archived, Expiring, Partitioned)


def partitioned(
    control: str,
    interval: str,
    *,
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
) -> sa.schema.SchemaItem:
    """Declare that a table is partitioned by range.

    The primary key and every unique constraint contain the control column, which is NOT NULL. ``create_all()`` creates
    the current and the next partitions and registers the policy.

    Args:
        control: the partition key, by its name in the database.
        interval: the width of a partition: ``1 month``, ``7 days``, ``15 minutes``; for plain integers a number.
        timezone: an IANA name. Partition bounds follow the wall clock of this time zone.
        premake: number of partitions that are kept ahead of the current one.
        origin: a moment, or an id, at which some partition begins.
        encoding: how a column that holds neither a date nor a time encodes a moment; see
            ``op.create_partitioned_table``.
        inherit_privileges: whether new partitions get the grants of their parent.
        retention: how far before the current position a partition must end for ``partitions retire`` to detach it:
            ``18 months``, or a number of ids; None keeps all partitions.
        retention_keep_table: whether a detached partition is kept as a table.
        retention_schema: the schema that detached partitions move to.
        retention_grace: how long a detached partition is kept before it is dropped, if it is not kept for good.
        detach: ``auto``, or only ``concurrently``, or only ``blocking``.
        default_partition: whether the table is created with a default partition. Not compared afterwards.
        partition_by: ``by_list(...)`` or ``by_hash(...)``: partition the table that way first, and each part by range.
        sub_partitions: the same for each range partition. Not compared once the table exists.

    Raises:
        DeclarationError: the table lacks the control column, a key lacks it, or a value is invalid.

    Example:
        class Event(Base):
            __tablename__ = "events"
            __table_args__ = (partitioned("at", "1 month"),)
    """
    return _Item(
        Partitioned(
            control,
            interval,
            timezone,
            premake,
            origin,
            encoding,
            inherit_privileges,
            retention,
            retention_keep_table,
            retention_schema,
            retention_grace,
            detach,
            default_partition,
            partition_by,
            sub_partitions,
        )
    )


def archived(
    archive_after: str | None = None,
    *,
    archive_table_name: str | None = None,
    archive_schema: str | None = None,
    condition: str | None = None,
    way: str = "partition",
    control: str | None = None,
    interval: str | None = None,
    indexes: bool | Sequence[str] = True,
    archived_at: bool = False,
    tree: Tree | None = None,
    tablespace: str | None = None,
    compression: str | None = None,
    view: str | None = None,
    max_rows: int | None = None,
    access_method: str | None = None,
) -> sa.schema.SchemaItem:
    """Declare that old rows of a table go to an archive, which needs no model of its own.

    Args:
        archive_after: how far before the current position a partition must end, or how old a row must be: ``90 days``;
            for plain integers a number of ids.
        archive_table_name: the archive; by default the table's name and ``_archive``.
        archive_schema: the archive's schema; by default the table's.
        condition: row-wise, an SQL condition over the table's columns that must hold as well.
        way: ``partition``: whole partitions, without copying a row; or ``rows``: row-wise, in batches.
        control: row-wise, the column from which the age is counted.
        interval: row-wise, the width of the archive's partitions, by *control*; if left out, the archive of a plain
            table is plain.
        indexes: True for all indexes of the table, or the names of those that the archive gets.
        archived_at: row-wise, whether the archive has a column ``archived_at`` that records when a row arrived.
        tree: row-wise, the referencing tables whose rows are archived first, nested.
        tablespace: the tablespace of partitions that are created in the archive.
        compression: ``pglz`` or ``lz4``, for values that are written into the archive.
        view: the name of a view over both.
        max_rows: by partition, the oldest ones go as well while the table has more rows than that.
        access_method: by partition, the table access method of what has come to the archive; None: as it came.

    Raises:
        DeclarationError: a duration or *way* is invalid, nothing says what is archived, or a column does not exist.

    Example:
        archived("90 days", view="all_events")
    """
    return _Item(
        Archived(
            archive_after,
            archive_table_name,
            archive_schema,
            condition,
            way,
            control,
            interval,
            indexes if isinstance(indexes, bool) else tuple(indexes),
            archived_at,
            tree,
            tablespace,
            compression,
            view,
            max_rows,
            access_method,
        )
    )


def expiring(
    column: str,
    *,
    age: str | None = None,
    timezone: str = "UTC",
    encoding: str = "",
    tree: Tree | None = None,
    archive_first: bool = False,
    batch_size: int = 1000,
    target_seconds: float = 0.5,
    max_replica_lag: float | None = 10.0,
    max_dead_share: float | None = 0.2,
) -> sa.schema.SchemaItem:
    """Declare that rows of a table expire: ``schema_kit ttl run`` deletes them. The column needs an index.

    Args:
        column: the column that holds the moment at which a row expires; with *age*, from which it ages.
        age: the age at which a row expires: ``90 days``, ``18 months``.
        timezone: an IANA name, by whose wall clock ages are counted.
        encoding: how a column that holds neither a date nor a time encodes a moment; see
            ``op.create_partitioned_table``.
        tree: the referencing tables whose rows are deleted as well, nested; if left out, foreign keys with ON DELETE
            CASCADE define it.
        archive_first: whether rows move to their tables' archives instead of being deleted.
        batch_size: rows of the first batch, from 1 to 100000.
        target_seconds: seconds that a batch should take.
        max_replica_lag: seconds. Batches pause while a physical replica lags further behind; None: never.
        max_dead_share: share of dead rows, 0 to 1, above which batches pause while a vacuum is running; None: never.

    Raises:
        DeclarationError: a number is out of its range, an age, time zone or tree is invalid, or the table lacks the
            column.

    Example:
        expiring("created_at", age="18 months")
    """
    return _Item(
        Expiring(
            column,
            age,
            timezone,
            encoding,
            tree,
            archive_first,
            batch_size,
            target_seconds,
            max_replica_lag,
            max_dead_share,
        )
    )


def complete(metadata: sa.MetaData) -> None:
    """Say that these models declare all policies of their tables, so that autogenerate drops the others.

    Without it, a policy that only the database has is kept: it may have been set by a migration or a command.

    Args:
        metadata: that of the models.

    Example:
        complete(Base.metadata)
    """
    metadata.info[INFO] = True


def declared(table: sa.Table, kind: type[Kind]) -> Kind | None:
    """Return what a model says of its table, of one kind."""
    found: Kind | None = table.info.get(INFO, {}).get(kind.__name__)
    return found


class _Item(sa.schema.SchemaItem):
    """A declaration in transit to the table."""

    __visit_name__ = "schema_kit_declaration"

    def __init__(self, noun: Noun) -> None:
        self.noun = noun

    def _set_parent(self, parent: Any, **_: Any) -> None:
        name, there = type(self.noun).__name__, parent.info.get(INFO, {})
        if name in there:
            raise DeclarationError(f"{parent.name} is declared {name.lower()} twice.")
        parent.info = {**parent.info, INFO: {**there, name: self.noun}}
        if isinstance(self.noun, Partitioned):
            strategy, column = self.noun.key
            key, own = f"{strategy} ({ident(column)})", parent.dialect_options["postgresql"]["partition_by"]
            if own and own != key:
                raise DeclarationError(f"{parent.name} has postgresql_partition_by={own!r} too; declare it once.")
            parent.dialect_kwargs["postgresql_partition_by"] = key
        if not there:
            event.listen(parent, "after_parent_attach", _check)


def _check(table: sa.Table, _: sa.MetaData) -> None:
    check(table, declared(table, Partitioned), declared(table, Archived), declared(table, Expiring))


def _ours(table: sa.Table, connection: sa.Connection) -> bool:
    return INFO in table.info and connection.dialect.name == "postgresql"


@event.listens_for(sa.Table, "after_create")
def _table_created(
    table: sa.Table, connection: sa.Connection, *, _is_metadata_operation: bool = True, **_: Any
) -> None:  # without it by Alembic, whose revisions say what becomes of the table
    if _ours(table, connection):
        from schema_kit.declare import create

        create.partitions(table, connection, declared(table, Partitioned))
        if not _is_metadata_operation:
            create.policies(table, connection, declared(table, Archived), declared(table, Expiring))


@event.listens_for(sa.MetaData, "after_create")
def _all_created(_: sa.MetaData, connection: sa.Connection, *, tables: Sequence[sa.Table], **__: Any) -> None:
    for table in [one for one in tables if _ours(one, connection)]:
        from schema_kit.declare import create

        create.policies(table, connection, declared(table, Archived), declared(table, Expiring))


@event.listens_for(sa.Table, "before_drop")
def _table_dropped(table: sa.Table, connection: sa.Connection, **_: Any) -> None:
    if _ours(table, connection):
        from schema_kit.declare import create

        create.forget(table, connection, declared(table, Archived))
