"""pg_partman's functions in SQL."""

from schema_kit.model.scripts import SqlSchema
from schema_kit.offline import EmptyDatabase
from schema_kit.plans import partman
from schema_kit.sqlscripts import partman_objects
from schema_kit.steps import Plan
from schema_kit.tasks import Database


def seen(database: Database, schema: str) -> SqlSchema:
    """Return what a schema holds of them; nothing in a database that was empty at base."""
    if isinstance(database, EmptyDatabase):
        return SqlSchema()
    return database.sql_schema(schema, [one.name for one in partman_objects(schema)])


def install(database: Database, schema: str) -> Plan:
    """Install them, or bring them up to date."""
    return partman.install(schema, partman_objects(schema), seen(database, schema))


def remove(database: Database, schema: str) -> Plan:
    """Remove them; without a database, what the package would have installed."""
    if isinstance(database, EmptyDatabase):
        return partman.remove(schema, partman.installed(partman_objects(schema)))
    return partman.remove(schema, seen(database, schema))
