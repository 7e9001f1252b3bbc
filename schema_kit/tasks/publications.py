"""Publications."""

from schema_kit.offline import EmptyDatabase
from schema_kit.plans import publications
from schema_kit.steps import Plan
from schema_kit.steps.publications import SetViaRoot
from schema_kit.tasks import Database


def set_via_root(database: Database, wanted: SetViaRoot, *, subscribers_copy: bool) -> Plan:
    """Say how a publication publishes partitions; without a database nothing is taken to be so already."""
    if isinstance(database, EmptyDatabase):
        return Plan(wanted.summary, (wanted,))
    return publications.set_via_root(
        wanted, database.publication(wanted.publication), subscribers_copy=subscribers_copy
    )
