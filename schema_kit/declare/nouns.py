"""What a model says of its table, in the words of the operations that make it true."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields, replace
from typing import Any

from schema_kit.model import ArchivePolicy, Cut, DeclaredArchive, Partitioning, TimeToLive, Tree
from schema_kit.names import QualifiedName, archive_name
from schema_kit.steps.archives import ARCHIVED_AT


def given(noun: Any, *names: str) -> dict[str, Any]:
    """Return what differs from the default, by name: the keywords of an operation.

    Args:
        noun: a dataclass.
        names: those of its fields that are asked for; all where none is named.
    """
    asked = [one for one in fields(noun) if not names or one.name in names]
    return {one.name: getattr(noun, one.name) for one in asked if getattr(noun, one.name) != one.default}


@dataclass(frozen=True)
class Partitioned:
    """See `schema_kit.declare.partitioned`."""

    control: str
    interval: str
    timezone: str = "UTC"
    premake: int = 4
    origin: str | None = None
    encoding: str = ""
    inherit_privileges: bool = False
    retention: str | None = None
    retention_keep_table: bool = True
    retention_schema: str | None = None
    retention_grace: str = "7 days"
    detach: str = "auto"
    default_partition: bool = False
    partition_by: Cut | None = None
    sub_partitions: Cut | None = None

    def policy(self, table: QualifiedName) -> Partitioning:
        """Return its row of part_config.

        Raises:
            DeclarationError: an interval or time zone that cannot be read.
        """
        own = {one.name for one in fields(Partitioning)}
        policy = Partitioning(table, **{name: value for name, value in vars(self).items() if name in own})
        return replace(policy, interval=policy.cut.text)

    @property
    def key(self) -> tuple[str, str]:
        """The strategy and the column by which the table itself is partitioned: ``RANGE``, ``created_at``."""
        return (self.partition_by.strategy, self.partition_by.column) if self.partition_by else ("RANGE", self.control)


@dataclass(frozen=True)
class Archived:
    """See `schema_kit.declare.archived`."""

    archive_after: str | None = None
    archive_table_name: str | None = None
    archive_schema: str | None = None
    condition: str | None = None
    way: str = "partition"
    control: str | None = None
    interval: str | None = None
    indexes: bool | tuple[str, ...] = True
    archived_at: bool = False
    tree: Tree | None = None
    tablespace: str | None = None
    compression: str | None = None
    view: str | None = None
    max_rows: int | None = None
    access_method: str | None = None

    def archive(self, table: QualifiedName) -> QualifiedName:
        """Return what its archive is called."""
        return archive_name(table, self.archive_table_name, self.archive_schema)

    def declared(self, table: QualifiedName) -> DeclaredArchive:
        """Return the archive, to be made."""
        return DeclaredArchive(
            table,
            self.archive(table),
            self.control if self.interval else None,
            self.interval,
            self.indexes,
            self.archived_at,
            self.tablespace,
            self.compression,
            QualifiedName.parse(self.view, table.schema) if self.view else None,
        )

    def policy(self, table: QualifiedName) -> ArchivePolicy:
        """Return its row of archive_policy."""
        return ArchivePolicy(
            table,
            self.archive(table),
            self.archive_after,
            self.way,
            self.control,
            self.condition,
            ARCHIVED_AT if self.archived_at else None,
            None if self.tree is None else json.dumps(self.tree, sort_keys=True),
            max_rows=self.max_rows,
            access_method=self.access_method,
        )


@dataclass(frozen=True)
class Expiring:
    """See `schema_kit.declare.expiring`."""

    column: str
    age: str | None = None
    timezone: str = "UTC"
    encoding: str = ""
    tree: Tree | None = None
    archive_first: bool = False
    batch_size: int = 1000
    target_seconds: float = 0.5
    max_replica_lag: float | None = 10.0
    max_dead_share: float | None = 0.2

    def policy(self, table: QualifiedName) -> TimeToLive:
        """Return its row of ttl_policy."""
        return TimeToLive(table, **vars(self))
