"""What the checks of health know of a database: tables, indexes, constraints, counters, sessions."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property

from schema_kit.health.definition import Definition, parse
from schema_kit.model import Leftover
from schema_kit.names import QualifiedName


@dataclass(frozen=True, slots=True)
class Relation:
    """A table, a partitioned table or a partition, with its counters."""

    name: QualifiedName
    root: QualifiedName
    """The table at the top of its partition tree; its own name where it is not a partition."""
    kind: str = "r"
    """r, p, m or, of a partition, f, as pg_class.relkind."""
    rows: float = -1
    """As the planner knows them; -1: never counted."""
    bytes: int = 0
    xid_age: int = 0
    multixact_age: int = 0
    live: int = 0
    dead: int = 0
    seq_scans: int = 0
    seq_rows: int = 0
    analyzed: bool = True
    """Statistics of its columns exist; of a partitioned table those of the whole."""
    autovacuum: bool = True
    logged: bool = True
    replica_identity: str = "d"
    primary_key: bool = True
    published: bool = False
    """A publication sends its UPDATE or DELETE."""
    archive: bool = False
    """It is an archive of ours, or a table that we keep."""
    fillfactor: int = 100
    updates: int = 0
    hot_updates: int = 0
    """Those that changed no indexed column and found room on the page of the old row."""
    new_page_updates: int | None = None
    """Those that found no room there; None before PostgreSQL 16."""
    blocks: int = 0
    """Pages that were asked for."""
    hits: int = 0
    """Those of them that were in shared_buffers."""
    heirs: float = 0
    """Rows of tables that inherit from it, where they were never analyzed together."""
    distributed: bool = False
    """Citus keeps its rows in shards, whose counters and indexes are on the nodes."""

    @property
    def partition(self) -> bool:
        """Whether it is a partition."""
        return self.name != self.root


@dataclass(frozen=True)
class Index:
    """An index of a table, of a partitioned table or of a partition."""

    name: QualifiedName
    table: QualifiedName
    root: QualifiedName
    text: str
    """As pg_get_indexdef prints it."""
    kind: str = "i"
    """i or I, as pg_class.relkind."""
    parent: QualifiedName | None = None
    """The index that it is a partition of."""
    unique: bool = False
    constraint: bool = False
    """It belongs to a primary key, a unique or an exclusion constraint."""
    referenced: bool = False
    """A foreign key of another table rests on it."""
    replica_identity: bool = False
    clustered: bool = False
    valid: bool = True
    building: bool = False
    scans: int = 0
    bytes: int = 0
    remembered: bool = False
    """A snapshot from when the window began has it, so it is not new."""
    types: tuple[str, ...] = ()
    """The type categories of its key columns, as pg_type.typcategory."""
    last_scan: datetime | None = None
    """None: it was not scanned since counters count, or the server is older than PostgreSQL 16."""
    entries: float = -1
    """As the planner knows them; -1: never counted."""
    blocks: int = 0
    hits: int = 0

    @cached_property
    def definition(self) -> Definition:
        """Its parts."""
        return parse(self.text)

    @property
    def plain(self) -> bool:
        """Whether nothing but queries needs it."""
        return not (self.unique or self.constraint or self.referenced or self.replica_identity)


@dataclass(frozen=True, slots=True)
class Column:
    """What the planner knows of a column of a root."""

    null_share: float
    distinct: float
    """As pg_stats.n_distinct: a count, or a share of the rows below zero."""


@dataclass(frozen=True, slots=True)
class Activity:
    """What a table was asked for since the window began, with its partitions."""

    seq_rows: int = 0
    """Rows that were read from end to end."""
    blocks: int = 0
    """Pages of tables that were asked for."""
    hits: int = 0
    """Those of them that were in shared_buffers."""
    index_blocks: int = 0
    index_hits: int = 0


@dataclass(frozen=True, slots=True)
class Grown:
    """How big a table was, and is, with its indexes and partitions."""

    table: QualifiedName
    days: float
    before: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement that pg_stat_statements has counted, that of a partition as that of its table."""

    text: str
    """Without values."""
    calls: int
    seconds: float
    """All calls together."""
    earlier: tuple[int, float] | None = None
    """Calls and seconds when the window began; None: unknown."""

    @property
    def name(self) -> str:
        """Distinguishes it from others, from run to run."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Statements:
    """What pg_stat_statements has counted in this database."""

    top: tuple[Statement, ...] = ()
    """Those that take the most time."""
    days: float = 0
    """Since when it counts."""
    whole: float = 0
    """Seconds that all statements took."""
    evicted: int = 0
    """How often statements were forgotten, since there was no room for more."""
    kept: int = 0
    most: int = 0
    """pg_stat_statements.max."""


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """A foreign key that is not another one's copy on a partition."""

    name: str
    table: QualifiedName
    columns: tuple[str, ...]
    referenced: QualifiedName
    referenced_columns: tuple[str, ...]
    types: tuple[str, ...]
    referenced_types: tuple[str, ...]
    on_delete: str = "a"
    on_update: str = "a"
    match: str = "s"
    deferrable: bool = False
    deferred: bool = False


@dataclass(frozen=True, slots=True)
class NotValid:
    """A constraint that was never validated."""

    name: str
    table: QualifiedName
    kind: str


@dataclass(frozen=True, slots=True)
class Trigger:
    """A trigger that is disabled."""

    name: str
    table: QualifiedName
    internal: bool
    """It is a foreign key's."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """A sequence, and the column that it serves."""

    name: QualifiedName
    last: int
    most: int
    """The least of its own maximum and of its column's type."""
    own_most: int
    table: QualifiedName | None = None
    column: str = ""
    type: str = ""
    down: bool = False
    """It counts downwards: its numbers are meant with a minus."""


@dataclass(frozen=True, slots=True)
class Session:
    """A session that has been at something for long."""

    pid: int
    kind: str
    """idle in transaction, query or waiting."""
    seconds: float
    who: str
    blocked_by: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Bloat:
    """A table or one of its indexes that takes more room than it needs."""

    table: QualifiedName
    index: QualifiedName | None
    bytes: int
    needed: int
    """At most, as estimated by the widths of columns."""


@dataclass(frozen=True, slots=True)
class Holder:
    """What keeps vacuum from removing rows that were deleted since."""

    kind: str
    """session, prepared transaction, replication slot or standby."""
    name: str
    """Its pid, gid, or name."""
    who: str
    age: int
    """Transactions since."""
    catalogs: bool = False
    """Rows of system catalogs alone."""


@dataclass(frozen=True, slots=True)
class Server:
    """What concerns the whole database or its server."""

    now: datetime | None = None
    since: datetime | None = None
    """Since when counters count; None: unknown, they were never reset."""
    sessions: tuple[Session, ...] = ()
    prepared: tuple[tuple[str, float], ...] = ()
    """Prepared transactions: their gid and age in seconds."""
    slots: tuple[tuple[str, str, int], ...] = ()
    """Replication slots without a reader: name, wal_status, bytes of WAL behind."""
    holders: tuple[Holder, ...] = ()
    """What keeps old rows, the oldest first."""
    settings: tuple[tuple[str, str, str], ...] = ()
    """Settings that endanger data or upkeep, with their values, and where those are from, as in pg_settings."""
    extensions: tuple[tuple[str, str, str], ...] = ()
    """Extensions older than what is installed on the server: name, version, the newer one."""
    connections: int = 0
    max_connections: int = 100
    freeze_max_age: int = 200_000_000
    multixact_freeze_max_age: int = 400_000_000
    standbys: int = 0
    standby: bool = False
    """It is one itself: the primary has counters of its own."""
    database: str = ""
    temp_files: int = 0
    """That sorts and hashes did not have to themselves in work_mem, since counters of the database count."""
    temp_bytes: int = 0
    reset: datetime | None = None
    """Since when those count."""
    work_mem: int = 4 * 1024 * 1024
    """Bytes."""


@dataclass(frozen=True)
class Observed:
    """A database, as the checks see it."""

    relations: Sequence[Relation] = ()
    indexes: Sequence[Index] = ()
    columns: Mapping[tuple[QualifiedName, str], Column] = field(default_factory=dict)
    foreign_keys: Sequence[ForeignKey] = ()
    not_valid: Sequence[NotValid] = ()
    triggers: Sequence[Trigger] = ()
    sequences: Sequence[Numbers] = ()
    published: Sequence[Leftover] = ()
    """Publications that hold partitions under their own names."""
    server: Server = Server()
    bloated: Sequence[Bloat] = ()
    notes: tuple[str, ...] = ()
    """What could not be seen, and what would show it."""
    replicas: int = 0
    """Other servers whose counters are in."""
    activity: Mapping[QualifiedName, Activity] = field(default_factory=dict)
    """What roots were asked for in the window; those alone of which that is known."""
    days: float = 0
    """How long that window of this server's counters is; 0: not known."""
    grown: Sequence[Grown] = ()
    """Roots that two snapshots know."""
    bounded: frozenset[QualifiedName] = frozenset()
    """Tables whose rows leave by a policy of ours."""
    statements: Statements = Statements()

    @cached_property
    def trees(self) -> Mapping[QualifiedName, Sequence[Relation]]:
        """The relations of each root, the root among them."""
        found = defaultdict[QualifiedName, list[Relation]](list)
        for relation in self.relations:
            found[relation.root].append(relation)
        return found

    @cached_property
    def tables(self) -> Sequence[Relation]:
        """The roots: plain tables and the tops of partition trees."""
        return [relation for relation in self.relations if not relation.partition]

    @cached_property
    def by_name(self) -> Mapping[QualifiedName, Relation]:
        """Relations by name."""
        return {relation.name: relation for relation in self.relations}

    @cached_property
    def of_roots(self) -> Sequence[Index]:
        """Indexes of roots, each with the scans and bytes of its partitions, and invalid where one of those is."""
        return [index for index, _ in self.folded]

    @cached_property
    def distributed(self) -> frozenset[QualifiedName]:
        """Roots of which Citus keeps rows in shards."""
        return frozenset(one.root for one in self.relations if one.distributed)

    @cached_property
    def lifetime(self) -> Mapping[QualifiedName, Activity]:
        """What each root was asked for since counters count."""
        pages = defaultdict[QualifiedName, list[int]](lambda: [0, 0])
        for index in self.indexes:
            pages[index.root][0] += index.blocks
            pages[index.root][1] += index.hits
        return {
            root: Activity(
                sum(one.seq_rows for one in tree),
                sum(one.blocks for one in tree),
                sum(one.hits for one in tree),
                *pages[root],
            )
            for root, tree in self.trees.items()
        }

    @cached_property
    def folded(self) -> Sequence[tuple[Index, Sequence[Index]]]:
        """Indexes that are not part of another one, each with those that are part of it: what one needs, all do."""
        above = {index.name: index.parent for index in self.indexes}
        parts = defaultdict[QualifiedName, list[Index]](list)
        for index in self.indexes:
            top = index.name
            while (parent := above.get(top)) is not None:
                top = parent
            if top != index.name:
                parts[top].append(index)
        return [(_whole(index, parts[index.name]), parts[index.name]) for index in self.indexes if index.parent is None]

    def root(self, table: QualifiedName) -> QualifiedName:
        """Return the top of the tree that a table is part of; itself where it is not a partition."""
        known = self.by_name.get(table)
        return known.root if known else table

    def rows(self, table: QualifiedName) -> float:
        """About how many rows a tree holds: the greater of what the planner and the counters know."""
        leaves = [relation for relation in self.trees.get(table, ()) if relation.kind != "p"]
        return sum(max(relation.rows, relation.live, 0) for relation in leaves)


def _whole(index: Index, parts: Sequence[Index]) -> Index:
    """Return an index that is needed for what any of its parts is needed for."""
    every = (index, *parts)
    return replace(
        index,
        constraint=any(one.constraint for one in every),
        referenced=any(one.referenced for one in every),
        replica_identity=any(one.replica_identity for one in every),
        clustered=any(one.clustered for one in every),
    )
