"""What a report shows of a database: all that was read. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from schema_kit.health.facts import Relation
from schema_kit.health.finding import Finding as HealthFinding
from schema_kit.model import ArchiveFile, ArchivePolicy, Size, TimeToLive
from schema_kit.names import QualifiedName
from schema_kit.pages.growth import Sample
from schema_kit.plans.check import Finding
from schema_kit.plans.timeline import Timeline


@dataclass(frozen=True, slots=True)
class Period:
    """What a report compares: the last days with those before them."""

    name: str
    """Daily, weekly or monthly."""
    days: int
    ahead: int
    """How many days ahead the picture of the forecast reaches."""

    @property
    def length(self) -> timedelta:
        """As a length of time."""
        return timedelta(days=self.days)

    @property
    def last(self) -> str:
        """``last 7 days``."""
        return "last 24 hours" if self.days == 1 else f"last {self.days} days"


PERIODS = {one.name: one for one in (Period("daily", 1, 30), Period("weekly", 7, 91), Period("monthly", 30, 364))}


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement that pg_stat_statements has counted, without values."""

    text: str
    calls: int
    seconds: float
    """All calls together."""
    share: float
    """Of the time that all statements took."""
    mean: float
    """Milliseconds."""
    longest: float
    """Milliseconds."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that maintenance did, as our own tables remember it."""

    at: datetime
    what: str
    """retired, archived, restored, written to a file, dropped into a file, copied, updated in batches, ..."""
    table: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Disk:
    """The disk that the server's data lies on.

    Args:
        total: bytes, all.
        used: bytes that are taken.
        how: where these figures are from.
    """

    total: int
    used: int
    how: str

    @property
    def room(self) -> int:
        """Bytes that are free."""
        return max(self.total - self.used, 0)


@dataclass(frozen=True, slots=True)
class Upkeep:
    """What vacuum and analyze did in the period, autovacuum included."""

    vacuumed: int = 0
    analyzed: int = 0
    tables: int = 0


@dataclass(frozen=True)
class Seen:
    """A database, as a report shows it."""

    at: datetime
    period: Period
    database: str = ""
    server: str = ""
    """PostgreSQL's version."""
    standby: bool = False
    bytes: int = 0
    """Of the database."""
    sizes: Mapping[QualifiedName, Size] = field(default_factory=dict)
    samples: Mapping[str, Sequence[Sample]] = field(default_factory=dict)
    """Snapshots by table; those of the whole database under an empty name."""
    sets: Sequence[Timeline] = ()
    roots: Mapping[QualifiedName, QualifiedName] = field(default_factory=dict)
    """The table above all, of sets that are partitions themselves."""
    partitions: Sequence[Finding] = ()
    health: Sequence[HealthFinding] = ()
    ignored: int = 0
    read_whole: Sequence[Relation] = ()
    """Big tables that are read from end to end again and again, roots with the counters of their partitions."""
    since: datetime | None = None
    """Since when counters count."""
    statements: Sequence[Statement] | None = None
    """Those that take the most time in all, or on average; None: pg_stat_statements does not tell."""
    statements_since: datetime | None = None
    statements_note: str = ""
    archives: Sequence[ArchivePolicy] = ()
    in_transit: Mapping[QualifiedName, int] = field(default_factory=dict)
    files: Sequence[ArchiveFile] = ()
    ttl: Sequence[TimeToLive] = ()
    work: Sequence[str] = ()
    """Copies and updates in batches that are not over."""
    events: Sequence[Event] = ()
    upkeep: Upkeep | None = None
    disk: Disk | None = None
    notes: Sequence[str] = ()
    """What could not be seen, and what would show it."""
