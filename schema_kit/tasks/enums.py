"""Enums."""

from schema_kit.offline import EmptyDatabase
from schema_kit.plans import enums
from schema_kit.steps import Plan
from schema_kit.steps.enums import AddEnumValue
from schema_kit.tasks import Database


def add_value(database: Database, wanted: AddEnumValue) -> Plan:
    """Add a value; without a database none is taken to be there."""
    if isinstance(database, EmptyDatabase):
        return Plan(wanted.summary, (wanted,))
    return enums.add_value(wanted, database.enum_labels(wanted.enum))
