"""Cold archives: partitions on another server, reached by postgres_fdw; its tables are made by dblink."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from schema_kit.model.properties import Property
from schema_kit.names import QualifiedName, ident, literal


@dataclass(frozen=True, slots=True)
class ColdColumn:
    """A column of an archive, as its copies on another server need to know it."""

    name: str
    type: str
    """As format_type prints it."""
    not_null: bool = False
    collation: str = ""
    """Where it is another than the type's: quoted, with its schema."""
    built_in: bool = True
    """PostgreSQL's own type, which any server has and which reads there as here; others are text there."""
    generated: bool = False
    sorts: bool = False
    """It has a collation: what is < and > there has to be what it is here."""

    @property
    def here(self) -> str:
        """Its definition in the foreign table."""
        return self._defined(self.type)

    @property
    def there(self) -> str:
        """Its definition on the server."""
        return self._defined(self.type if self.built_in else "text")

    def _defined(self, type_: str) -> str:
        collation = f" COLLATE {self.collation}" if self.collation else ""
        return f"{ident(self.name)} {type_}{collation}{' NOT NULL' if self.not_null else ''}"


@dataclass(frozen=True, slots=True)
class ColdServer:
    """A foreign server, as it is known here; the server itself is not asked."""

    name: str
    link: str
    """The schema of the extension dblink."""
    missing: tuple[str, ...] = ()
    """What is missing to use it, each with what the DBA does about it."""


@dataclass(frozen=True, slots=True)
class ColdArchive:
    """A row of cold_archive."""

    table: QualifiedName
    archive: QualifiedName
    cold: QualifiedName
    server: str
    remote_schema: str
    view: QualifiedName | None = None
    identity: str = ""
    """Stands in the comment of each of its tables on the server: no other table is overwritten or dropped there."""
    cluster: str = ""
    """The system identifier and the database that its tables on the server belong to."""


@dataclass(frozen=True, slots=True)
class ColdTable:
    """A table on another server."""

    server: str
    name: QualifiedName
    mark: str
    """Its comment: no other table is dropped or overwritten."""
    link: str
    """The schema of the extension dblink, here."""

    def send(self, *statements: str) -> str:
        """Return the statement that has the server do something, in a commit of its own."""
        return f"SELECT {ident(self.link)}.dblink_exec({literal(self.server)}, {literal('; '.join(statements))})"

    @property
    def answers(self) -> str:
        """The statement that a server answers at once, and a stopped one never."""
        return f"SELECT there.one FROM {self.ask('SELECT 1', 'one integer')}"

    def ask(self, query: str, columns: str) -> str:
        """Return what follows FROM to read the result of a query on the server."""
        return f"{ident(self.link)}.dblink({literal(self.server)}, {literal(query)}) AS there ({columns})"


@dataclass(frozen=True, slots=True)
class ColdPartition:
    """A row of cold_partition, and what has become of its tables here."""

    name: QualifiedName
    table: QualifiedName
    foreign: QualifiedName
    remote: str
    """Its name on the server."""
    bounds: str
    lower: str | None
    upper: str | None
    copied: bool = False
    returns: bool = False
    moved_at: datetime | None = None
    rows: int | None = None
    there: bool = False
    """A table of its name exists here."""
    attached_to: QualifiedName | None = None
    """What that table is a partition of, with these bounds."""
    cold: bool = False
    """The foreign table is a partition."""
    checksum: str | None = None
    """Of the rows that went there; None where they are not compared when they return."""
    summed: tuple[str, ...] = ()
    """The columns that it is of, where the tables have had others since; empty: all."""
    own: tuple[Property, ...] = ()
    """What it had of its own when it went, which does not come back with its rows."""


@dataclass(frozen=True, slots=True)
class ColdMove:
    """A partition that goes to another server, or comes back."""

    name: QualifiedName
    """The partition."""
    archive: QualifiedName
    cold: QualifiedName
    """The table that the foreign one is a partition of."""
    foreign: QualifiedName
    remote: ColdTable
    columns: tuple[ColdColumn, ...]
    control: str
    """The archive's partition key."""
    lower: str | None
    upper: str | None
