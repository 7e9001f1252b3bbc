"""Give rows partitions of their own by copying: drain a default partition, split a partition."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain

from schema_kit.catalog import Catalog
from schema_kit.errors import PlanError, refuse_for
from schema_kit.intervals import Point
from schema_kit.model import Copy, CopyLimits, Detaching, Partition, Partitioning, Table
from schema_kit.names import QualifiedName
from schema_kit.offline import EmptyDatabase
from schema_kit.plans import copying
from schema_kit.plans.distribution import refuse_moving
from schema_kit.steps import Plan
from schema_kit.steps.copy_swap import SwapCopy
from schema_kit.tasks import Database


class Drained(Catalog):
    """A database as it is when the rows of a default partition have been given partitions: what a dry run looks at.

    Args:
        catalog: it, as it is.
        copy: what the drain will do.
    """

    def __init__(self, catalog: Catalog, copy: Copy) -> None:
        super().__init__(catalog._connection, catalog.now())
        self.given_now = catalog.given_now
        self._before, self._copy = catalog, copy
        self.unseen: list[str] = []
        """Partitions that do not exist yet, of which more has to be known than their bounds."""

    def table(self, name: QualifiedName) -> Table | None:
        """Return the table of that name; the one that is drained, with its new partitions."""
        table = self._before.table(name)
        return self._drained(table) if table and name == self._copy.parent else table

    def filled_default(self, table: Table | None) -> Table | None:
        """Return the default partition, where it may still hold rows: it is a new one."""
        default = self._before.filled_default(table)
        return replace(default, checks=()) if default and default.name == self._copy.source else default

    def here(self, policy: Partitioning, table: Table | None) -> Point:
        """Return where the current position lies, which no row changes by moving."""
        return self._before.here(policy, self._before.table(policy.parent))

    def detaching(self, parent: QualifiedName, name: QualifiedName) -> Detaching | None:
        """Return a partition that exists already."""
        if parent == self._copy.parent and name in [target.name for target in self._new]:
            self.unseen.append(str(name))
        return self._before.detaching(parent, name)

    @property
    def _new(self) -> tuple[Partition, ...]:
        targets = (target for target in self._copy.targets if not target.default)
        return tuple(Partition(target.name, target.lower, target.upper) for target in targets)

    def _drained(self, table: Table) -> Table:
        taken = table.taken | {partition.name.name for partition in self._new}
        return replace(table, partitions=(*table.partitions, *self._new), taken=taken)


def drained(catalog: Catalog, plan: Plan) -> Catalog:
    """Return what a dry run of other work looks at after that of a drain: as if it were done."""
    swaps = [step.copy for step in plan.steps if isinstance(step, SwapCopy)]
    return Drained(catalog, swaps[0]) if swaps else catalog


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
