"""What is observed of tables whose rows become partitions: by a conversion, by a copy."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from schema_kit.intervals import Point
from schema_kit.model.declared import Partitioning
from schema_kit.model.sets import Stray
from schema_kit.model.stored import Stored
from schema_kit.model.tables import ForeignKey, Index, KeyColumn, Range, Relation, Table
from schema_kit.names import QualifiedName
from schema_kit.server import NEWEST, Server

BACKLOG = 2000
"""Keys that may be left to the swap, which replays them under its lock."""


@dataclass(frozen=True, slots=True)
class Referring:
    """A table that refers to one that is being converted, as the composite way needs to see it."""

    key: ForeignKey
    """The foreign key by id alone before the swap; afterwards the longer one."""
    column: str
    """The key column that it gets."""
    has_column: bool = False
    provisional: str | None = None
    """The longer foreign key before the swap, if it exists."""
    fill_index: Index | None = None
    unfilled: bool = False
    """Rows with an id and no key are left."""
    partitioned: bool = False
    update_triggers: tuple[str, ...] = ()
    """Triggers of a user that filling the key column would fire."""
    may_create: bool = True
    """Whether the current role may create the trigger's function in the table's schema."""


@dataclass(frozen=True, slots=True)
class Conversion:
    """What is observed of a table to convert, or of one that was converted."""

    table: Table
    now: datetime
    built: Table | None = None
    """The new parent, built next to the table."""
    latest: Point | None = None
    """The greatest key; None where it cannot be planned with, such as infinity."""
    greatest: str = ""
    """The greatest key, as PostgreSQL prints it."""
    beyond: int = 0
    """Rows farther in the future than premake reaches."""
    keyless: int = 0
    """Rows whose key is NULL."""
    referring: tuple[Referring, ...] = ()
    obstacles: tuple[str, ...] = ()
    """What the table has and a partitioned one cannot have, and the privileges that the current role lacks."""
    statements: tuple[str, ...] = ()
    """What rests on its primary key as it is, and will not on a longer one; as far as it can be found."""
    registered: Partitioning | None = None
    bytes: int = 0
    """Of the table, its indexes and what it keeps out of line."""
    has_config: Stored = Stored.MISSING
    server: Server = NEWEST
    unseen: str = ""
    """Why its rows cannot be looked at, all of them; empty where they can."""
    leaves: tuple[tuple[QualifiedName, QualifiedName], ...] = ()
    """Where it is partitioned: the tables that hold its rows, each with what it is a partition of."""
    foreign: tuple[QualifiedName, ...] = ()
    """Where it is partitioned: those of its partitions that are foreign tables."""
    listed: tuple[tuple[str, QualifiedName, bool], ...] = ()
    """Where it is partitioned: publications that hold partitions under their own names, and whether they list them."""
    emptied: Emptied | None = None
    """What held its rows until it was made plain again, and is not gone yet."""


@dataclass(frozen=True, slots=True)
class Emptied:
    """Tables whose rows have moved to the one that they are children of; older transactions see them where they were.

    Args:
        names: the tables.
        waiting: who has a snapshot from before.
        patience: whether that was not long ago.
    """

    names: tuple[QualifiedName, ...]
    waiting: tuple[str, ...] = ()
    patience: bool = True


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
    """What is copied, and where to: a table whose rows move to other tables, one for each range."""

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


MAX_REPLICA_LAG, MAX_SLOT_BYTES = 30.0, 16 * 2**30
"""The default."""


@dataclass(frozen=True, slots=True)
class CopyLimits:
    """When a copy pauses, of itself, until it is better.

    Args:
        max_replica_lag: seconds that a physical replica may be behind; None: any. Once a minute a chunk goes all the
            same, for a replica may be delayed on purpose.
        max_slot_bytes: WAL that a replication slot may hold back, or a physical replica be behind; None: any.
    """

    max_replica_lag: float | None = MAX_REPLICA_LAG
    max_slot_bytes: int | None = MAX_SLOT_BYTES


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
    """The chunks are recorded."""
    chunks_left: int = 0
    counts: tuple[tuple[QualifiedName, CopyCount], ...] = ()
    settled: bool = False
    """No snapshot is left from before the last chunk."""
    swapped: bool = False
    finished: bool = False
    cut_by: tuple[str, ...] = ()
    """The columns that the chunks' bounds are of."""
    fed: bool = False
    """A trigger logs for the table that was kept what changes since the swap."""
    back_identity: str | None = None
    """What the kept table is compared with before it takes its place again; empty where that was canceled."""
    returned: bool = False
    """The kept table has its place again."""


@dataclass(frozen=True, slots=True)
class Copying:
    """What is observed of a table to copy, or of one that is being copied."""

    parent: Table | None
    source: Table | None
    run: CopyRun | None
    has_tables: Stored
    """Whether copy_run exists, with every column."""
    key: tuple[KeyColumn, ...] = ()
    control: KeyColumn | None = None
    identity: str = ""
    """Identifies the source by its oid, its file and its columns."""
    logging: bool = False
    """The trigger exists and fires in every session, and the log exists."""
    logged: QualifiedName | None = None
    """The table that has this trigger: the source, under the name that it has by now."""
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
    """The ranges that rows of the source lie in, in order; looked at before a copy begins."""
    strays: tuple[Stray, ...] = ()
    """Rows of the source that lie in none of them: beyond the line, or farther ahead than partitions are made."""
    default_checks: tuple[tuple[str, str, bool], ...] = ()
    """Those of the parent's default partition: name, definition, validated."""
    tree: tuple[Relation, ...] = ()
    """The parent and its partitions, from the swap on."""
    kept: Table | None = None
    """The plain table that a conversion has kept, from the swap on."""
    feeding: bool = False
    """Its trigger exists on every partition and fires in every session, and its log exists."""
    feed_backlog: int = 0
    """Keys in that log; not counted beyond a limit."""
    tree_identity: str = ""
    """Identifies the partitioned table and the kept one that were compared."""
    taken: frozenset[str] = frozenset()
    """The names that are in use in the schema."""
    bytes: int = 0
    """What the source takes, indexes and all; looked at before a copy begins."""
    room: tuple[int, int] | None = None
    """Bytes that are free on the server's disk and that all must leave free; None where that is unknown."""
    missing: tuple[str, ...] = ()
    """The rights that giving a partition's rows others needs and that are not there, each with what grants it."""
    server: Server = NEWEST

    @property
    def begun(self) -> CopyRun | None:
        """The copy, until all that it has to do is done."""
        return self.run if self.run and not self.run.finished else None
