"""Sets are analyzed as a whole after what changed many of their rows: no command of its own."""

from __future__ import annotations

from schema_kit.catalog import Catalog
from schema_kit.cli.work import Job
from schema_kit.model import ArchivePolicy, Partitioning, Table
from schema_kit.names import QualifiedName
from schema_kit.plans import statistics
from schema_kit.steps import Plan


def decide(catalog: Catalog, one: Partitioning) -> Plan:
    """What a set needs after other work, and its archive."""
    plan = _of(catalog, one)
    for archive in _archives(catalog, one.parent):
        plan += _of(catalog, archive)
    return plan


def due(catalog: Catalog, one: Partitioning, table: Table | None) -> bool:
    """Whether its statistics are off, or other work may make them so."""
    del catalog
    return bool(one.retention) or table is None or statistics.stale(table)


def of_archive(catalog: Catalog, policy: ArchivePolicy) -> Plan:
    """What a table needs after its rows went to its archive."""
    plan = Plan(f"analyze {policy.table}")
    for one in catalog.policies_of([policy.table]):
        plan += decide(catalog, one)
    return plan


def _archives(catalog: Catalog, table: QualifiedName) -> tuple[Partitioning, ...]:
    names = [policy.archive for policy in catalog.archive_policies() if policy.table == table]
    return catalog.policies_of(names) if names else ()


def _of(catalog: Catalog, one: Partitioning) -> Plan:
    plan = Plan(f"analyze {one.parent}")
    for each, table in catalog.sets((one,)):
        if table is not None and statistics.stale(table):
            may = catalog.may_analyze(each.parent)
            plan += statistics.analyze(table, each.parent, catalog.server_version(), may=may)
    return plan


JOB = Job(
    "analyze sets",
    decide,
    lambda catalog, one, table: due(catalog, one, table) or bool(_archives(catalog, one.parent)),
)
OF_ARCHIVE = Job("analyze sets", of_archive)
