"""What users declare: operations, policies, archives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any
from zoneinfo import ZoneInfo

from schema_kit.intervals import Interval, parse
from schema_kit.model.tables import ForeignKey, Table
from schema_kit.names import QualifiedName, ident, idents


@dataclass(frozen=True, slots=True)
class IndexElement:
    """One key of an index: a column or an expression (SQL, already in the form an index requires)."""

    sql: str
    opclass: str | None = None
    """An operator class by bare name; the catalog finds its schema, so that search_path does not matter."""
    order: str = ""
    """ASC, DESC, NULLS FIRST, ...: what stands behind the operator class."""


@dataclass(frozen=True, slots=True)
class IndexDeclaration:
    """An index as an op declares it. `elements`, `include`, `where` and `with_` are SQL without the keywords."""

    name: str
    table: QualifiedName
    elements: tuple[IndexElement, ...]
    unique: bool = False
    using: str = "btree"
    include: tuple[str, ...] = ()
    nulls_not_distinct: bool = False
    with_: tuple[tuple[str, str], ...] = ()
    tablespace: str | None = None
    where: str | None = None

    def create_sql(self, name: str, on: QualifiedName, how: str = "", only: bool = False) -> str:
        """Return the CREATE INDEX statement, for one table."""
        keys = ", ".join(" ".join(filter(None, (key.sql, key.opclass, key.order))) for key in self.elements)
        parts = [
            "CREATE",
            "UNIQUE" if self.unique else "",
            "INDEX",
            how,
            ident(name),
            "ON ONLY" if only else "ON",
            on.sql,
            f"USING {ident(self.using)}",
            f"({keys})",
            f"INCLUDE ({idents(self.include)})" if self.include else "",
            "NULLS NOT DISTINCT" if self.nulls_not_distinct else "",
            f"WITH ({', '.join(f'{ident(key)} = {value}' for key, value in self.with_)})" if self.with_ else "",
            f"TABLESPACE {ident(self.tablespace)}" if self.tablespace else "",
            f"WHERE ({self.where})" if self.where else "",
        ]
        return " ".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class CheckDeclaration:
    """A check as an op declares it; `expression` is SQL."""

    name: str
    table: QualifiedName
    expression: str


@dataclass(frozen=True, slots=True)
class ForeignKeyDeclaration:
    """A foreign key as an op declares it; actions and deferral in SQL's words."""

    name: str
    table: QualifiedName
    columns: tuple[str, ...]
    referenced: QualifiedName
    referenced_columns: tuple[str, ...]
    on_update: str = "NO ACTION"
    on_delete: str = "NO ACTION"
    match: str = "SIMPLE"
    deferred: str = ""
    comment: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class KeyDeclaration:
    """A unique constraint or a primary key as an op declares it."""

    name: str
    table: QualifiedName
    columns: tuple[str, ...]
    primary: bool = False
    deferred: str = ""
    nulls_not_distinct: bool = False
    include: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ColumnDeclaration:
    """A column as an op declares it; `type` and `default` are SQL."""

    name: str
    type: str
    nullable: bool = True
    default: str | None = None
    foreign_key: ForeignKeyDeclaration | None = None
    comment: str | None = None
    virtual: bool = False
    """A virtual generated column, whose expression stands in its type."""


OURS = frozenset({"timezone", "origin", "encoding", "retention_grace", "detach"})
"""The columns of part_config that pg_partman has not."""
KNOWN = OURS | {"maintenance_last_run"}
"""The columns of part_config that came later than the table, or that no policy holds."""


@dataclass(frozen=True, slots=True)
class Partitioning:
    """A policy: how a table is partitioned and kept. One row of part_config, in pg_partman's words.

    Args:
        parent: the partitioned table.
        control: the column that decides.
        interval: the width of a partition: ``1 month``, ``7 days``, ``15 minutes``; of plain numbers, how many ids.
        timezone: an IANA name; partitions follow its wall clock.
        premake: how many partitions are kept ahead of the current one.
        origin: where some partition begins, on that clock or among the ids; see intervals.parse.
        encoding: how a control column that is not a date or timestamp holds a moment; see keys.key_for.
        inherit_privileges: whether new partitions get the grants of their parent, which has no row security then.
        retention: how far behind the current position a partition must end to be retired: ``18 months``, or a number
            of ids.
        retention_keep_table: whether a retired partition stays, as a table of its own.
        retention_schema: the schema that retired partitions move to, which keeps them whatever else is said.
        retention_grace: how long one that is not kept is out of its set before it is dropped: ``7 days``, ``0``.
        detach: ``auto``, ``concurrently`` or ``blocking``.
        template: pg_partman's template, whose keys and indexes new partitions get in addition to the parent's.
    """

    parent: QualifiedName
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
    template: str | None = field(default=None, compare=False)

    @classmethod
    def kept(cls) -> tuple[str, ...]:
        """Return the fields that are columns of part_config under the same name, whatever interval and key are."""
        names = [one.name for one in fields(cls)]
        return tuple(names[names.index("inherit_privileges") : names.index("template")])

    @property
    def cut(self) -> Interval:
        """Return the interval by the policy's own wall clock, to be printed; plans compute with the Grid's."""
        return parse(self.interval, self.timezone, self.origin)

    @property
    def zone(self) -> ZoneInfo:
        """The time zone, ready to compute with."""
        parse("1 day", self.timezone)  # says what is wrong with it
        return ZoneInfo(self.timezone)


@dataclass(frozen=True, slots=True)
class ArchivePolicy:
    """Which rows of a table go to an archive, and when. One row of archive_policy.

    Args:
        table: the table.
        archive: where its rows go.
        archive_after: how far behind the current position they must be: ``90 days``, or a number of ids.
        way: ``partition``, whole ones; or ``rows``, in batches.
        control: by rows, the column that the age is counted from.
        condition: by rows, SQL over the table's columns.
        archived_at: by rows, the archive's column that takes the moment.
        tree: by rows, the tables that go along, as JSON.
        restored: by rows, conditions of those that were taken back from the archive and stay.
        max_rows: by partition, the oldest ones go as well while the table has more rows than that.
        access_method: by partition, the table access method of what has come to the archive; None: as it came.
        cold_after: by partition, how far behind the current position they have to be to go on to the cold server.
    """

    table: QualifiedName
    archive: QualifiedName
    archive_after: str | None
    way: str
    control: str | None = None
    condition: str | None = None
    archived_at: str | None = None
    tree: str | None = None
    restored: tuple[str, ...] = field(default=(), compare=False)
    max_rows: int | None = None
    access_method: str | None = None
    cold_after: str | None = None
    beside_cold: bool = field(default=False, compare=False)
    """There are cold archives in this database, of this table or of others."""

    @property
    def parent(self) -> QualifiedName:
        """The table that is looked after, in the words of the other commands."""
        return self.table

    @property
    def when(self) -> str:
        """When something goes, for people."""
        size = "" if self.max_rows is None else f", or above {self.max_rows:,} rows"
        further = "" if self.cold_after is None else f", on to the cold server after {self.cold_after}"
        return f"after {self.archive_after or self.condition}{size}{further}"


@dataclass(frozen=True, slots=True)
class Cut:
    """How a table is partitioned by the values of a column, as an op declares it: see by_hash and by_list."""

    column: str
    strategy: str
    """HASH or LIST."""
    parts: tuple[tuple[str, str], ...]
    """What each part adds to the name, and FOR VALUES ... or DEFAULT."""


@dataclass(frozen=True, slots=True)
class BaselineTable:
    """A table as a baseline declares it: what makes it, and what it is compared by."""

    table: Table
    create: tuple[str, ...]
    later: tuple[tuple[ForeignKey, str], ...] = ()
    """Foreign keys to tables that are made after it, and the statements that add them."""


@dataclass(frozen=True, slots=True)
class BaselineObject:
    """A type or a sequence that a baseline's tables need.

    Args:
        name: its name.
        kind: enum, domain or sequence.
        definition: what follows the name where it is created.
        labels: of an enum, its values in their order.
    """

    name: QualifiedName
    kind: str
    definition: str
    labels: tuple[str, ...] = ()

    @property
    def word(self) -> str:
        """What SQL calls it."""
        return "TYPE" if self.kind == "enum" else self.kind.upper()

    def create_sql(self, name: QualifiedName) -> str:
        """One such object, under that name."""
        return f"CREATE {self.word} {name.sql} {self.definition}".rstrip()


Tree = Mapping[str, Any]
"""The tables whose rows go along, by name, each with those that reference it: a mapping of the same kind."""


@dataclass(frozen=True, slots=True)
class TimeToLive:
    """A policy: when rows of a table expire, and what goes with them. One row of ttl_policy.

    Args:
        table: the table.
        column: the column that says when a row expires, or with `age` from when on it ages.
        age: how old a row becomes: ``90 days``; None where the column itself says when it expires.
        timezone: an IANA name, by whose wall clock ages are counted.
        encoding: how a column that is not a date or timestamp holds a moment; see keys.key_for.
        tree: the tables whose rows go along; None for those whose foreign keys say ON DELETE CASCADE.
        archive_first: whether rows move to their tables' archives instead of being deleted.
        batch_size: rows of the first batch.
        target_seconds: how long a batch should take.
        max_replica_lag: seconds that a replica may lag behind before batches pause; None: never.
        max_dead_share: the share of dead rows at which batches pause while vacuum is at work; None: never.
    """

    table: QualifiedName
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

    @property
    def parent(self) -> QualifiedName:
        """The table that is looked after, in the words of the other commands."""
        return self.table


@dataclass(frozen=True, slots=True)
class DeclaredArchive:
    """An archive as an op declares it.

    Args:
        table: the table whose rows it takes.
        archive: the archive.
        control: what it is partitioned by, where the table itself is not.
        interval: the width of its partitions, where it is another than the table's.
        indexes: whether it gets the table's indexes, or the names of those that it gets.
        archived_at: whether it has one more column, for the moment.
        tablespace: where its partitions lie that are made, and not brought.
        compression: pglz or lz4, for rows that are written into it.
        view: a view over both.
    """

    table: QualifiedName
    archive: QualifiedName
    control: str | None = None
    interval: str | None = None
    indexes: bool | tuple[str, ...] = True
    archived_at: bool = False
    tablespace: str | None = None
    compression: str | None = None
    view: QualifiedName | None = None
