"""Look, then plan: (database, request) -> Plan, one file a subject. The one floor that knows both catalog and plans."""

from schema_kit.catalog import Catalog
from schema_kit.offline import EmptyDatabase

Database = Catalog | EmptyDatabase
"""A database that exists, or one that was empty at base and is followed."""

__all__ = ["Database"]
