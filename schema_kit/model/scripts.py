"""Objects that scripts make in a schema of their own: as their files have them, and as a database has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from schema_kit.names import QualifiedName


@dataclass(frozen=True, slots=True)
class SqlObject:
    """One object of the functions in SQL, as its file in sql/partman/ makes it.

    Args:
        kind: TABLE, TYPE, FUNCTION, VIEW or PROCEDURE.
        name: its name, in the schema that was chosen.
        statements: what makes it.
        checksum: of its file, whatever the schema.
        header: checksum of the part that CREATE OR REPLACE cannot change.
        purpose: what it is for.
        body: a routine's, as pg_proc has it.
    """

    kind: str
    name: str
    statements: tuple[str, ...]
    checksum: str
    header: str
    purpose: str
    body: str | None = None

    @property
    def comment(self) -> str:
        """Its comment, by which drift and older versions are recognized."""
        return f"{self.purpose} (schema_kit {self.checksum}.{self.header})"


@dataclass(frozen=True, slots=True)
class SeenObject:
    """An object of the schema as it exists.

    Args:
        kind: TABLE, TYPE, FUNCTION, VIEW or PROCEDURE; OWN of a table in schema_kit's own schema.
        name: its name.
        arguments: a routine's, as DROP requires them; None where the name is enough.
        comment: what COMMENT ON has said of it.
        body: a routine's, as pg_proc has it.
    """

    kind: str
    name: str
    arguments: str | None = None
    comment: str = ""
    body: str | None = None


@dataclass(frozen=True, slots=True)
class SqlSchema:
    """A schema that the functions in SQL may be installed in.

    Args:
        exists: the schema exists.
        extension: the real pg_partman lives in it.
        objects: what is in it, as far as it could be the functions', and the tables that they work on.
        more: something else is in it.
    """

    exists: bool = False
    extension: bool = False
    objects: tuple[SeenObject, ...] = ()
    more: bool = False


@dataclass(frozen=True, slots=True)
class PartmanConfig:
    """The table of a real pg_partman.

    Args:
        schema: where it lives.
        columns: its columns.
        sub_columns: those of the table of sub-partitions, part_config_sub.
    """

    schema: str
    columns: frozenset[str]
    sub_columns: frozenset[str] = frozenset()

    @property
    def reads_names(self) -> bool:
        """It is of version 4, which finds the dates of partitions in their names."""
        return "optimize_trigger" in self.columns


@dataclass(frozen=True, slots=True)
class PartmanRow:
    """A partitioned table as a part_config has it.

    Args:
        name: the table.
        row: its row of part_config.
        sub: its row of part_config_sub: how its partitions are partitioned; None where they are not.
    """

    name: QualifiedName
    row: Mapping[str, Any]
    sub: Mapping[str, Any] | None = None

    @property
    def by_list(self) -> bool:
        """It is partitioned by LIST."""
        return self.row.get("partition_type") == "list"

    @property
    def of_sql(self) -> bool:
        """Only functions in SQL read its bounds: they are those of LIST, or a time_encoder writes them."""
        encoder = self.row.get("time_encoder") or ""
        known = self.row.get("encoding") or encoder.endswith("uuid7_time_encoder")
        return self.by_list or bool(encoder and not known)
