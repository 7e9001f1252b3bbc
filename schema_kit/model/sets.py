"""What is observed of partitioned tables, and of those of other partition managers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from schema_kit.intervals import Point
from schema_kit.model.declared import ArchivePolicy, Partitioning
from schema_kit.model.distribution import ShardDifference
from schema_kit.model.tables import Range, Table
from schema_kit.names import QualifiedName
from schema_kit.server import NEWEST, Server


@dataclass(frozen=True, slots=True)
class Told:
    """What another tool has written down about a partitioned table."""

    policy: Partitioning
    who: str
    """Where that stands, for people."""
    config: QualifiedName | None = None
    """pg_partman's table, where it is that."""
    maintained: bool = False
    """pg_partman's maintenance is on for it."""
    other_names: bool = False
    """It reads dates from names of another form than ours, and fails at ours: pg_partman 4 does."""
    of_sql: bool = False
    """Only pg_partman's functions read its bounds: it is partitioned by LIST, or by a key with a time_encoder."""


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
class Stray:
    """Rows far away from the others, which get no partition."""

    count: int
    first: str
    """The key of the first of them, as PostgreSQL prints it."""
    last: str
    condition: str
    """What is true of their key, in SQL: an operator and a literal."""
    more: bool = False
    """There are more than were counted."""

    @property
    def told(self) -> str:
        """How many, and from where to where."""
        where = self.first if self.first == self.last else f"{self.first} to {self.last}"
        rows = "a row" if self.count == 1 else f"{'more than ' if self.more else ''}{self.count:,} rows"
        return f"{rows} ({where})"


@dataclass(frozen=True, slots=True)
class DefaultRows:
    """What a default partition holds."""

    filled: bool | None
    """None: the current role lacks the privilege to see that."""
    windows: tuple[Range, ...] = ()
    """Some of the ranges of its rows, from the earliest on: as many as are cheap to read."""
    more: bool = False
    """Whether its rows can lie in other ranges, too."""
    estimate: int = -1
    """Rows, as the planner has it."""
    strays: tuple[Stray, ...] = ()
    """Rows that stay in it."""
    why: str = ""
    """Why it could not be looked at."""


@dataclass(frozen=True, slots=True)
class Leftover:
    """What unfinished work, a kept table, a lost archive or a publication leaves of a partitioned table."""

    kind: str
    """drain, split or convert: a copy that is not over; bound: the check of an attachment that is not; kept: the plain
    table of a conversion; emptied: what held the rows of one that is plain again; archive: one that is gone; cold: a
    partition in transit to another server, or back; published: partitions under their own names."""
    object: QualifiedName
    set: QualifiedName
    """The table that it concerns."""
    publication: str = ""
    count: int = 0
    """How many partitions are published so."""
    first: str = ""
    """One of them."""
    bytes: int = 0
    """Of the log, or of what is kept."""
    swapped: bool = False
    """The swap of the copy is done."""
    unlogged: bool = False
    """Nothing has the trigger of the copy any more."""
    with_root: bool = False
    """The publication holds the partitioned table itself, too."""
    children: tuple[QualifiedName, ...] = ()
    """Those that were emptied, and go."""


@dataclass(frozen=True, slots=True)
class Watched:
    """A partitioned table, as a look at many of them sees it."""

    policy: Partitioning
    registered: QualifiedName
    """What part_config names: the partitioned table, or the LIST or HASH parent whose partition it is."""
    table: Table | None = None
    here: Point | None = None
    """The current position; None where the current role lacks the privilege to see it."""
    default: DefaultRows | None = None
    drift: tuple[Drift, ...] = ()
    retired: tuple[Retired, ...] = ()
    """What was retired from it."""
    archive: ArchivePolicy | None = None
    """What goes from it to an archive."""
    restored: tuple[QualifiedName, ...] = ()
    """Partitions that were taken back from it by hand, and stay."""
    server: Server = NEWEST
    now: datetime | None = None
    """The server's clock."""
    unseen: tuple[str, ...] = ()
    """What could not be looked at, and why."""
    shards: tuple[ShardDifference, ...] = ()
    """Of a table that Citus distributes: placements that are otherwise than the table."""


@dataclass(frozen=True, slots=True)
class Retired:
    """A row of retired_partition, and what has become of its table."""

    name: QualifiedName
    parent: QualifiedName
    by_policy: bool
    since: datetime
    there: bool = True
    """The table exists, and is not a partition."""
    by_ttl: bool = False
    """Its time-to-live retired it, and drops it."""
    lower: str | None = None
    """Where it began when it was a partition; None is MINVALUE."""
    upper: str | None = None
    """Where it ended; None is MAXVALUE."""
    gone: str = ""
    """What has become of the table, so that the row means nothing any more."""
    doubt: str = ""
    """Why the table of that name may be another one, where its oid cannot tell: after a dump and restore."""
