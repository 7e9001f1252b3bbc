"""Policies of sets: registered, changed, read off the bounds, handed over, forgotten."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from schema_kit.catalog import Catalog
from schema_kit.errors import PlanError
from schema_kit.intervals import Point
from schema_kit.model import Partitioning, Table
from schema_kit.names import QualifiedName
from schema_kit.offline import EmptyDatabase
from schema_kit.plans import adoption, partitions, policies, retention
from schema_kit.plans.adoption import Reading
from schema_kit.plans.handover import hand_over as handed_over
from schema_kit.steps import Plan
from schema_kit.steps.partitions import RegisterPolicy
from schema_kit.steps.partman import StartMaintenance
from schema_kit.steps.storage import EnsureTable
from schema_kit.storage import PART_CONFIG
from schema_kit.tasks import Database
from schema_kit.tasks.retirement import attach


def create_config(database: Database) -> Plan:
    """Make the table of partition policies, where it is missing."""
    missing = () if database.exists(PART_CONFIG) else (EnsureTable(PART_CONFIG),)
    return Plan("create part_config", missing)


def drop_config(database: Database) -> Plan:
    """Drop the table of partition policies, once it holds none."""
    exists, records = database.exists(PART_CONFIG), database.finished_records()
    alone = database.alone_in_config_schema(PART_CONFIG, *records)
    return partitions.drop_part_config(exists and database.has_rows(PART_CONFIG), exists, alone, records)


def set_policy(database: Database, parent: QualifiedName, changes: dict[str, Any]) -> Plan:
    """Register the policy of a table that is partitioned already, or change it."""
    registered = database.policy(parent)
    if registered is None and isinstance(database, EmptyDatabase) and not changes["interval"]:
        raise PlanError(
            f"--sql cannot know the policy of {parent}: it follows a database that was empty at base. Give "
            "control and interval too, write the script from base, or run this revision online."
        )
    policy = policies.changed(parent, registered, changes)
    if not isinstance(database, EmptyDatabase):
        database.refuse_others(parent)
    sets, missing = _sets(database, policy), database.missing_rights(register=True)
    return policies.set_policy(policy, registered, sets, database.config_is_current(), missing)


def _sets(database: Database, policy: Partitioning) -> list[tuple[Partitioning, Table, Point]]:
    """Return the partitioned tables of a policy, and where their present lies.

    Raises:
        PlanError: one is not partitioned so.
    """
    return [
        (one, policies.partitioned_already(one, table), database.here(one, table))
        for one, table in database.sets((policy,))
    ]


def drop_policy(database: Database, parent: QualifiedName) -> Plan:
    """Forget the policy of a table; without a database nothing is taken to be done already."""
    registered = isinstance(database, EmptyDatabase) or database.policy(parent) is not None
    return policies.drop_policy(parent, registered)


def drop_retention(database: Database, parent: QualifiedName) -> Plan:
    """Forget how long a partitioned table keeps its partitions, and put back what it has retired."""
    policy = database.policy(parent)
    kept = policy and replace(
        policy, retention=None, retention_keep_table=True, retention_schema=None, retention_grace="7 days"
    )
    plan = Plan(f"drop the retention of {parent}", (RegisterPolicy(kept),) if kept and kept != policy else ())
    for row in () if isinstance(database, EmptyDatabase) else database.retired():
        seen = database.detaching(parent, row.name) if row.by_policy and row.parent == parent else None
        if seen and (row.there or seen.attached_to == parent):
            plan += attach(database, parent, row.name, row.lower, row.upper)
        elif seen and row.doubt:
            plan = replace(plan, notes=(*plan.notes, retention.doubtful(row)))
    return plan


def reading(catalog: Catalog, one: Partitioning, given: dict[str, Any], take_over: bool) -> Reading:
    """Return what the bounds of a partitioned table's partitions and other tools' tables say about its policy.

    Args:
        catalog: where.
        one: the partitioned table, with its control column alone.
        given: what was asked for instead.
        take_over: whether what other tools maintain is taken over.
    """
    registered = catalog.policy(one.parent)
    if registered and take_over:
        for hint in catalog.told(one.parent):
            if hint.maintained and hint.config:
                registered = adoption.as_told(registered, hint.policy)
    if registered:
        return Reading(policies.changed(one.parent, registered, given), ("it is registered already",))
    tables = [policies.partitioned_already(each, table) for each, table in catalog.sets((one,))]
    return adoption.read_bounds(one.parent, one.control, tables, given, catalog.told(one.parent), catalog.time_zones())


def adopt(catalog: Catalog, one: Partitioning, given: dict[str, Any], take_over: bool, leave_irregular: bool) -> Plan:
    """Register the policy that is read off a table, and turn other tools' maintenance of it off with *take_over*."""
    found = reading(catalog, one, given, take_over)
    plan = adoption.adopt(
        found,
        catalog.policy(one.parent),
        _sets(catalog, found.policy),
        catalog.config_is_current(),
        catalog.missing_rights(register=True),
        catalog.told(one.parent),
        take_over=take_over,
        leave_irregular=leave_irregular,
    )
    off = take_over and catalog.policy_row(one.parent).get("automatic_maintenance") == "off"
    return replace(plan, steps=(*plan.steps, StartMaintenance(one.parent))) if off else plan


def hand_over(catalog: Catalog, parent: QualifiedName, schema: str | None) -> Plan:
    """Give a partitioned table to the extension pg_partman; nothing where it is done."""
    policy = catalog.policy(parent)
    if policy is None:
        raise PlanError(f"{parent} has no policy in schema_kit.part_config.")
    row = catalog.policy_row(parent)
    if row.get("automatic_maintenance") == "off" and any(hint.maintained for hint in catalog.told(parent)):
        return Plan(f"hand {parent} over to pg_partman")
    table = policies.partitioned_already(policy, catalog.table(parent))
    return handed_over(policy, row, table, catalog.partman_configs(), schema)
