"""Give rows partitions of their own by copying: drain a default partition, split a partition."""

from __future__ import annotations

from itertools import chain

from schema_kit.catalog import Catalog
from schema_kit.errors import PlanError, refuse_for
from schema_kit.model import CopyLimits, Partitioning, Table
from schema_kit.names import QualifiedName
from schema_kit.offline import EmptyDatabase
from schema_kit.plans import copying
from schema_kit.plans.distribution import refuse_moving
from schema_kit.steps import Plan
from schema_kit.tasks import Database


def drain(catalog: Catalog, policy: Partitioning, limits: CopyLimits | None = None, until: str | None = None) -> Plan:
    """Drain the default partition of a table; *until* is up to where, if farther than is kept ahead."""
    # First of all: GRANT SELECT on the default partition alone would be something that its heirs do not have.
    refuse_for(f"cannot drain the default of {policy.parent}", catalog.missing_partition_rights(policy.parent))
    parent = catalog.table(policy.parent)
    default = (parent and parent.default_partition) or policy.parent
    if parent and parent.distribution and default != policy.parent and catalog.has_rows(default):
        refuse_moving(f"drain the default partition of {policy.parent}", default, parent.distribution)
    return copying.drain_default(
        policy, catalog.copying(default, parent, policy, "drain", until), limits or CopyLimits()
    )


def drain_due(catalog: Catalog, one: Partitioning, table: Table | None) -> bool:
    """Return whether a partitioned table has a default partition with rows in it, or what a drain has left."""
    default = table.default_partition if table else None
    if default is None:
        return False
    run = catalog.copy_run(default)
    return catalog.has_rows(default) or (run is not None and not run.finished)


def give_up_drain(catalog: Catalog, one: Partitioning) -> Plan:
    """Return what canceling a drain needs now."""
    table = catalog.table(one.parent)
    default = table.default_partition if table else None
    begun = (source for source, run in catalog.copy_runs() if run.parent == one.parent and run.purpose == "drain")
    source = next(begun, default)  # the default partition may have another name by now
    if source is None:
        return Plan("abort")
    return copying.abandon(source, catalog.copying(source, table, one, "drain"))


def drain_registered(database: Database, parent: QualifiedName, limits: CopyLimits) -> Plan:
    """Drain the default partition of a partitioned table by its policy in part_config."""
    if isinstance(database, EmptyDatabase):
        return Plan("drain_default_concurrently")  # a database that was empty at base has no row to copy
    return drain(database, _policy(database, parent), limits)


def split(catalog: Catalog, policy: Partitioning, partition: QualifiedName, limits: CopyLimits | None = None) -> Plan:
    """Return what splitting a partition needs now."""
    parent = catalog.table(policy.parent)
    if parent and any(part.name == partition for part in parent.partitions):
        refuse_moving(f"split {partition} of {policy.parent}", partition, parent.distribution)
    seen = catalog.copying(partition, parent, policy, "split")
    return copying.split(policy, partition, seen, limits or CopyLimits())


def give_up_split(catalog: Catalog, one: Partitioning, partition: QualifiedName) -> Plan:
    """Return what canceling a split needs now."""
    source = catalog.copy_source(partition)
    return copying.abandon(source, catalog.copying(source, catalog.table(one.parent), one, "split"))


def split_registered(
    database: Database, parent: QualifiedName, partition: QualifiedName | None, limits: CopyLimits
) -> Plan:
    """Split a partition, or the first one, by the policy of its set in part_config."""
    if isinstance(database, EmptyDatabase):
        return Plan("split_partition_concurrently")  # a database that was empty at base has no row to copy
    policy, partition = _policy(database, parent), partition or _first(database, parent)
    return split(database, policy, partition, limits) if partition else Plan("split_partition_concurrently")


def _policy(catalog: Catalog, parent: QualifiedName) -> Partitioning:
    policy = catalog.policy(parent)
    if policy is None:
        raise PlanError(f"{parent} has no policy in schema_kit.part_config, which says how it is partitioned.")
    return policy


def _first(catalog: Catalog, parent: QualifiedName) -> QualifiedName | None:
    """Return the first partition, or the one whose split is in progress: it may be split, and not cleared away."""
    begun = (source for source, run in catalog.copy_runs() if run.parent == parent and run.purpose == "split")
    table = catalog.table(parent)
    parts = (part.name for part in (table.partitions if table else ()) if not part.default)
    return next(chain(begun, parts), None)
