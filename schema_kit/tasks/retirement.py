"""Partitions that leave their set, and tables that become partitions."""

from __future__ import annotations

from dataclasses import replace

from schema_kit.catalog import Catalog
from schema_kit.model import CheckDeclaration, Partitioning, Relation, Table
from schema_kit.names import QualifiedName
from schema_kit.plans import archives, attachment, constraints, retention, retirement
from schema_kit.steps import Plan
from schema_kit.tasks import Database
from schema_kit.tasks.constraints import create_foreign_key, set_not_null


def detach(database: Database, parent: QualifiedName, partition: QualifiedName) -> Plan:
    """Take a partition out of its set."""
    return retirement.detach(parent, partition, database.detaching(parent, partition))


def drop(database: Database, parent: QualifiedName, partition: QualifiedName) -> Plan:
    """Detach a partition, then drop it."""
    return retirement.drop(parent, partition, database.detaching(parent, partition))


def attach(
    database: Database, parent: QualifiedName, partition: QualifiedName, lower: str | None, upper: str | None
) -> Plan:
    """Make a table a partition, once it has what it lacks of the parent's."""
    wanted = database.attaching(parent, partition, lower, upper)
    tree, own = database.tree(parent), database.tree(partition)
    free = wanted.seen.attached_to is None and not wanted.obstacles
    return attachment.attach(
        wanted,
        tree,
        own,
        tuple(_before(database, partition, tree[0], own)) if free else (),
        database.check_definition(partition, wanted.proof) if free else None,
        database.filled_default(database.table(parent)),
    )


def _before(database: Database, partition: QualifiedName, parent: Relation, own: tuple[Relation, ...]) -> list[Plan]:
    plans = [set_not_null(database, partition, column.name) for column in parent.columns if column.not_null]
    for check in parent.checks:
        if not check.not_null:
            expression = check.definition.removeprefix("CHECK (").removesuffix(")")
            declared = CheckDeclaration(check.name, partition, expression)
            plans.append(constraints.create_check(declared, own, [check.definition]))
    for key in parent.foreign_keys:
        mine = constraints.under_its_own_name(replace(constraints.declaration_of(key), table=partition), own[0])
        plans.append(create_foreign_key(database, mine))
    return plans


def retire(catalog: Catalog, one: Partitioning, at_once: bool = False, drops: bool = True) -> Plan:
    """Return what one partitioned table has to detach or delete."""
    table = catalog.table(one.parent)
    past, notes = retention.due(one, table, catalog.here(one, table)) if one.retention else ((), ())
    if past:
        due_there = _awaited(catalog, one, table)
        awaited = [part.name for part in past if part.name in due_there]
        notes += tuple(f"{part} stays: it is due for its archive first (schema_kit archive run)" for part in awaited)
        past = tuple(part for part in past if part.name not in awaited)
    cut_off = [p for p in (table.partitions if table else ()) if p.detach_pending and p not in past]
    retired = [row for row in catalog.retired() if row.parent == one.parent]
    leaves, pending = ([catalog.detaching(one.parent, p.name) for p in parts] for parts in (past, cut_off))
    schema = one.retention_schema
    plan = retention.retire(
        one,
        [seen for seen in leaves if seen],
        [seen for seen in pending if seen],
        {row: catalog.detaching(one.parent, row.name) if row.there else None for row in retired},
        catalog.now(),
        [QualifiedName(schema, name) for name in catalog.relations_in(schema)] if schema else (),
        catalog.missing_rights(create_in=(schema,)) if schema else (),
        at_once=at_once,
        drops=drops,
        at=catalog.given_now,
    )
    return Plan(plan.title, plan.steps, (*notes, *plan.notes))


def _awaited(catalog: Catalog, one: Partitioning, table: Table | None) -> set[QualifiedName]:
    """Return what the table's archive is to get, so that nothing is dropped because it could not go there."""
    policy = catalog.archive_by_partition(one.parent)
    return set(archives.due(policy, one, table, catalog.here(one, table))[0]) if policy else set()


def retires(catalog: Catalog, one: Partitioning, table: Table | None) -> bool:
    """Return whether a partitioned table has a retention, or something in transit out."""
    pending = any(partition.detach_pending for partition in table.partitions) if table else False
    return bool(one.retention) or pending or one.parent in catalog.retired_from()


def archives_of(catalog: Catalog, *sets: Partitioning) -> list[Partitioning]:
    """The archives of sets that have a policy of their own: nothing else is done for an archive than retiring."""
    names, known = {one.parent for one in sets}, [p for p in catalog.archive_policies() if p.way == "partition"]
    wanted = [policy.archive for policy in known if policy.table in names and policy.archive not in names]
    return [one for one in catalog.policies_of(wanted) if retires(catalog, one, None)] if wanted else []


def retire_archive(catalog: Catalog, one: Partitioning) -> Plan:
    """Return what the archive of a partitioned table has to detach or drop."""
    plan = Plan(f"retire partitions of the archive of {one.parent}")
    for archive in archives_of(catalog, one):
        plan += retire(catalog, archive)
    return plan
