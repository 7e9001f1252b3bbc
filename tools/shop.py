"""A small shop's database, as the catalog would describe it: what the examples of the documentation meet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from schema_kit.intervals import Point
from schema_kit.model import (
    ArchivePolicy,
    Attaching,
    BatchTarget,
    Check,
    ColdArchive,
    ColdColumn,
    ColdServer,
    Column,
    Conversion,
    Copying,
    Detaching,
    Distribution,
    ForeignKey,
    IgnoredFinding,
    Index,
    IndexDeclaration,
    KeyColumn,
    LeavingTable,
    MaterializedView,
    Partition,
    Partitioning,
    Publishing,
    Range,
    Relation,
    Retired,
    Stored,
    Table,
    TimeToLive,
    View,
)
from schema_kit.names import QualifiedName
from schema_kit.offline import EmptyDatabase, Placeholder, index_tail
from schema_kit.server import NEWEST, Server

NOW = datetime(2026, 10, 21, tzinfo=UTC)
MOMENT = "timestamp with time zone"


def public(table: str) -> QualifiedName:
    return QualifiedName("public", table)


def primary_key(table: str, *columns: str, parent: QualifiedName | None = None) -> Index:
    definition = f"({', '.join(columns)})"
    constraint = f"PRIMARY KEY {definition}"
    return Index(
        f"{table}_pkey", f"btree {definition}", columns, unique=True, primary=True, constraint=constraint, parent=parent
    )


ORDERS = Relation(
    public("orders"),
    indexes=(
        Index("ix_orders_note", "btree (note)", ("note",)),
        Index("ix_orders_placed_at", "btree (placed_at)", ("placed_at",)),
        primary_key("orders", "id"),
    ),
    columns=(
        Column("id", "bigint", not_null=True),
        Column("customer_id", "bigint"),
        Column("placed_at", MOMENT, not_null=True),
        Column("note", "character varying(40)"),
        Column("total", "numeric(12,2)"),
    ),
    checks=(Check("orders_placed_at_check", "CHECK ((placed_at > '2000-01-01'))", validated=False),),
)
IMPORTS = Relation(public("imports"), columns=(Column("id", "bigint", not_null=True), Column("source", "text")))
CARTS = Relation(
    public("carts"),
    indexes=(primary_key("carts", "id"),),
    columns=(Column("id", "bigint", not_null=True), Column("customer_id", "bigint")),
    foreign_keys=(
        ForeignKey(
            "carts_customer_id_fkey",
            public("carts"),
            ("customer_id",),
            public("customers"),
            ("id",),
            "FOREIGN KEY (customer_id) REFERENCES customers(id)",
        ),
    ),
)
EVENT_COLUMNS = (
    Column("id", "bigint", not_null=True),
    Column("customer_id", "bigint"),
    Column("kind", "text"),
    Column("created_at", MOMENT, not_null=True),
)
KIND = Index("ix_events_kind", "btree (kind)", ("kind",))
EVENTS = (
    Relation(public("events"), (KIND,), partitioned=True, columns=EVENT_COLUMNS),
    *(
        Relation(
            public(f"events_2026{month}"),
            (replace(KIND, name=f"events_2026{month}_ix_events_kind", parent=public("ix_events_kind")),),
            parent=public("events"),
            columns=EVENT_COLUMNS,
        )
        for month in ("10", "11")
    ),
)
IMPORTED = Relation(public("imported"), columns=EVENT_COLUMNS)
VISITS = Table(
    public("visits"),
    (Column("id", "bigint", not_null=True), Column("visited_at", MOMENT, not_null=True), Column("page", "text")),
    primary_key=("id",),
    indexes=(primary_key("visits", "id"),),
)
FIRST = replace(
    VISITS,
    name=public("visits_before_20261201"),
    primary_key=("id", "visited_at"),
    indexes=(primary_key("visits_before_20261201", "id", "visited_at", parent=public("visits_pkey")),),
    is_partition=True,
)
VISITS_BY_MONTH = replace(
    VISITS,
    partitioned_by=("visited_at",),
    partition_strategy="r",
    primary_key=("id", "visited_at"),
    indexes=(primary_key("visits", "id", "visited_at"),),
    partitions=(
        Partition(FIRST.name, None, "2026-12-01 00:00:00+00"),
        Partition(public("visits_p20261201"), "2026-12-01 00:00:00+00", "2027-01-01 00:00:00+00"),
    ),
)
OLD = replace(FIRST, name=public("visits_default"), indexes=(primary_key("visits_default", "id", "visited_at"),))
VISITS_AND_DEFAULT = replace(VISITS_BY_MONTH, partitions=(Partition(OLD.name, None, None, default=True),))


@dataclass
class Imagined(Placeholder):
    """Answers as `catalog.Catalog` does, of a small shop's database."""

    _server: Server = NEWEST
    trees: Mapping[str, tuple[Relation, ...]] = field(
        default_factory=lambda: {
            "orders": (ORDERS,),
            "imports": (IMPORTS,),
            "carts": (CARTS,),
            "events": EVENTS,
            "imported": (IMPORTED,),
        }
    )
    tables: tuple[Table, ...] = (VISITS,)
    there: frozenset[str] = frozenset()
    """What is there of our own tables, schemas, extensions."""
    default: QualifiedName | None = None
    """The default partition of a set."""
    archive_policy: ArchivePolicy | None = None
    cold: tuple[ColdArchive, ...] = ()
    citus: bool = False
    """Whether the extension citus is there."""
    retention: str | None = None
    out: tuple[Retired, ...] = ()
    """What the policy has retired."""

    def table(self, name: QualifiedName) -> Table | None:
        found = next((table for table in self.tables if table.name == name), None)
        return found or (Table(name, ()) if name.name in self.trees else None)

    def has_citus(self) -> bool:
        return self.citus

    def tree(self, name: QualifiedName, views: bool = False) -> tuple[Relation, ...]:
        del views
        return self.trees.get(name.name, ())

    def index_owner(self, index: QualifiedName) -> QualifiedName | None:
        found = [tree[0].name for tree in self.trees.values() if tree[0].index(index.name)]
        return found[0] if found else None

    def index_tail(self, declared: IndexDeclaration) -> str:
        return index_tail(declared)

    def server(self) -> Server:
        return self._server

    def check_forms(self, table: QualifiedName, expression: str) -> tuple[str, ...]:
        return (self.check_definition(table, expression),)

    def check_definition(self, table: QualifiedName, expression: str) -> str:
        del table
        return f"CHECK (({expression}))"

    def column(self, table: QualifiedName, type_: str, default: str | None) -> tuple[str, str | None]:
        del table
        return type_.lower(), default

    def batch_target(self, table: QualifiedName, name: str) -> BatchTarget:
        del name
        columns = self.trees[table.name][0].columns
        numbers = tuple((column.name, number) for number, column in enumerate(columns, 1))
        return BatchTarget((KeyColumn("id", "bigint"),), numbers, oid=16400)

    def leaving(self, table: QualifiedName) -> Mapping[QualifiedName, LeavingTable]:
        columns = tuple(KeyColumn(column.name, column.type) for column in self.trees[table.name][0].columns)
        names = tuple(column.name for column in columns)
        return {table: LeavingTable(table, names, columns[:1], tuple((column,) for column in columns))}

    def ignored_findings(self) -> dict[IgnoredFinding, str]:
        named = ("orders", "orders_note_idx"), ("visits", "")
        return {IgnoredFinding("index_unused", f"public.{table}", name): "" for table, name in named}

    def ttl_policies(self) -> tuple[TimeToLive, ...]:
        return (TimeToLive(public("orders"), "placed_at"), TimeToLive(public("carts"), "id"))

    def now(self) -> datetime:
        return NOW

    def publication(self, name: str) -> Publishing:
        return Publishing(False)

    def enum_labels(self, enum: QualifiedName) -> tuple[str, ...]:
        del enum
        return ("open", "paid", "shipped")

    def unknown_types(self, types: tuple[str, ...]) -> tuple[str, ...]:
        del types
        return ()

    def materialized_view(self, view: QualifiedName) -> MaterializedView:
        del view
        return MaterializedView(populated=True, unique=True)

    def conversion(self, policy: Partitioning, composite: bool) -> Conversion:
        del composite
        table = self.table(policy.parent)
        assert table is not None
        return Conversion(table, NOW, latest=NOW, has_config=Stored.CURRENT)

    def copy_run(self, source: QualifiedName) -> None:
        del source

    def copying(
        self, source: QualifiedName, parent: Table, policy: Partitioning, purpose: str, until: str | None = None
    ) -> Copying:
        del policy, purpose, until
        months = [datetime(2026, month, 1, tzinfo=UTC) for month in (10, 11, 12)]
        return Copying(
            parent,
            self.table(source),
            None,
            has_tables=Stored.CURRENT,
            key=(KeyColumn("id", "bigint"), KeyColumn("visited_at", MOMENT)),
            control=KeyColumn("visited_at", MOMENT),
            identity="16400:16400:1",
            filled=(Range(months[0], months[1]),),
            server=self._server,
        )

    def policy(self, parent: QualifiedName) -> Partitioning:
        return Partitioning(parent, "visited_at", "1 month", retention=self.retention)

    def retired(self) -> tuple[Retired, ...]:
        return self.out

    def copy_runs(self) -> tuple[()]:
        return ()

    def finished_records(self) -> tuple[()]:
        return ()

    def config_is_current(self) -> Stored:
        return Stored.CURRENT

    def archive_policies(self) -> tuple[ArchivePolicy, ...]:
        return (self.archive_policy,) if self.archive_policy else ()

    def archive_config_is_there(self) -> Stored:
        return Stored.of(there=False, current="archive_policy" in self.there)

    def cold_config_is_there(self) -> Stored:
        return Stored.of(there=False, current="cold_archive" in self.there)

    def cold_archives(self) -> tuple[ColdArchive, ...]:
        return self.cold

    def cold_columns(self, archive: QualifiedName) -> tuple[ColdColumn, ...]:
        found = self.table(archive)
        return tuple(ColdColumn(c.name, c.type, c.not_null) for c in found.columns) if found else ()

    def cold_server(self, name: str) -> ColdServer:
        return ColdServer(name, "public")

    def cold_refusals(self, *asked: Any) -> tuple[()]:
        del asked
        return ()

    def sets(self, policies: tuple[Partitioning, ...]) -> tuple[tuple[Partitioning, Table | None], ...]:
        return tuple((policy, self.table(policy.parent)) for policy in policies)

    def here(self, policy: Partitioning, table: Table | None) -> Point:
        del policy, table
        return NOW

    def created(self) -> Mapping[str, frozenset[str]]:
        return dict.fromkeys(("schema", "table", "extension"), self.there)

    def exists(self, name: QualifiedName) -> bool:
        return name.name in self.there

    def has_extension(self, name: str) -> bool:
        return name in self.there

    def has_schema(self, name: str) -> bool:
        del name
        return True

    def alone_in_config_schema(self, *names: QualifiedName) -> bool:
        del names
        return True

    def relations_in(self, schema: str) -> set[str]:
        del schema
        return set()

    def detaching(self, parent: QualifiedName, name: QualifiedName) -> Detaching:
        return Detaching(
            parent,
            name,
            attached_to=None if name in (row.name for row in self.out) else parent,
            bounds="FOR VALUES FROM ('2026-10-01 00:00:00+00') TO ('2026-11-01 00:00:00+00')",
            default=self.default,
        )

    def attaching(self, parent: QualifiedName, name: QualifiedName, lower: str, upper: str) -> Attaching:
        control = "visited_at" if parent.name.startswith("visits") else "created_at"
        proof = f'"{control}" IS NOT NULL AND "{control}" >= \'{lower}\' AND "{control}" < \'{upper}\''
        return Attaching(Detaching(parent, name), control, lower, upper, proof)


SHOP = Imagined()
OLDER = Imagined(_server=Server(170000))
MADE = Imagined(there=frozenset({"part_config", "created_object", "pg_trgm", "public.visits"}))
OUTSIDE = Imagined(tables=(VISITS_AND_DEFAULT, OLD), there=frozenset({"part_config"}))
ALL_VISITS = View(public("all_visits"), "me", "")
ARCHIVE = replace(VISITS_BY_MONTH, name=public("visits_archive"), partitions=(), views=(ALL_VISITS,))
ARCHIVED = Imagined(
    trees={"visits_archive": (Relation(ARCHIVE.name),)},
    tables=(replace(VISITS_BY_MONTH, views=(ALL_VISITS,)), ARCHIVE),
    archive_policy=ArchivePolicy(VISITS.name, ARCHIVE.name, "30 days", "partition"),
    there=frozenset({"part_config", "archive_policy"}),
)
BEHIND = replace(
    ARCHIVED,
    trees={"visits_archive": (Relation(ARCHIVE.name, columns=ARCHIVE.columns[:2], partitioned=True),)},
    tables=(ARCHIVED.tables[0], replace(ARCHIVE, columns=ARCHIVE.columns[:2])),
)
COLD = replace(
    ARCHIVED,
    cold=(ColdArchive(VISITS.name, ARCHIVE.name, public("visits_cold"), "cold", "public", ALL_VISITS.name),),
    there=frozenset({"part_config", "archive_policy", "cold_archive"}),
)
EMPTY_ARCHIVE = replace(ARCHIVED, archive_policy=None)
OCTOBER = Partition(public("visits_p20261001"), "2026-10-01 00:00:00+00", "2026-11-01 00:00:00+00")
FILLED_ARCHIVE = replace(
    ARCHIVED,
    trees={name: (Relation(public(name)),) for name in ("visits", "visits_archive", "visits_p20261001")},
    tables=(
        replace(VISITS_BY_MONTH, views=(ALL_VISITS,), partitions=VISITS_BY_MONTH.partitions[1:]),
        replace(ARCHIVE, partitions=(OCTOBER,)),
    ),
)
BY_MONTH = Imagined(tables=(VISITS_BY_MONTH, FIRST), there=frozenset({"part_config"}))
ON_CITUS = Imagined(citus=True)
DISTRIBUTED = Imagined(tables=(replace(VISITS, distribution=Distribution("hash", "id", 1)),), citus=True)
RETIRED = replace(
    BY_MONTH,
    trees={name: (Relation(public(name)),) for name in ("visits", "visits_p20251001")},
    retention="12 months",
    out=(Retired(public("visits_p20251001"), VISITS.name, True, NOW, lower="2025-10-01", upper="2025-11-01"),),
)


def nothing() -> EmptyDatabase:
    """A database that is followed from base."""
    return EmptyDatabase(NOW)
