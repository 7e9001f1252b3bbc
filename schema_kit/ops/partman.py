"""Operations on pg_partman's functions in SQL."""

from __future__ import annotations

from alembic.operations import Operations

from schema_kit.catalog.facts import Catalog
from schema_kit.model.scripts import SqlSchema
from schema_kit.offline import EmptyDatabase
from schema_kit.ops.door import AnyCatalog, PlanOperation, register
from schema_kit.plans import partman
from schema_kit.sqlscripts import PARTMAN, partman_objects
from schema_kit.steps import Plan


def seen(catalog: AnyCatalog, schema: str) -> SqlSchema:
    """What a schema holds of them; nothing in a database that was empty at base."""
    if isinstance(catalog, EmptyDatabase):
        return SqlSchema()
    assert isinstance(catalog, Catalog)
    return catalog.sql_schema(schema, [one.name for one in partman_objects(schema)])


@register("install_partman_sql")
class InstallPartmanSqlOp(PlanOperation):
    """Install pg_partman's functions in SQL, or bring them up to date."""

    shared = True

    def __init__(self, schema: str) -> None:
        self.schema = schema

    @classmethod
    def install_partman_sql(cls, operations: Operations, *, schema: str = PARTMAN) -> None:
        """Install pg_partman's functions in SQL, or bring them up to date: its calls, without the extension.

        What ``schema_kit sql apply`` does, in a migration: create_parent, run_maintenance and the others of
        pg_partman 5.1, views part_config and part_config_sub, over the policies in ``schema_kit.part_config``. Run
        again, it replaces what is older or was changed by hand; policies stay. Joins the migration's transaction.

        Locks: ACCESS EXCLUSIVE on part_config, part_config_sub and the two views for an instant, where they are
        changed; nothing on tables of yours.

        Args:
            operations: given by Alembic.
            schema: where the functions live; it is created where it is missing.

        Raises:
            DeclarationError: a schema of PostgreSQL's, or schema_kit's own.
            PlanError: the extension pg_partman lives there, or functions that schema_kit has not made.
            LockNotAvailable: the locks were not to be had; who holds them is named.
        """
        partman.refuse_schema(schema)
        operations.invoke(cls(schema))

    def plan(self, catalog: AnyCatalog) -> Plan:
        """Observe and decide."""
        return partman.install(self.schema, partman_objects(self.schema), seen(catalog, self.schema))


@register("remove_partman_sql")
class RemovePartmanSqlOp(PlanOperation):
    """Remove pg_partman's functions in SQL."""

    shared = True

    def __init__(self, schema: str) -> None:
        self.schema = schema

    @classmethod
    def remove_partman_sql(cls, operations: Operations, *, schema: str = PARTMAN) -> None:
        """Remove pg_partman's functions in SQL; policies, partitions and templates stay. The way back of install.

        The schema goes, too, where nothing else is in it. Nothing that uses them is taken along: where a view or a
        function of yours does, PostgreSQL refuses. Joins the migration's transaction.

        Locks: ACCESS EXCLUSIVE on the two views for an instant.

        Args:
            operations: given by Alembic.
            schema: where the functions live.

        Raises:
            DeclarationError: a schema of PostgreSQL's, or schema_kit's own.
            ExecutionError: something else depends on them.
            LockNotAvailable: the locks were not to be had; who holds them is named.
        """
        partman.refuse_schema(schema)
        operations.invoke(cls(schema))

    def plan(self, catalog: AnyCatalog) -> Plan:
        """Observe and decide; without a database, what the package would have installed."""
        if isinstance(catalog, EmptyDatabase):
            return partman.remove(self.schema, partman.installed(partman_objects(self.schema)))
        return partman.remove(self.schema, seen(catalog, self.schema))
