"""The nouns: what users declare, and what PostgreSQL has. Frozen, comparable, without behaviour that needs a server."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from schema_kit.intervals import Interval, Point, parse
from schema_kit.names import QualifiedName

# What users declare


@dataclass(frozen=True, slots=True)
class IndexElement:
    """One key of an index: a column or an expression (SQL, already in the form an index wants)."""

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


@dataclass(frozen=True, slots=True)
class KeyDeclaration:
    """A unique constraint or a primary key as an op declares it."""

    name: str
    table: QualifiedName
    columns: tuple[str, ...]
    primary: bool = False
    deferred: str = ""
    nulls_not_distinct: bool = False


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


@dataclass(frozen=True, slots=True)
class Partitioning:
    """A policy: how a set is cut and kept. One row of part_config, in pg_partman's words.

    Args:
        parent: the partitioned table.
        control: the column that decides.
        interval: the width of a partition: ``1 month``, ``7 days``, ``15 minutes``; of plain numbers, how many ids.
        timezone: an IANA name; partitions follow its wall clock.
        premake: how many partitions are kept ahead of the current one.
        origin: where some partition begins, on that clock or among the ids; see intervals.parse.
        encoding: how a control column that is no date or time holds a moment; see keys.key_for.
        inherit_privileges: whether new partitions get the grants of their parent, which has no row security then.
        retention: how far behind the present a partition has to end to be retired: ``18 months``, or so many ids.
        retention_keep_table: whether a retired partition stays, as a table of its own.
        retention_schema: the schema that retired partitions move to, which keeps them whatever else is said.
        retention_grace: how long one that is not kept is out of its set before it is dropped: ``7 days``, ``0``.
        detach: ``auto``, ``concurrently`` or ``blocking``.
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

    @property
    def cut(self) -> Interval:
        """The interval by the policy's own wall clock: good to be printed; plans compute with a Grid's."""
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
        archive_after: how far behind the present they have to be: ``90 days``, or so many ids.
        way: ``partition``, whole ones; or ``rows``, in batches.
        control: by rows, the column that the age is counted from.
        condition: by rows, SQL over the table's columns.
        archived_at: by rows, the archive's column that takes the moment.
        tree: by rows, the tables that go along, as JSON.
        destination: where files go, if to files.
        compression: theirs.
    """

    table: QualifiedName
    archive: QualifiedName
    archive_after: str | None
    way: str
    control: str | None = None
    condition: str | None = None
    archived_at: str | None = None
    tree: str | None = None
    destination: str | None = None
    compression: str | None = None

    @property
    def parent(self) -> QualifiedName:
        """The table that is looked after, in the words of the other commands."""
        return self.table


@dataclass(frozen=True, slots=True)
class Told:
    """What another tool has written down about a set."""

    policy: Partitioning
    who: str
    """Where that stands, for people."""
    config: QualifiedName | None = None
    """pg_partman's table, where it is that."""
    maintained: bool = False
    """pg_partman's maintenance is on for it."""
    other_names: bool = False
    """It reads dates from names of another form than ours, and fails at ours: pg_partman 4 does."""


@dataclass(frozen=True, slots=True)
class Cut:
    """How a table is cut by the values of a column, as an op declares it: see by_hash and by_list."""

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


# What PostgreSQL has


@dataclass(frozen=True, slots=True)
class Column:
    """A column; `type` as format_type prints it."""

    name: str
    type: str
    not_null: bool = False
    default: str | None = None
    identity: str = ""
    """'a' always, 'd' by default, '' none: pg_attribute.attidentity."""
    generated: bool = False


@dataclass(frozen=True, slots=True)
class Sequence:
    """A sequence that a column owns."""

    name: QualifiedName
    column: str
    identity: bool
    options: str
    """As CREATE SEQUENCE takes them."""
    comment: str | None = None
    grants: tuple[tuple[str, str], ...] = ()
    """What stands before ON, and what stands after TO."""


@dataclass(frozen=True, slots=True)
class Index:
    """An index; `tail` is its definition after ON table USING, as pg_get_indexdef prints it."""

    name: str
    tail: str
    columns: tuple[str, ...] = ()
    unique: bool = False
    primary: bool = False
    valid: bool = True
    constraint: str | None = None
    """pg_get_constraintdef, where a primary key, unique or exclusion constraint rests on it."""
    exclusion: bool = False
    building: bool = False
    """Another session is building it right now."""
    parent: QualifiedName | None = None
    """The partitioned index that it is attached to."""
    comment: str | None = None
    needed_by: tuple[str, ...] = ()
    """What rests on it without being its constraint: foreign keys to a bare unique index, the replica identity."""


ACTIONS = {"a": "NO ACTION", "r": "RESTRICT", "c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT"}
"""What pg_constraint's letters for the actions of a foreign key say in SQL."""


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """A foreign key; actions in pg_constraint's letters: see ACTIONS."""

    name: str
    table: QualifiedName
    columns: tuple[str, ...]
    referenced: QualifiedName
    referenced_columns: tuple[str, ...]
    definition: str
    on_update: str = "a"
    on_delete: str = "a"
    match: str = "s"
    validated: bool = True
    deferred: str = ""
    """DEFERRABLE [INITIALLY DEFERRED], where it is."""
    operators: tuple[str, ...] = ("pg_catalog",)
    """The schemas of the operators = that compare its columns, in their order."""
    attached: bool = False
    """A partition's part of its parent's."""


@dataclass(frozen=True, slots=True)
class Trigger:
    """A trigger of a user; `enabled` in pg_trigger's letters (O origin, A always, R replica, D disabled)."""

    name: str
    definition: str
    enabled: str = "O"
    source: str = ""
    """The text of its function."""
    before_row: bool = False


@dataclass(frozen=True, slots=True)
class View:
    """A view, with its options and its definition, all names in it qualified."""

    name: QualifiedName
    owner: str
    definition: str
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Range:
    """A half-open range of points; None where it has no end."""

    lower: Point | None
    upper: Point | None

    def overlaps(self, other: Range) -> bool:
        """Whether some moment lies in both."""
        return bool(self.upper is None or other.lower is None or other.lower < self.upper) and bool(
            other.upper is None or self.lower is None or self.lower < other.upper
        )

    def covers(self, other: Range) -> bool:
        """Whether every moment of *other* lies in this one."""
        above = self.lower is None or (other.lower is not None and self.lower <= other.lower)
        return bool(above and (self.upper is None or (other.upper is not None and other.upper <= self.upper)))


@dataclass(frozen=True, slots=True)
class Partition:
    """A partition, known by its bounds: the text of them as PostgreSQL prints it under UTC and ISO."""

    name: QualifiedName
    lower: str | None
    """None is MINVALUE."""
    upper: str | None
    """None is MAXVALUE."""
    default: bool = False
    leaf: bool = True
    detach_pending: bool = False
    """Its concurrent detach was interrupted, and waits for FINALIZE."""
    rows: int = field(default=0, compare=False)
    """The planner's estimate; -1 where nobody has analyzed yet. Like the size, it makes no other partition of it."""
    bytes: int = field(default=0, compare=False)
    parts: int = field(default=0, compare=False)
    """How many leaves it is partitioned into itself."""
    tablespace: str | None = field(default=None, compare=False)
    """Where it lies, if not in the database's own."""


@dataclass(frozen=True, slots=True)
class Branch:
    """How a partition is partitioned itself, if it is, and into what: the newest one is the example for the next."""

    suffix: str = ""
    """What its name adds to that of what it is a partition of."""
    values: str = ""
    """FOR VALUES ... or DEFAULT, where it is a partition of a partition."""
    key: str = ""
    """HASH (tenant), LIST (region), ...; empty for a leaf."""
    options: tuple[str, ...] = ()
    """Storage parameters, which only leaves have."""
    branches: tuple[Branch, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """A table, or a partitioned table, and all that belongs to it."""

    name: QualifiedName
    columns: tuple[Column, ...]
    partitioned_by: tuple[str, ...] = ()
    """The key's columns where the table is partitioned by RANGE; empty on a plain table."""
    partition_strategy: str = ""
    """r, l, h, or '' on a plain table."""
    primary_key: tuple[str, ...] = ()
    indexes: tuple[Index, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    incoming: tuple[ForeignKey, ...] = ()
    checks: tuple[tuple[str, str, bool], ...] = ()
    """Name, definition, validated."""
    triggers: tuple[Trigger, ...] = ()
    sequences: tuple[Sequence, ...] = ()
    partitions: tuple[Partition, ...] = ()
    views: tuple[View, ...] = ()
    policies: tuple[tuple[str, str], ...] = ()
    """Name, and what follows CREATE POLICY name ON table."""
    row_security: bool = False
    force_row_security: bool = False
    grants: tuple[tuple[str, str], ...] = ()
    """What stands before ON, and what stands after TO."""
    default_grantees: tuple[str, ...] = ()
    """Whom ALTER DEFAULT PRIVILEGES grants something on each new table of its schema, or PUBLIC."""
    default_sequence_grantees: tuple[str, ...] = ()
    """The same of each new sequence."""
    owner: str | None = None
    """None: whoever runs this."""
    comment: str | None = None
    comments: tuple[tuple[str, str, str], ...] = ()
    """Of its constraints, triggers and policies: CONSTRAINT, TRIGGER or POLICY, the name, the text."""
    statistics: tuple[tuple[str, int], ...] = ()
    """Columns with a statistics target of their own."""
    trees: tuple[tuple[QualifiedName, ...], ...] = ()
    """The tables at the other end of its foreign keys, either way, each with the partitions that are locked with it."""
    options: tuple[str, ...] = ()
    """Storage parameters; of a partitioned table, those of its newest partition."""
    tablespace: str | None = None
    replica_identity: str = ""
    """FULL, NOTHING, or the name of an index, where it is not the default; of a partitioned table, the newest's."""
    branch: Branch | None = None
    """The newest partition, where it is partitioned itself."""
    is_partition: bool = False
    analyzed: bool = True
    obstacles: tuple[str, ...] = ()
    """What depends on the table or its row type and cannot move with it, in PostgreSQL's own words."""

    def column(self, name: str) -> Column | None:
        """The column of that name."""
        return next((column for column in self.columns if column.name == name), None)

    def index(self, name: str) -> Index | None:
        """The index of that name."""
        return next((index for index in self.indexes if index.name == name), None)

    def with_partitions(self, names: Iterable[QualifiedName]) -> tuple[QualifiedName, ...]:
        """Tables at the other end of its foreign keys, with their partitions."""
        trees = {tree[0]: tree for tree in self.trees}
        return tuple(dict.fromkeys(table for name in sorted(set(names)) for table in trees.get(name, (name,))))

    @property
    def primary(self) -> Index | None:
        """The primary key's index."""
        return next((index for index in self.indexes if index.primary), None)


@dataclass(frozen=True, slots=True)
class Drift:
    """Something that a partition has otherwise than what it is a partition of, or that does not hold yet."""

    kind: str
    """index missing, invalid, not whole or leftover; constraint missing or not valid; trigger, not null, default,
    generated."""
    table: QualifiedName
    """The table that lacks it."""
    object: str
    """Its name: on *parent*, where there is one, else on *table*."""
    parent: QualifiedName | None = None
    """What *table* is a partition of and should have it from."""
    detail: str = ""
    """Of an index that is missing what follows USING, of an INVALID one its own name; of a trigger the letters of
    pg_trigger.tgenabled above and here; of a column the expression above."""


@dataclass(frozen=True, slots=True)
class DefaultRows:
    """What a default partition holds."""

    filled: bool | None
    """None: whoever looks may not see that."""
    windows: tuple[Range, ...] = ()
    """Some of the windows of its rows, from the earliest on: as many as could be told cheaply."""
    more: bool = False
    """Whether its rows may be of other windows, too."""
    estimate: int = -1
    """Rows, as the planner has it."""


@dataclass(frozen=True, slots=True)
class Watched:
    """A set, as a look at many of them sees it."""

    policy: Partitioning
    registered: QualifiedName
    """What part_config names: the set, or the LIST or HASH parent whose partition it is."""
    table: Table | None = None
    here: Point | None = None
    """Where the present lies; None where whoever looks may not see that."""
    default: DefaultRows | None = None
    drift: tuple[Drift, ...] = ()
    retired: tuple[Retired, ...] = ()
    """What was retired from it."""
    archive: ArchivePolicy | None = None
    """What goes from it to an archive."""
    now: datetime | None = None
    """The server's clock."""
    unseen: tuple[str, ...] = ()
    """What could not be looked at, and why."""


@dataclass(frozen=True, slots=True)
class Check:
    """A check, or from 18 on a NOT NULL constraint: `definition` without NOT VALID."""

    name: str
    definition: str
    validated: bool
    columns: tuple[str, ...] = ()
    not_null: bool = False


@dataclass(frozen=True, slots=True)
class Relation:
    """A table of a partition tree, with its indexes and constraints: what work beside traffic has to know of it."""

    name: QualifiedName
    indexes: tuple[Index, ...] = ()
    parent: QualifiedName | None = None
    partitioned: bool = False
    columns: tuple[Column, ...] = ()
    checks: tuple[Check, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    key: tuple[str, ...] = ()
    """The columns of its own partition key; (expression) for what is none."""
    imagined: bool = False
    """Nobody has looked (--sql): whatever is asked for is taken to be there."""

    def column(self, name: str) -> Column | None:
        """The column of that name."""
        if self.imagined:
            return Column(name, "")
        return next((column for column in self.columns if column.name == name), None)

    def check(self, name: str) -> Check | None:
        """The check, or from 18 on the NOT NULL constraint, of that name."""
        return next((check for check in self.checks if check.name == name), None)

    def index(self, name: str) -> Index | None:
        """The index of that name."""
        return next((index for index in self.indexes if index.name == name), None)


@dataclass(frozen=True, slots=True)
class Referring:
    """A table that refers to one that is being converted, as the composite way needs to see it."""

    key: ForeignKey
    """The foreign key by id alone before the swap; afterwards the longer one."""
    column: str
    """The key column that it gets."""
    has_column: bool = False
    provisional: str | None = None
    """The longer foreign key before the swap, where it is there."""
    fill_index: Index | None = None
    unfilled: bool = False
    """Rows with an id and no key are left."""
    partitioned: bool = False
    update_triggers: tuple[str, ...] = ()
    """Triggers of a user that filling the key column would fire."""
    may_create: bool = True
    """Whether whoever runs this may make the trigger's function in the table's schema."""


@dataclass(frozen=True, slots=True)
class Conversion:
    """What is observed of a table that shall be converted, or has been."""

    table: Table
    now: datetime
    built: Table | None = None
    """The parent that is being built beside it."""
    latest: Point | None = None
    """The greatest key."""
    beyond: int = 0
    """Rows farther in the future than premake reaches."""
    keyless: int = 0
    """Rows whose key is NULL."""
    referring: tuple[Referring, ...] = ()
    obstacles: tuple[str, ...] = ()
    """What the table has and a partitioned one cannot, and what whoever runs this may not do."""
    statements: tuple[str, ...] = ()
    """What rests on its primary key as it is, and will not on a longer one; as far as it can be found."""
    registered: Partitioning | None = None
    has_config: bool = False
    server_version: int = 180000


@dataclass(frozen=True, slots=True)
class KeyColumn:
    """A column of a primary key, as paging through it needs to know it."""

    name: str
    type: str
    """As format_type prints it."""
    operators: str = "pg_catalog"
    """The schema of its = and >."""
    moment: bool = False
    """A date or a time, which the session's DateStyle would print in its own way."""


@dataclass(frozen=True, slots=True)
class BatchRun:
    """A row of batch_progress: how far an update in batches has come."""

    table: str
    change: str
    target: str
    key: tuple[str, ...]
    finished: bool = False


@dataclass(frozen=True, slots=True)
class BatchTarget:
    """A table that shall be updated in batches."""

    key: tuple[KeyColumn, ...]
    """The primary key; empty where there is none."""
    numbers: tuple[tuple[str, int], ...]
    """The columns by name, with their numbers; those that PostgreSQL computes are left out."""
    oid: int
    has_progress: bool = False
    """Whether batch_progress is there."""
    run: BatchRun | None = None


@dataclass(frozen=True, slots=True)
class LeavingTable:
    """A table whose rows shall leave it, or one that they go to."""

    name: QualifiedName
    columns: tuple[str, ...]
    """Those that can be written; what PostgreSQL computes is in `generated`."""
    key: tuple[KeyColumn, ...] = ()
    """The primary key; empty where there is none."""
    indexes: tuple[tuple[KeyColumn, ...], ...] = ()
    """The columns of each B-tree index that is valid and holds all rows."""
    incoming: tuple[ForeignKey, ...] = ()
    """What refers to it, or to one of its partitions."""
    generated: tuple[str, ...] = ()
    partitioned: bool = False
    may_not: tuple[str, ...] = ()
    """Rights that whoever runs this has not, each with what grants it; rows that row security hides from them."""

    def index_on(self, column: str) -> tuple[KeyColumn, ...] | None:
        """The columns of an index that begins with that one."""
        return next((own for own in self.indexes if own[0].name == column), None)


Tree = Mapping[str, Any]
"""The tables whose rows go along, by name, each with those that hang on it: a mapping of the same kind."""


@dataclass(frozen=True, slots=True)
class TimeToLive:
    """A policy: when rows of a table expire, and what goes with them. One row of ttl_policy.

    Args:
        table: the table.
        column: the column that says when a row expires, or with `age` from when on it ages.
        age: how old a row becomes: ``90 days``; None where the column itself says when it expires.
        timezone: an IANA name, by whose wall clock ages are counted.
        encoding: how a column that is no date or time holds a moment; see keys.key_for.
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
class MaterializedView:
    """A materialized view, as a refresh needs to know it."""

    populated: bool
    unique: bool
    """Whether a valid unique index over plain columns covers all its rows."""


@dataclass(frozen=True, slots=True)
class Retired:
    """A row of retired_partition, and what has become of its table."""

    oid: int
    name: QualifiedName
    parent: QualifiedName
    by_policy: bool
    since: datetime
    there: bool = True
    """The table has that name and that oid still, and is a partition of nothing."""


@dataclass(frozen=True, slots=True)
class Detaching:
    """What is observed of a partition that shall leave its parent, or has left it."""

    parent: QualifiedName
    name: QualifiedName
    oid: int = 0
    attached_to: QualifiedName | None = None
    pending: bool = False
    """A concurrent detach was cut off, or is under way."""
    bounds: str = ""
    """FOR VALUES ..., under UTC and ISO, or DEFAULT."""
    below: tuple[QualifiedName, ...] = ()
    """Its own partitions."""
    default: QualifiedName | None = None
    """The parent's default partition."""
    referenced: tuple[QualifiedName, ...] = ()
    """The tables that it refers to, with their partitions."""
    incoming: tuple[QualifiedName, ...] = ()
    """The tables that refer to it."""
    referred: tuple[str, ...] = ()
    """Foreign keys with rows that refer to it, and how many."""
    dependents: tuple[str, ...] = ()
    """Views and other objects that stand in the way of a DROP."""
    published: tuple[str, ...] = ()
    """Publications that name it, itself."""
    may_not: tuple[str, ...] = ()
    """Rights that whoever runs this has not."""
    recorded: bool = False
    """retired_partition knows it as detached from that parent, or as about to be."""
    has_record: bool = False
    """Whether retired_partition is there."""
    blocked_by: tuple[Detaching, ...] = ()
    """Other partitions of the parent that are detach pending: only one may be."""


@dataclass(frozen=True, slots=True)
class Moved:
    """A row of archived_partition, and what has become of its table."""

    oid: int
    name: QualifiedName
    table: QualifiedName
    archive: QualifiedName
    lower: str | None
    upper: str | None
    goes_to: QualifiedName
    since: datetime | None = None
    """None while it is on its way."""
    attached_to: QualifiedName | None = None
    there: bool = True
    """The table has that name and that oid still."""


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


@dataclass(frozen=True, slots=True)
class Attaching:
    """What is observed of a table that shall become a partition."""

    seen: Detaching
    control: str
    lower: str | None
    """As PostgreSQL prints it under UTC and ISO; None is MINVALUE."""
    upper: str | None
    """None is MAXVALUE."""
    proof: str
    """The expression of a CHECK that spares ATTACH its scan."""
    unlike: tuple[str, ...] = ()
    """What PostgreSQL would refuse it for."""
    referenced: tuple[QualifiedName, ...] = ()
    """The tables that the parent refers to, with their partitions."""
    incoming: tuple[QualifiedName, ...] = ()
    """The tables that refer to the parent."""
    in_default: bool = False
    """Rows of its range lie in the default partition."""
    empty: bool = False
    """It would hold no key at all: its end is not behind its beginning."""
    same: bool = False
    """It is attached with that very range."""
    overlapping: tuple[QualifiedName, ...] = ()
    """The partitions whose range has a key in common with its own."""


@dataclass(frozen=True, slots=True)
class CopyTarget:
    """A table into which rows are copied, to be a partition from the swap on."""

    name: QualifiedName
    """What it is called from the swap on."""
    built: QualifiedName
    """What it is called until then."""
    lower: str | None
    """Its bounds, as in `Partition`."""
    upper: str | None
    default: bool = False


@dataclass(frozen=True, slots=True)
class Copy:
    """What is copied, and where to: a table whose rows shall lie in others, one for each window."""

    source: QualifiedName
    parent: QualifiedName
    """The partitioned table: what the targets are made like, and become partitions of."""
    control: KeyColumn
    key: tuple[KeyColumn, ...]
    """The targets' primary key."""
    columns: tuple[str, ...]
    """Those that are written; PostgreSQL computes the others."""
    texts: tuple[str, ...]
    """Those whose type has no hash; they are compared as text."""
    targets: tuple[CopyTarget, ...]
    staging: QualifiedName
    """The partitioned table that the targets belong to meanwhile: it routes the rows."""
    log: QualifiedName
    """Where a trigger writes the keys of rows that change; the function has the same name."""
    old: QualifiedName
    """What the source is called after the swap."""


@dataclass(frozen=True, slots=True)
class CopyCount:
    """What was counted in one snapshot on both sides, for one target: rows, and the sum of their hashes."""

    source_rows: int
    source_sum: str
    rows: int
    sum: str

    @property
    def equal(self) -> bool:
        """Whether the target holds what the source holds."""
        return (self.source_rows, self.source_sum) == (self.rows, self.sum)


@dataclass(frozen=True, slots=True)
class CopyRun:
    """A row of copy_run: how far a copy has come."""

    purpose: str
    """drain, split or convert."""
    parent: QualifiedName
    identity: str
    targets: tuple[CopyTarget, ...]
    cut: bool = False
    """The chunks are cut."""
    chunks_left: int = 0
    counts: tuple[tuple[QualifiedName, CopyCount], ...] = ()
    settled: bool = False
    """No snapshot is left from before the last chunk."""
    swapped: bool = False
    finished: bool = False


@dataclass(frozen=True, slots=True)
class Copying:
    """What is observed of a table that shall be copied, or is."""

    parent: Table | None
    source: Table | None
    run: CopyRun | None
    has_tables: bool
    """Whether copy_run is there."""
    key: tuple[KeyColumn, ...] = ()
    control: KeyColumn | None = None
    identity: str = ""
    """What tells whether the source is still the table that it was: its oid, its file, its columns."""
    logging: bool = False
    """The trigger is there and fires for everybody, and so is the log."""
    backlog: int = 0
    """Keys in the log; not counted beyond a limit."""
    by_control: bool = False
    """Rows lie in the order of the control column, and an index leads with it."""
    texts: tuple[str, ...] = ()
    leaves: tuple[Relation, ...] = ()
    """The targets, with their indexes."""
    analyzed: tuple[QualifiedName, ...] = ()
    """Those of them that have statistics."""
    filled: tuple[Range, ...] = ()
    """The windows that rows of the source lie in; looked at before a default partition is drained."""
    span: Range | None = None
    """Where its first and its last row lie; looked at before a partition is split."""
    default_checks: tuple[tuple[str, str, bool], ...] = ()
    """Those of the parent's default partition: name, definition, validated."""
    tree: tuple[Relation, ...] = ()
    """The parent and its partitions, from the swap on."""
    taken: frozenset[str] = frozenset()
    """The names of what is there in the schema already."""
    server_version: int = 180000


@dataclass(frozen=True, slots=True)
class ArchiveFile:
    """A file that holds rows of a table, as the manifest has it."""

    url: str
    table: QualifiedName
    oid: int
    parent: QualifiedName | None
    """The partitioned table that it was a partition of."""
    control: str | None
    lower: str | None
    upper: str | None
    format: str
    rows: int
    bytes: int
    sha256: str
    columns: tuple[tuple[str, str, str, str], ...]
    """Name, type, how it is stored, checksum."""
    written: datetime | None = None
    dropped: datetime | None = None
    """The table was dropped: the rows are in the file and nowhere else, until they are restored."""
    restored: datetime | None = None
    restored_to: QualifiedName | None = None

    @property
    def alone(self) -> bool:
        """Whether its rows are nowhere else."""
        return self.dropped is not None and self.restored is None
