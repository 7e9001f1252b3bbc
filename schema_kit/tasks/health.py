"""Findings of health that are left out."""

from schema_kit.model import IgnoredFinding
from schema_kit.offline import EmptyDatabase
from schema_kit.plans import health
from schema_kit.steps import Plan
from schema_kit.steps.health import HeedFinding
from schema_kit.tasks import Database


def ignore(database: Database, finding: IgnoredFinding, reason: str) -> Plan:
    """Leave a finding out; without a database none is taken to be ignored."""
    return health.ignore(finding, reason, database.ignored_findings())


def heed(database: Database, finding: IgnoredFinding) -> Plan:
    """Tell of it again; without a database it is taken to be ignored, with others."""
    if isinstance(database, EmptyDatabase):
        return Plan(f"heed {finding}", (HeedFinding(finding),))
    return health.heed(finding, database.ignored_findings())
