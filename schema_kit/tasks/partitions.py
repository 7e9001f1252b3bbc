"""Partitions that sets need: the next ones, those that are missing between others, and statistics of the whole."""

from __future__ import annotations

from collections.abc import Sequence

from schema_kit.catalog import Catalog
from schema_kit.errors import PlanError, SchemaKitError
from schema_kit.model import ArchivePolicy, Partitioning, Range, Table
from schema_kit.model.grid import grid
from schema_kit.names import QualifiedName
from schema_kit.offline import EmptyDatabase
from schema_kit.plans import archives, gaps, partitions, publications, statistics
from schema_kit.steps import Plan
from schema_kit.steps.partitions import RememberMaintenance
from schema_kit.tasks import Database


def create_next(database: Database, one: Partitioning, until: str | None = None) -> Plan:
    """Create the current partition and the premade ones ahead of it, where they are missing; or all up to *until*."""
    table = database.table(one.parent)
    here = database.here(one, table)
    default, strays = database.filled_default(table), database.strays(one, table, until)
    missing = database.missing_partition_rights(one.parent)
    plan = partitions.create_next(one, table, here, default, strays, until, missing)
    if not plan or table is None or not table.publishing or isinstance(database, EmptyDatabase):
        return plan
    return plan + Plan("", (), publications.new_partition(table, database.published_leaves(one.parent)))


def create_next_due(catalog: Catalog, one: Partitioning, table: Table | None, until: str | None = None) -> bool:
    """Return whether a partitioned table needs a closer look, decided from its partitions alone."""
    return bool(partitions.create_next(one, table, catalog.here(one, table), until=until))


def create_next_of(database: Database, parent: QualifiedName, until: str | None) -> Plan:
    """Return the next partitions of each partitioned table of a table, by its policy in part_config.

    Raises:
        PlanError: it has none.
    """
    policy = database.policy(parent)
    if policy is None:
        raise PlanError(f"{parent} has no policy in schema_kit.part_config. op.set_partition_policy registers one.")
    plan = Plan(f"create next partitions of {parent}")
    for one, _ in database.sets((policy,)):
        plan += create_next(database, one, until)
    return plan


def _kept(catalog: Catalog, one: Partitioning, table: Table | None) -> Partitioning:
    """Return the policy without what went to an archive: that is nothing missing."""
    archive = catalog.archive_by_partition(one.parent)
    try:
        return archives.kept(grid(one, table), archive, catalog.here(one, table)) if archive and table else one
    except SchemaKitError:
        return one  # said when its turn comes


def has_gaps(catalog: Catalog, one: Partitioning, table: Table | None, since: str | None = None) -> bool:
    """Return whether partitions are missing between others."""
    one = _kept(catalog, one, table)
    here = catalog.here(one, table)
    return bool(gaps.gaps(one, table, here, since) or gaps.left_open(one, table, here, since))


def fill_gaps(catalog: Catalog, one: Partitioning, since: str | None = None) -> Plan:
    """Make the partitions that are missing between others, as far as they can be made."""
    table, windows, strays, taken = _gaps(catalog, one, since)
    default, rights = catalog.filled_default(table), catalog.missing_partition_rights(one.parent)
    notes = gaps.left_open(_kept(catalog, one, table), table, catalog.here(one, table), since)
    return gaps.fill_gaps(one, table, windows, default, strays, taken, rights, notes)


def refuse_gaps(catalog: Catalog, one: Partitioning, since: str | None = None) -> Plan:
    """Say what stands in the way of the rest.

    Raises:
        PlanError: something does.
    """
    try:
        seen = _gaps(catalog, one, since)
    except SchemaKitError:
        return Plan("")  # said by fill_gaps
    return gaps.refuse(one, *seen)


def _gaps(
    catalog: Catalog, one: Partitioning, since: str | None
) -> tuple[Table | None, tuple[Range, ...], tuple[Range, ...], tuple[QualifiedName, ...]]:
    """Observe a table, its ranges without a partition, those with rows in the default one, and names in use."""
    table = catalog.table(one.parent)
    one = _kept(catalog, one, table)
    windows = gaps.gaps(one, table, catalog.here(one, table), since)
    assert table is not None  # it has ranges, or was refused
    lines = grid(one, table)
    taken = catalog.taken([lines.partition_name(window) for window in windows])
    return table, windows, catalog.strays_among(one, table, windows), taken


def analyze(catalog: Catalog, one: Partitioning) -> Plan:
    """Return what the statistics of a partitioned table as a whole need after other work, and those of its archive."""
    plan = _analyze(catalog, one)
    for archive in _archives(catalog, one.parent):
        plan += _analyze(catalog, archive)
    return plan


def analyze_due(catalog: Catalog, one: Partitioning, table: Table | None) -> bool:
    """Return whether its statistics are off, or other work may make them so."""
    return bool(one.retention) or table is None or statistics.stale(table) or bool(_archives(catalog, one.parent))


def analyze_archived(catalog: Catalog, policy: ArchivePolicy) -> Plan:
    """Return what a table needs after its rows went to its archive."""
    plan = Plan(f"analyze {policy.table}")
    for one in catalog.policies_of([policy.table]):
        plan += analyze(catalog, one)
    return plan


def maintained(catalog: Catalog, sets: Sequence[Partitioning]) -> Plan:
    """Return what records when sets were maintained; nothing where the role cannot write that."""
    parents = tuple(one.parent for one in sets)
    steps = (RememberMaintenance(parents),) if parents and catalog.may_remember_maintenance() else ()
    return Plan("remember maintenance", steps)


def _archives(catalog: Catalog, table: QualifiedName) -> tuple[Partitioning, ...]:
    names = [policy.archive for policy in catalog.archive_policies() if policy.table == table]
    return catalog.policies_of(names) if names else ()


def _analyze(catalog: Catalog, one: Partitioning) -> Plan:
    plan = Plan(f"analyze {one.parent}")
    for each, table in catalog.sets((one,)):
        if table is not None and statistics.stale(table):
            may = catalog.may_analyze(each.parent)
            plan += statistics.analyze(table, each.parent, catalog.server(), may=may)
    return plan
