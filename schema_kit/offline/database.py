"""Answers about a database that is not there, from what the steps have made of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from schema_kit.errors import PlanError
from schema_kit.intervals import Point
from schema_kit.marks import composite_column
from schema_kit.model import (
    ArchivePolicy,
    Attaching,
    BaselineObject,
    ColdArchive,
    ColdColumn,
    Conversion,
    Detaching,
    IndexDeclaration,
    Partitioning,
    Referring,
    Relation,
    Stored,
    Strategy,
    Table,
)
from schema_kit.model.grid import grid
from schema_kit.names import QualifiedName, ident
from schema_kit.offline.followed import Followed, index_tail
from schema_kit.server import OLDEST, Server
from schema_kit.steps.baseline import ledger_kind
from schema_kit.steps.partitions import for_values
from schema_kit.storage import (
    ARCHIVE_POLICY,
    COLD_ARCHIVE,
    CREATED_OBJECT,
    PART_CONFIG,
    PART_CONFIG_SUB,
    RETIRED_PARTITION,
)


class EmptyDatabase(Followed):
    """Answers as `catalog.Catalog` does, for a database that was empty at base.

    Args:
        now: where partitions begin; the clock of this machine where it is left out, as there is no server to ask.
    """

    def now(self) -> datetime:
        """Return the moment that was given, or this machine's clock."""
        return self._now

    def table(self, name: QualifiedName) -> Table | None:
        """Return a table that earlier steps have made, without the foreign keys to it: they may be gone."""
        return self._tables.get(name)

    def known(self, name: QualifiedName) -> Table:
        """Return a table that earlier steps have made.

        Raises:
            PlanError: none has.
        """
        if name not in self._tables:
            raise PlanError(
                f"--sql cannot know {name}: it follows a database that was empty at base. Write the script from base, "
                "or run this revision online."
            )
        return self._tables[name]

    def exists(self, name: QualifiedName) -> bool:
        """Return whether earlier steps have made it."""
        return name in self._own or name in self._tables

    def finished_records(self) -> tuple[QualifiedName, ...]:
        """What pg_partman's functions have brought along, and nothing can be in; of the others nothing is known."""
        return (PART_CONFIG_SUB,) if self._partman else ()

    def tree(self, name: QualifiedName, views: bool = False) -> tuple[Relation, ...]:
        """Return the table and its partitions; one that no step has made is taken for a plain table."""
        table = self._tables.get(name)
        partitions = table.partitions if table else ()
        root = Relation(name, partitioned=bool(table and table.partition_strategy), imagined=True)
        below = (
            replace(relation, parent=relation.parent or name, imagined=False)
            for partition in partitions
            for relation in self.tree(partition.name)
        )
        return (root, *below)

    def index_tail(self, declared: IndexDeclaration) -> str:
        """Return the declaration as it is sent: the server does not print it back."""
        return index_tail(declared)

    def operator_class(self, name: str, method: str) -> str:
        """Return the bare name, which the search_path of psql finds."""
        return ident(name)

    def letters_have_trigrams(self, operator_class: str) -> bool:
        """Cannot be asked."""
        return True

    def policy(self, parent: QualifiedName) -> Partitioning | None:
        """Return the policy that an earlier step has registered."""
        return self._policies.get(parent)

    def config_is_current(self) -> Stored:
        """Return whether an earlier step has made it."""
        return self._stored(PART_CONFIG)

    def _stored(self, table: QualifiedName) -> Stored:
        return Stored.of(there=False, current=table in self._own)

    def archive_policies(self) -> tuple[ArchivePolicy, ...]:
        """Return those that earlier steps have registered."""
        return tuple(self._archive_policies.values())

    def archive_config_is_there(self) -> Stored:
        """Return whether an earlier step has made it."""
        return self._stored(ARCHIVE_POLICY)

    def cold_config_is_there(self) -> Stored:
        """Return whether an earlier step has made it."""
        return self._stored(COLD_ARCHIVE)

    def cold_archives(self) -> tuple[ColdArchive, ...]:
        """Return those that earlier steps have made."""
        return tuple(self._cold_archives.values())

    def cold_columns(self, archive: QualifiedName) -> tuple[ColdColumn, ...]:
        """Return them as declared; a type with a schema is taken for a user's own."""
        columns = self._tables[archive].columns
        return tuple(ColdColumn(c.name, c.type, c.not_null, "", "." not in c.type, c.generated) for c in columns)

    def sets(self, wanted: Sequence[Partitioning]) -> tuple[tuple[Partitioning, Table | None], ...]:
        """Return the partitioned tables of tables that earlier steps have made."""
        found = []
        for policy in wanted:
            table = self._tables.get(policy.parent)
            parts = [self._tables.get(part.name) for part in table.partitions] if table else []
            ranges = [one for one in (table, *parts) if one and one.partition_strategy == Strategy.RANGE]
            found += [(replace(policy, parent=one.name), one) for one in ranges]
        return tuple(found)

    def here(self, policy: Partitioning, table: Table | None) -> Point:
        """Return where the current position of a partitioned table without rows lies."""
        assert table is not None  # `sets` gives no others
        return grid(policy, table).here(self._now)

    def conversion(self, policy: Partitioning, composite: bool) -> Conversion | None:
        """Return the table as earlier steps have left it, without rows."""
        table = self.known(policy.parent)
        incoming = [
            key for other in self._tables.values() for key in other.foreign_keys if key.referenced == table.name
        ]
        table = replace(table, incoming=tuple(incoming))
        referring = [
            Referring(key, composite_column(key.columns[0], policy.control))
            for key in table.incoming
            if policy.control not in key.referenced_columns
        ]
        return Conversion(
            table,
            self._now,
            referring=tuple(referring) if composite else (),
            has_config=self._stored(PART_CONFIG),
            # The oldest that takes each kind of conversion: on 14, an incoming key ON DELETE CASCADE is refused online.
            server=Server(150000),
        )

    def detaching(self, parent: QualifiedName, name: QualifiedName) -> Detaching | None:
        """Return a partition that earlier steps have made; another table is taken for one that has left."""
        table = self.known(parent)
        own = next((p for p in table.partitions if p.name == name), None)
        if own is None:
            return Detaching(parent, name, recorded=True, has_record=Stored.CURRENT) if name in self._detached else None
        return Detaching(
            parent,
            name,
            attached_to=parent,
            bounds="DEFAULT" if own.default else for_values(own.lower, own.upper),
            default=table.default_partition,
            referenced=tuple(dict.fromkeys(key.referenced for key in table.foreign_keys)),
            has_record=self._stored(RETIRED_PARTITION),
        )

    def attaching(self, parent: QualifiedName, name: QualifiedName, lower: str | None, upper: str | None) -> Attaching:
        """Cannot be answered: what the table lacks depends on what exists."""
        raise PlanError(f"--sql cannot write how {name} is attached to {parent}: it depends on what exists.")

    def created(self) -> Mapping[str, frozenset[str]]:
        """Return what earlier steps have made."""
        return {kind: frozenset(names) for kind, names in self._made.items()}

    def enum_labels(self, enum: QualifiedName) -> tuple[str, ...] | None:
        """Return None: an earlier step has made it, or it is not there."""
        return () if str(enum) in self._made["type"] else None

    def unlike(self, declared: BaselineObject) -> tuple[str, ...] | None:
        """Return None: an earlier step has made it, as it is declared, or it is not there."""
        return () if str(declared.name) in self._made[ledger_kind(declared)] else None

    def unknown_types(self, types: tuple[str, ...]) -> tuple[str, ...]:
        """None: types cannot be looked up."""
        return ()

    def has_extension(self, name: str) -> bool:
        """Return whether an earlier step has made it."""
        return name in self._made["extension"]

    def has_schema(self, name: str) -> bool:
        """Return whether an earlier step has made it; public is always there."""
        return name == "public" or name in self._made["schema"]

    def alone_in_config_schema(self, *names: QualifiedName) -> bool:
        """Return whether our own tables are down to that one."""
        return not {CREATED_OBJECT, PART_CONFIG} <= self._own

    def relations_in(self, schema: str) -> set[str]:
        """Return the tables that earlier steps have made there."""
        return {name.name for name in self._tables if name.schema == schema}

    def server(self) -> Server:
        """Return the oldest that is supported: what is right there is right everywhere."""
        return OLDEST

    def check_definition(self, table: QualifiedName, expression: str) -> str:
        """Return the definition as it was declared."""
        return f"CHECK ({expression})"

    def check_forms(self, table: QualifiedName, expression: str) -> tuple[str, ...]:
        """Return the definition as it was declared."""
        return (self.check_definition(table, expression),)

    def column(self, table: QualifiedName, type_: str, default: str | None) -> tuple[str, str | None]:
        """As declared."""
        return type_, default
