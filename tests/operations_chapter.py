"""docs/operations.md: what each operation locks and sends, from the plans that it makes of imagined tables.

`python -m tests.operations_chapter` writes it anew between the marks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import sqlalchemy as sa
from alembic.runtime.migration import MigrationContext

from schema_kit.catalog import Catalog
from schema_kit.intervals import Point
from schema_kit.model import (
    ArchivePolicy,
    Attaching,
    BatchTarget,
    Check,
    Column,
    Conversion,
    Copying,
    Detaching,
    ForeignKey,
    Index,
    IndexDeclaration,
    KeyColumn,
    LeavingTable,
    MaterializedView,
    Partition,
    Partitioning,
    Range,
    Relation,
    Retired,
    Table,
    TimeToLive,
    View,
)
from schema_kit.names import QualifiedName
from schema_kit.offline import EmptyDatabase, index_tail
from schema_kit.ops import PlanOperation
from schema_kit.script import LockPolicy, render_shared, write
from schema_kit.sqlscripts import load
from schema_kit.steps import Plan, Step

CHAPTER = Path(__file__).parents[1] / "docs" / "operations.md"
NOW = datetime(2026, 10, 21, tzinfo=UTC)
MOMENT = "timestamp with time zone"


def _name(table: str) -> QualifiedName:
    return QualifiedName("public", table)


def _key(table: str, *columns: str, parent: QualifiedName | None = None) -> Index:
    definition = f"({', '.join(columns)})"
    constraint = f"PRIMARY KEY {definition}"
    return Index(
        f"{table}_pkey", f"btree {definition}", columns, unique=True, primary=True, constraint=constraint, parent=parent
    )


ORDERS = Relation(
    _name("orders"),
    indexes=(
        Index("ix_orders_note", "btree (note)", ("note",)),
        Index("ix_orders_placed_at", "btree (placed_at)", ("placed_at",)),
        _key("orders", "id"),
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
IMPORTS = Relation(_name("imports"), columns=(Column("id", "bigint", not_null=True), Column("source", "text")))
CARTS = Relation(
    _name("carts"),
    indexes=(_key("carts", "id"),),
    columns=(Column("id", "bigint", not_null=True), Column("customer_id", "bigint")),
    foreign_keys=(
        ForeignKey(
            "carts_customer_id_fkey",
            _name("carts"),
            ("customer_id",),
            _name("customers"),
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
    Relation(_name("events"), (KIND,), partitioned=True, columns=EVENT_COLUMNS),
    *(
        Relation(
            _name(f"events_2026{month}"),
            (replace(KIND, name=f"events_2026{month}_ix_events_kind", parent=_name("ix_events_kind")),),
            parent=_name("events"),
            columns=EVENT_COLUMNS,
        )
        for month in ("10", "11")
    ),
)
IMPORTED = Relation(_name("imported"), columns=EVENT_COLUMNS)
VISITS = Table(
    _name("visits"),
    (Column("id", "bigint", not_null=True), Column("visited_at", MOMENT, not_null=True), Column("page", "text")),
    primary_key=("id",),
    indexes=(_key("visits", "id"),),
)
FIRST = replace(
    VISITS,
    name=_name("visits_before_20261201"),
    primary_key=("id", "visited_at"),
    indexes=(_key("visits_before_20261201", "id", "visited_at", parent=_name("visits_pkey")),),
    is_partition=True,
)
VISITS_BY_MONTH = replace(
    VISITS,
    partitioned_by=("visited_at",),
    partition_strategy="r",
    primary_key=("id", "visited_at"),
    indexes=(_key("visits", "id", "visited_at"),),
    partitions=(
        Partition(FIRST.name, None, "2026-12-01 00:00:00+00"),
        Partition(_name("visits_p20261201"), "2026-12-01 00:00:00+00", "2027-01-01 00:00:00+00"),
    ),
)
OLD = replace(FIRST, name=_name("visits_default"), indexes=(_key("visits_default", "id", "visited_at"),))
VISITS_AND_DEFAULT = replace(VISITS_BY_MONTH, partitions=(Partition(OLD.name, None, None, default=True),))


@dataclass
class Imagined:
    """Answers as `catalog.Catalog` does, of a small shop's database."""

    version: int = 180000
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
    retention: str | None = None
    out: tuple[Retired, ...] = ()
    """What the policy has retired."""

    def table(self, name: QualifiedName) -> Table | None:
        found = next((table for table in self.tables if table.name == name), None)
        return found or (Table(name, ()) if name.name in self.trees else None)

    def tree(self, name: QualifiedName) -> tuple[Relation, ...]:
        return self.trees.get(name.name, ())

    def index_owner(self, index: QualifiedName) -> QualifiedName | None:
        found = [tree[0].name for tree in self.trees.values() if tree[0].index(index.name)]
        return found[0] if found else None

    def index_tail(self, declared: IndexDeclaration) -> str:
        return index_tail(declared)

    def server_version(self) -> int:
        return self.version

    def check_definition(self, table: QualifiedName, expression: str) -> str:
        del table
        return f"CHECK (({expression}))"

    def column(self, table: QualifiedName, type_: str, default: str | None) -> tuple[str, str | None]:
        del table
        return type_.lower(), default

    def rewrites(self, table: QualifiedName, action: str) -> tuple[bool, bool]:
        del table, action
        return False, False

    def reindex_leftovers(self, tables: Any) -> tuple[tuple[QualifiedName, QualifiedName], ...]:
        del tables
        return ()

    def batch_target(self, table: QualifiedName, name: str) -> BatchTarget:
        del name
        columns = self.trees[table.name][0].columns
        numbers = tuple((column.name, number) for number, column in enumerate(columns, 1))
        return BatchTarget((KeyColumn("id", "bigint"),), numbers, oid=16400)

    def leaving(self, table: QualifiedName) -> Mapping[QualifiedName, LeavingTable]:
        columns = tuple(KeyColumn(column.name, column.type) for column in self.trees[table.name][0].columns)
        names = tuple(column.name for column in columns)
        return {table: LeavingTable(table, names, columns[:1], tuple((column,) for column in columns))}

    def ttl_policies(self) -> tuple[TimeToLive, ...]:
        return (TimeToLive(_name("orders"), "placed_at"), TimeToLive(_name("carts"), "id"))

    def now(self) -> datetime:
        return NOW

    def enum_labels(self, enum: QualifiedName) -> tuple[str, ...]:
        del enum
        return ("open", "paid", "shipped")

    def materialized_view(self, view: QualifiedName) -> MaterializedView:
        del view
        return MaterializedView(populated=True, unique=True)

    def stops_drop(self, table: QualifiedName, column: str | None = None) -> tuple[str, ...]:
        del table, column
        return ()

    def conversion(self, policy: Partitioning, composite: bool) -> Conversion:
        del composite
        table = self.table(policy.parent)
        assert table is not None
        return Conversion(table, NOW, latest=NOW, has_config=True)

    def copy_run(self, source: QualifiedName) -> None:
        del source

    def copying(self, source: QualifiedName, parent: Table, policy: Partitioning, purpose: str) -> Copying:
        del policy, purpose
        months = [datetime(2026, month, 1, tzinfo=UTC) for month in (10, 11, 12)]
        return Copying(
            parent,
            self.table(source),
            None,
            has_tables=True,
            key=(KeyColumn("id", "bigint"), KeyColumn("visited_at", MOMENT)),
            control=KeyColumn("visited_at", MOMENT),
            identity="16400:16400:1",
            filled=(Range(months[0], months[1]),),
            span=Range(months[0], months[0]),
            server_version=self.version,
        )

    def policy(self, parent: QualifiedName) -> Partitioning:
        return Partitioning(parent, "visited_at", "1 month", retention=self.retention)

    def retired(self) -> tuple[Retired, ...]:
        return self.out

    def moved(self) -> tuple[()]:
        return ()

    def copy_runs(self) -> tuple[()]:
        return ()

    def finished_records(self) -> tuple[()]:
        return ()

    def config_is_current(self) -> bool:
        return True

    def archive_policies(self) -> tuple[ArchivePolicy, ...]:
        return (self.archive_policy,) if self.archive_policy else ()

    def archive_config_is_there(self) -> bool:
        return "archive_policy" in self.there

    def archive_rights_missing(self, owned: Any) -> tuple[str, ...]:
        del owned
        return ()

    def lacking(self, *asked: Any, **more: Any) -> tuple[str, ...]:
        del asked, more
        return ()

    def rights_missing(self, table: QualifiedName) -> tuple[str, ...]:
        del table
        return ()

    def sets(self, policies: tuple[Partitioning, ...]) -> tuple[tuple[Partitioning, Table | None], ...]:
        return tuple((policy, self.table(policy.parent)) for policy in policies)

    def here(self, policy: Partitioning, table: Table | None) -> Point:
        del policy, table
        return NOW

    def filled_default(self, table: Table | None) -> None:
        del table

    def strays(self, *asked: Any) -> tuple[()]:
        del asked
        return ()

    def created(self) -> Mapping[str, frozenset[str]]:
        return dict.fromkeys(("schema", "table", "extension"), self.there)

    def exists(self, name: QualifiedName) -> bool:
        return name.name in self.there

    def has_rows(self, name: QualifiedName) -> bool:
        del name
        return False

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
OLDER = Imagined(version=170000)
MADE = Imagined(there=frozenset({"part_config", "created_object", "pg_trgm", "public.visits"}))
OUTSIDE = Imagined(tables=(VISITS_AND_DEFAULT, OLD), there=frozenset({"part_config"}))
ALL_VISITS = View(_name("all_visits"), "me", "")
ARCHIVE = replace(VISITS_BY_MONTH, name=_name("visits_archive"), partitions=(), views=(ALL_VISITS,))
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
EMPTY_ARCHIVE = replace(ARCHIVED, archive_policy=None)
OCTOBER = Partition(_name("visits_p20261001"), "2026-10-01 00:00:00+00", "2026-11-01 00:00:00+00")
FILLED_ARCHIVE = replace(
    ARCHIVED,
    trees={name: (Relation(_name(name)),) for name in ("visits", "visits_archive", "visits_p20261001")},
    tables=(
        replace(VISITS_BY_MONTH, views=(ALL_VISITS,), partitions=VISITS_BY_MONTH.partitions[1:]),
        replace(ARCHIVE, partitions=(OCTOBER,)),
    ),
)
BY_MONTH = Imagined(tables=(VISITS_BY_MONTH, FIRST), there=frozenset({"part_config"}))
RETIRED = replace(
    BY_MONTH,
    trees={name: (Relation(_name(name)),) for name in ("visits", "visits_p20251001")},
    retention="12 months",
    out=(Retired(0, _name("visits_p20251001"), VISITS.name, True, NOW, lower="2025-10-01", upper="2025-11-01"),),
)


def nothing() -> EmptyDatabase:
    """A database that is followed from base."""
    return EmptyDatabase(NOW)


EXAMPLES: dict[str, tuple[tuple[str, str, Imagined | Callable[[], EmptyDatabase]], ...]] = {
    "create_index_concurrently": (
        ("", 'op.create_index_concurrently("ix_orders_customer", "orders", ["customer_id"])', SHOP),
        ("a partitioned table", 'op.create_index_concurrently("ix_events_created_at", "events", ["created_at"])', SHOP),
    ),
    "replace_index_concurrently": (
        ("", 'op.replace_index_concurrently("ix_orders_placed_at", "orders", ["placed_at", "id"])', SHOP),
    ),
    "drop_index_concurrently": (
        ("", 'op.drop_index_concurrently("ix_orders_note", "orders")', SHOP),
        ("a partitioned table", 'op.drop_index_concurrently("ix_events_kind", "events")', SHOP),
    ),
    "reindex_concurrently": (
        ("", 'op.reindex_concurrently("ix_orders_placed_at", "orders")', SHOP),
        ("a partitioned table", 'op.reindex_concurrently(table_name="events")', SHOP),
    ),
    "create_foreign_key_concurrently": (
        (
            "",
            'op.create_foreign_key_concurrently("orders_customer_id_fkey", "orders", "customers", ["customer_id"], '
            '["id"])',
            SHOP,
        ),
        (
            "a partitioned table, up to PostgreSQL 17",
            'op.create_foreign_key_concurrently("events_customer_id_fkey", "events", "customers", ["customer_id"], '
            '["id"])',
            OLDER,
        ),
    ),
    "create_check_constraint_concurrently": (
        ("", 'op.create_check_constraint_concurrently("orders_total_check", "orders", "total >= 0")', SHOP),
        (
            "a partitioned table",
            'op.create_check_constraint_concurrently("events_kind_check", "events", "kind <> \'\'")',
            SHOP,
        ),
    ),
    "create_unique_constraint_concurrently": (
        ("", 'op.create_unique_constraint_concurrently("imports_source_key", "imports", ["source"])', SHOP),
        (
            "a partitioned table",
            'op.create_unique_constraint_concurrently("events_key", "events", ["id", "created_at"])',
            SHOP,
        ),
    ),
    "create_primary_key_concurrently": (
        ("", 'op.create_primary_key_concurrently("imports_pkey", "imports", ["id"])', SHOP),
    ),
    "validate_constraint": (("", 'op.validate_constraint("orders_placed_at_check", "orders")', SHOP),),
    "set_not_null_concurrently": (
        ("", 'op.set_not_null_concurrently("orders", "customer_id")', SHOP),
        ("up to PostgreSQL 17", 'op.set_not_null_concurrently("orders", "customer_id")', OLDER),
    ),
    "add_column_concurrently": (
        (
            "",
            'op.add_column_concurrently("orders", sa.Column("currency", sa.Text, nullable=False, '
            'server_default="EUR"))',
            SHOP,
        ),
    ),
    "alter_column_concurrently": (
        ("", 'op.alter_column_concurrently("orders", "note", type_=sa.Text(), server_default="")', SHOP),
    ),
    "drop_column_concurrently": (("", 'op.drop_column_concurrently("orders", "note")', SHOP),),
    "drop_table_concurrently": (("", 'op.drop_table_concurrently("carts")', SHOP),),
    "update_in_batches": (
        ("", 'op.update_in_batches("orders", {"note": ""}, where="note IS NULL", name="orders without notes")', SHOP),
    ),
    "refresh_materialized_view_concurrently": (("", 'op.refresh_materialized_view_concurrently("sales")', SHOP),),
    "add_enum_value_concurrently": (
        ("", 'op.add_enum_value_concurrently("order_state", "refunded", after="paid")', SHOP),
    ),
    "convert_to_partitioned": (
        ("", 'op.convert_to_partitioned("visits", "visited_at", "1 month", premake=2)', SHOP),
        ("copying", 'op.convert_to_partitioned("visits", "visited_at", "1 month", premake=1, strategy="copy")', SHOP),
    ),
    "unpartition": (("", 'op.unpartition("visits")', BY_MONTH),),
    "create_partitioned_table": (
        (
            "",
            'op.create_partitioned_table("logins", sa.Column("id", sa.BigInteger, sa.Identity()), sa.Column("at", '
            'sa.DateTime(timezone=True)), sa.PrimaryKeyConstraint("id", "at", name="logins_pkey"), control="at", '
            'interval="1 month", premake=1)',
            nothing,
        ),
    ),
    "set_partition_policy": (("", 'op.set_partition_policy("visits", premake=6)', BY_MONTH),),
    "drop_retention": (("", 'op.drop_retention("visits")', RETIRED),),
    "drop_partition_policy": (("", 'op.drop_partition_policy("visits")', BY_MONTH),),
    "create_next_partitions": (("", 'op.create_next_partitions("visits", until="2027-03-01")', BY_MONTH),),
    "detach_partition_concurrently": (
        ("", 'op.detach_partition_concurrently("events", "events_202610")', SHOP),
        (
            "beside a default partition",
            'op.detach_partition_concurrently("events", "events_202610")',
            Imagined(default=_name("events_default")),
        ),
    ),
    "attach_partition_concurrently": (
        ("", 'op.attach_partition_concurrently("events", "imported", "2026-09-01", "2026-10-01")', SHOP),
    ),
    "drop_partition_concurrently": (("", 'op.drop_partition_concurrently("events", "events_202610")', SHOP),),
    "drain_default_concurrently": (("", 'op.drain_default_concurrently("visits")', OUTSIDE),),
    "split_partition_concurrently": (
        ("", 'op.split_partition_concurrently("visits", "visits_before_20261201")', BY_MONTH),
    ),
    "create_archive_table": (("", 'op.create_archive_table("visits", view="all_visits")', BY_MONTH),),
    "drop_archive_table": (("", 'op.drop_archive_table("visits", view="all_visits")', EMPTY_ARCHIVE),),
    "set_archive_policy": (("", 'op.set_archive_policy("visits", "90 days")', ARCHIVED),),
    "restore_archive_table": (("", 'op.restore_archive_table("visits")', FILLED_ARCHIVE),),
    "repair_archive_table": (("", 'op.repair_archive_table("visits", view="all_visits")', BEHIND),),
    "drop_archive_policy": (("", 'op.drop_archive_policy("visits")', ARCHIVED),),
    "set_ttl_policy": (("", 'op.set_ttl_policy("orders", "placed_at", age="18 months")', SHOP),),
    "drop_ttl_policy": (("", 'op.drop_ttl_policy("orders")', SHOP),),
    "create_part_config": (("", "op.create_part_config()", SHOP),),
    "drop_part_config": (("", "op.drop_part_config()", MADE),),
    "create_extension": (("", 'op.create_extension("pg_trgm")', SHOP),),
    "drop_extension": (("", 'op.drop_extension("pg_trgm")', MADE),),
    "create_baseline": (("", "op.create_baseline(metadata)", Imagined(tables=())),),
    "drop_baseline": (("", "op.drop_baseline(metadata)", MADE),),
}
"""By operation: a caption, the call, and the database that it meets."""

METADATA = sa.MetaData()
sa.Table(
    "visits",
    METADATA,
    sa.Column("id", sa.BigInteger, primary_key=True),
    sa.Column("page", sa.Text),
    schema="public",
)


class _Recorder:
    """Stands for `op` and for Alembic's Operations: keeps what a call would perform."""

    def __init__(self) -> None:
        self.operation: PlanOperation | None = None
        self.migration_context = MigrationContext.configure(dialect_name="postgresql")

    def invoke(self, operation: PlanOperation) -> None:
        self.operation = operation

    def __getattr__(self, name: str) -> Callable[..., None]:
        cls = OPERATIONS[name]

        def call(*args: Any, **keywords: Any) -> None:
            getattr(cls, name)(self, *args, **keywords)

        return call


OPERATIONS = {cls.called: cls for cls in PlanOperation.__subclasses__()}


def plan_of(call: str, database: Imagined | Callable[[], EmptyDatabase]) -> Plan:
    """What a call would send to a database."""
    op = _Recorder()
    exec(call, {"op": op, "sa": sa, "metadata": METADATA})  # noqa: S102 - the calls above
    assert op.operation is not None
    if isinstance(database, Imagined):
        return op.operation.plan(cast("Catalog", database))
    followed = database()
    plan = op.operation.plan(followed)
    for step in plan.steps:
        followed.apply(step)
    return plan + op.operation.plan(followed) if any(step.decide_again for step in plan.steps) else plan


def _locks(step: Step) -> str:
    by_mode: dict[str, list[str]] = {}
    for lock in step.locks:
        by_mode.setdefault(lock.mode.value, []).append(lock.table.name)
    return "; ".join(f"{mode} on {', '.join(tables)}" for mode, tables in by_mode.items()) or "—"


SCRIPTS = (
    "tables/archive_policy.sql",
    "tables/batch_progress.sql",
    "tables/created_object.sql",
    "tables/retired_partition.sql",
    "tables/ttl_policy.sql",
    "partman/tables/part_config.sql",
)


def _sql(plan: Plan, shared: bool) -> str:
    """What is sent: in a migration's transaction where the operation joins it."""
    text = write(plan, LockPolicy()).strip()
    if shared:
        sent = [
            (f"-- {step.summary}", *(f"{line};" for line in render_shared(step, LockPolicy()))) for step in plan.steps
        ]
        text = "\n\n".join("\n".join(lines) for lines in sent)
    for script in SCRIPTS:
        text = text.replace("".join(f"{statement};\n" for statement in load(script)), f"-- all of sql/{script}\n")
    return text


def block(name: str) -> str:
    """The generated part of one operation."""
    parts = []
    for caption, call, database in EXAMPLES[name]:
        plan = plan_of(call, database)
        rows = [f"| {step.summary} | {_locks(step)} |" for step in plan.steps]
        about = f" ({caption})" if caption else ""
        parts += [
            f"`{call}`{about}",
            "\n".join(["| commit | locks |", "| --- | --- |", *dict.fromkeys(rows)]),
            f"<details><summary>the SQL</summary>\n\n```sql\n{_sql(plan, OPERATIONS[name].shared)}\n```\n\n</details>",
        ]
    return "\n\n".join(parts)


MARKED = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def rewritten(text: str) -> str:
    """The chapter with what the code says now between the marks."""
    return MARKED.sub(lambda match: f"{match[1]}\n{block(match[2])}\n\n{match[3]}", text)


def marked(text: str) -> Iterator[str]:
    """The operations that have marks."""
    return (match[2] for match in MARKED.finditer(text))


if __name__ == "__main__":
    CHAPTER.write_text(rewritten(CHAPTER.read_text(encoding="utf-8")), encoding="utf-8")
