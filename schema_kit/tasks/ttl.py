"""Time-to-live: when rows of a table expire, and what removes them."""

from __future__ import annotations

from dataclasses import replace

from schema_kit.catalog import Catalog
from schema_kit.model import TimeToLive
from schema_kit.names import QualifiedName
from schema_kit.offline import EmptyDatabase
from schema_kit.plans import rows, ttl
from schema_kit.plans.rows import Leaving
from schema_kit.steps import Plan
from schema_kit.steps.rows import UnregisterTtl
from schema_kit.tasks import Database
from schema_kit.tasks.archiving import with_room


def set_policy(database: Database, policy: TimeToLive) -> Plan:
    """Register a policy; without a database everything is taken to be as it should."""
    if isinstance(database, EmptyDatabase):
        return ttl.set_policy(policy, None, None, database.now())
    registered = next((one for one in database.ttl_policies() if one.table == policy.table), None)
    return ttl.set_policy(policy, registered, database.leaving(policy.table), database.now())


def drop_policy(database: Database, table: QualifiedName) -> Plan:
    """Forget a policy; without a database nothing is taken to be done already."""
    if isinstance(database, EmptyDatabase):
        return Plan(f"drop the time-to-live of {table}", (UnregisterTtl(table),))
    return ttl.drop_policy(table, [policy.table for policy in database.ttl_policies()])


def removal(catalog: Catalog, policy: TimeToLive) -> tuple[Leaving, Plan]:
    """Return which rows of a table have expired, and what removes them.

    Raises:
        PlanError: what exists does not agree with the policy.
    """
    observed = catalog.leaving(policy.table)
    archives = rows.archives(observed, catalog.archive_policies()) if policy.archive_first else {}
    if archives:
        observed = catalog.leaving(policy.table, tuple(archives.values()))
    one = ttl.leaving(policy, observed, catalog.now(), archives)
    return one, rows.remove(one, observed)


def run(catalog: Catalog, one: TimeToLive) -> Plan:
    """Return what of one table has expired."""
    found, removing = removal(catalog, one)
    due = catalog.has_row_where(one.table, found.where)
    if due:
        removing = replace(removing, steps=tuple(with_room(catalog, removing.steps)))
    partitioning = catalog.policy(one.table)
    table = catalog.table(one.table) if partitioning else None
    past = ttl.past(one, partitioning, table, catalog.now())
    leaves = [seen for part in past if (seen := catalog.detaching(one.table, part.name))]
    own = partitioning is not None and not partitioning.retention and partitioning.control == one.column
    retired = [row for row in catalog.retired() if own and row.parent == one.table and row.by_ttl]
    return ttl.run(
        one,
        removing,
        due,
        partitioning,
        leaves,
        {row: catalog.detaching(one.table, row.name) if row.there else None for row in retired},
        catalog.now(),
    )
