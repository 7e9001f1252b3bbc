"""Policies of sets: registered, changed, read off the bounds, handed over, forgotten."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from schema_kit.catalog import Catalog
from schema_kit.errors import PlanError
from schema_kit.intervals import Point
from schema_kit.model import Partitioning, Stored, Table, Told
from schema_kit.model.scripts import PartmanRow
from schema_kit.names import QualifiedName
from schema_kit.offline import EmptyDatabase
from schema_kit.plans import adoption, partitions, policies, retention
from schema_kit.plans.adoption import Reading
from schema_kit.plans.handover import Handed
from schema_kit.plans.handover import hand_over as handed_over
from schema_kit.plans.handover import take_over as taken_over
from schema_kit.steps import Plan, Step
from schema_kit.steps.partitions import RegisterPolicy, StopPartman
from schema_kit.steps.partman import StartMaintenance
from schema_kit.steps.storage import EnsureTable
from schema_kit.storage import CONFIG_SCHEMA, PART_CONFIG, PART_CONFIG_SUB
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
    database.refuse_others(parent)
    sets, missing = _sets(database, policy), database.missing_rights(register=True)
    return policies.set_policy(policy, registered, sets, database.config_is_current(), missing)


def refuse_disagreeing(database: Catalog, parent: QualifiedName, changes: dict[str, Any]) -> None:
    """Refuse a change of policy for the existing partitions; rights and NOT NULL can come before it is made.

    Raises:
        PlanError: they do not agree with it.
    """
    registered = database.policy(parent)
    policy = policies.changed(parent, registered, changes)
    proved = [
        (one, replace(table, columns=tuple(replace(column, not_null=True) for column in table.columns)), here)
        for one, table, here in _sets(database, policy)
    ]
    policies.set_policy(policy, registered, proved, Stored.CURRENT)


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
    for row in database.retired():
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
    if hint := of_sql(catalog, one.parent):
        why = f"{hint.who} maintains it, and pg_partman's functions in SQL, which alone read its bounds, go on with it"
        return Reading(registered or replace(hint.policy, timezone=catalog.time_zones()[0][0]), (why,))
    if registered and take_over:
        for hint in catalog.told(one.parent):
            if hint.maintained and hint.config:
                registered = adoption.as_told(registered, hint.policy)
    if registered:
        return Reading(policies.changed(one.parent, registered, given), ("it is registered already",))
    tables = [policies.partitioned_already(each, table) for each, table in catalog.sets((one,))]
    return adoption.read_bounds(one.parent, one.control, tables, given, catalog.told(one.parent), catalog.time_zones())


def of_sql(catalog: Catalog, parent: QualifiedName) -> Told | None:
    """Return what a pg_partman says of a table, where only functions in SQL read its bounds."""
    return next((hint for hint in catalog.told(parent) if hint.of_sql), None)


def adopt(catalog: Catalog, one: Partitioning, given: dict[str, Any], take_over: bool, leave_irregular: bool) -> Plan:
    """Register the policy that is read off a table, and turn other tools' maintenance of it off with *take_over*."""
    found = reading(catalog, one, given, take_over)
    if hint := of_sql(catalog, one.parent):
        if not hint.maintained and catalog.policy(one.parent):
            return Plan(f"adopt {one.parent}")
        if not take_over:
            raise PlanError(f"{hint.who} maintains {one.parent}. --take-over turns that off.")
        stop = (StopPartman(hint.config, one.parent),) if hint.config else ()
        return Plan(f"adopt {one.parent}", tuple(_taken_over(catalog, found.policy, stop)))
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
    return replace(plan, steps=tuple(_taken_over(catalog, found.policy, plan.steps))) if take_over else plan


def _taken_over(catalog: Catalog, policy: Partitioning, steps: Sequence[Step]) -> Iterator[Step]:
    """Take along what pg_partman knows beyond the bounds, then turn its maintenance off: a rerun sees it."""
    stops = [step for step in steps if isinstance(step, StopPartman)]
    yield from (step for step in steps if step not in stops)
    for stop in stops:
        tree = catalog.partman_tree(policy.parent, stop.config.schema)
        yield taken_over(policy, tree, has_sub=catalog.exists(PART_CONFIG_SUB))
        yield from (StopPartman(stop.config, one.name) for one in tree if one.name != policy.parent)
    yield from stops
    for one in catalog.partman_tree(policy.parent, CONFIG_SCHEMA):
        if one.row.get("automatic_maintenance") == "off":
            yield StartMaintenance(one.name)


def hand_over(catalog: Catalog, parent: QualifiedName, schema: str | None, rename: bool) -> Plan:
    """Give a table to the extension pg_partman, with those below it; nothing where it is done."""
    if catalog.policy(parent) is None:
        raise PlanError(f"{parent} has no policy in schema_kit.part_config.")
    tree = catalog.partman_tree(parent, CONFIG_SCHEMA)
    if all(
        one.row.get("automatic_maintenance") == "off" and any(hint.maintained for hint in catalog.told(one.name))
        for one in tree
    ):
        return Plan(f"hand {parent} over to pg_partman")
    return handed_over(
        parent, [_handed(catalog, one) for one in tree], catalog.partman_configs(), schema, rename=rename
    )


def _handed(catalog: Catalog, one: PartmanRow) -> Handed:
    policy, table = catalog.policy(one.name), catalog.table(one.name)
    assert policy is not None  # its row was read
    if one.by_list and table is not None:
        return Handed(policy, table, one)
    return Handed(policy, policies.partitioned_already(policy, table), one)
