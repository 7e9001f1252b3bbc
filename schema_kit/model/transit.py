"""What is observed of a partition in transit: out of its parent, into one, to an archive, into a file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from schema_kit.model.distribution import Distribution
from schema_kit.model.stored import Stored
from schema_kit.names import QualifiedName


@dataclass(frozen=True, slots=True)
class Detaching:
    """What is observed of a partition that is to be detached, or was."""

    parent: QualifiedName
    name: QualifiedName
    oid: int = 0
    attached_to: QualifiedName | None = None
    pending: bool = False
    """A concurrent detach was interrupted, or is in progress."""
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
    subscribed: tuple[str, ...] = ()
    """Publications of its parent: who subscribes to them keeps its rows."""
    missing_rights: tuple[str, ...] = ()
    """Privileges that the current role lacks."""
    recorded: bool = False
    """retired_partition knows it as detached from that parent, or as about to be."""
    found_again: bool = False
    """It knows it by another oid, and by its name and bounds: the database was dumped and restored since."""
    has_record: Stored = Stored.MISSING
    """Whether retired_partition exists, with all that this version knows."""
    blocked_by: tuple[Detaching, ...] = ()
    """Other partitions of the parent that are detach pending: only one may be."""
    distribution: Distribution | None = None
    """How Citus spreads it."""
    attached_by: str = ""
    """The transaction that has attached it, or marked it as detach pending: by another one, it is another partition."""
    triggers: tuple[str, ...] = ()
    """Those of its parent's that fire otherwise in it alone: a detach takes them, an attach brings the parent's."""


@dataclass(frozen=True, slots=True)
class Moved:
    """A row of archived_partition, and what has become of its table."""

    name: QualifiedName
    table: QualifiedName
    archive: QualifiedName
    lower: str | None
    upper: str | None
    goes_to: QualifiedName
    since: datetime | None = None
    """None while it is in transit."""
    attached_to: QualifiedName | None = None
    there: bool = True
    """There is a table of that name, and where it is attached, it has these bounds."""


@dataclass(frozen=True, slots=True)
class Attaching:
    """What is observed of a table that is to become a partition."""

    seen: Detaching
    control: str
    lower: str | None
    """As PostgreSQL prints it under UTC and ISO; None is MINVALUE."""
    upper: str | None
    """None is MAXVALUE."""
    proof: str
    """The expression of a CHECK that spares ATTACH its scan."""
    obstacles: tuple[str, ...] = ()
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
