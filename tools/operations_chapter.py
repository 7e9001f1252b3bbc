"""What each operation locks and sends, from the plans that it makes of a shop's tables; see tools/reference.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import sqlalchemy as sa
from alembic.runtime.migration import MigrationContext

import schema_kit.ops  # noqa: F401 - it declares the operations
from schema_kit.catalog import Catalog
from schema_kit.offline import EmptyDatabase
from schema_kit.ops.operation import OPERATIONS, Task
from schema_kit.plans.partman import comment_sql
from schema_kit.script import LockPolicy, OnCitus, render_shared, write
from schema_kit.sqlscripts import load, partman_objects
from schema_kit.steps import Plan, Step
from schema_kit.storage import SCRIPTS
from tools.shop import (
    ARCHIVED,
    BEHIND,
    BY_MONTH,
    COLD,
    DISTRIBUTED,
    EMPTY_ARCHIVE,
    FILLED_ARCHIVE,
    MADE,
    OLDER,
    ON_CITUS,
    OUTSIDE,
    RETIRED,
    SHOP,
    Imagined,
    nothing,
    public,
)

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
    "drop_constraint_concurrently": (
        ("", 'op.drop_constraint_concurrently("orders_placed_at_check", "orders")', SHOP),
    ),
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
    "distribute_table_concurrently": (("", 'op.distribute_table_concurrently("visits", "id")', ON_CITUS),),
    "undistribute_table": (("", 'op.undistribute_table("visits")', DISTRIBUTED),),
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
            Imagined(default=public("events_default")),
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
    "create_cold_archive": (("", 'op.create_cold_archive("visits", "cold", view="all_visits")', ARCHIVED),),
    "drop_cold_archive": (("", 'op.drop_cold_archive("visits")', COLD),),
    "set_archive_policy": (("", 'op.set_archive_policy("visits", "90 days")', ARCHIVED),),
    "restore_archive_table": (("", 'op.restore_archive_table("visits")', FILLED_ARCHIVE),),
    "repair_archive_table": (("", 'op.repair_archive_table("visits", view="all_visits")', BEHIND),),
    "drop_archive_policy": (("", 'op.drop_archive_policy("visits")', ARCHIVED),),
    "set_ttl_policy": (("", 'op.set_ttl_policy("orders", "placed_at", age="18 months")', SHOP),),
    "drop_ttl_policy": (("", 'op.drop_ttl_policy("orders")', SHOP),),
    "ignore_health_finding": (
        ("", 'op.ignore_health_finding("index_unused", "orders", "orders_note_idx", reason="for the audit")', SHOP),
    ),
    "heed_health_finding": (("", 'op.heed_health_finding("index_unused", "orders", "orders_note_idx")', SHOP),),
    "set_publish_via_partition_root": (("", 'op.set_publish_via_partition_root("sales")', SHOP),),
    "create_part_config": (("", "op.create_part_config()", SHOP),),
    "drop_part_config": (("", "op.drop_part_config()", MADE),),
    "install_partman_sql": (("", "op.install_partman_sql()", nothing),),
    "remove_partman_sql": (("", "op.remove_partman_sql()", nothing),),
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


class Recorder:
    """Stands for `op` and for Alembic's Operations: keeps what a call asks for."""

    def __init__(self) -> None:
        self.tasks: list[Task] = []
        self.migration_context = MigrationContext.configure(dialect_name="postgresql")

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *args, **keywords: self.tasks.append(OPERATIONS[name].function(self, *args, **keywords))


def plan_of(call: str, database: Imagined | Callable[[], EmptyDatabase]) -> Plan:
    """What a call would send to a database."""
    op = Recorder()
    exec(call, {"op": op, "sa": sa, "metadata": METADATA})  # noqa: S102 - the calls above
    (decide,) = op.tasks
    if isinstance(database, Imagined):
        return decide(cast("Catalog", database))
    followed = database()
    plan = decide(followed)
    for step in plan.steps:
        followed.apply(step)
    return plan + decide(followed) if any(step.decide_again for step in plan.steps) else plan


def _locks(step: Step) -> str:
    by_mode: dict[str, list[str]] = {}
    for lock in step.locks:
        by_mode.setdefault(lock.mode.value, []).append(lock.table.name)
    return "; ".join(f"{mode} on {', '.join(tables)}" for mode, tables in by_mode.items()) or "—"


def _sql(plan: Plan, shared: bool, citus: bool) -> str:
    """What is sent: in a migration's transaction where the operation joins it."""
    text = write(plan, OnCitus() if citus else LockPolicy()).strip()
    if shared:
        sent = [
            (f"-- {step.summary}", *(f"{line};" for line in render_shared(step, LockPolicy()))) for step in plan.steps
        ]
        text = "\n\n".join("\n".join(lines) for lines in sent)
    made = [line for one in partman_objects() for line in (*one.statements, comment_sql("partman", one))]
    text = text.replace("".join(f"{line};\n" for line in made), "-- what `schema_kit sql render` prints\n")
    for script in SCRIPTS.values():
        text = text.replace("".join(f"{statement};\n" for statement in load(script)), f"-- all of sql/{script}\n")
    return text


def sent(name: str) -> str:
    """The commits of each example of an operation, their locks and the exact SQL."""
    parts = []
    for caption, call, database in EXAMPLES[name]:
        plan = plan_of(call, database)
        rows = [f"| {step.summary} | {_locks(step)} |" for step in plan.steps]
        about = f" ({caption})" if caption else ""
        parts += [
            f"`{call}`{about}",
            "\n".join(["| commit | locks |", "| --- | --- |", *dict.fromkeys(rows)]),
            f"```sql\n{_sql(plan, OPERATIONS[name].shared, 'distribute' in name)}\n```",
        ]
    return "\n\n".join(parts)
