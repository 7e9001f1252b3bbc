"""What ``create_all()`` and ``drop_all()`` do for declarations: the plans of the operations, sent at once."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa

from schema_kit import execute
from schema_kit.catalog import Catalog
from schema_kit.catalog.drivers import Beside, speaks_psycopg
from schema_kit.catalog.search_path import schema_of
from schema_kit.catalog.session import autocommits
from schema_kit.declare.nouns import Archived, Expiring, Partitioned
from schema_kit.errors import PlanError
from schema_kit.names import QualifiedName
from schema_kit.plans.creation import DeclaredSet
from schema_kit.plans.ttl import checked
from schema_kit.script import LockPolicy
from schema_kit.shared import run_shared
from schema_kit.steps import Plan
from schema_kit.tasks import archives, creation, ttl
from schema_kit.tasks import policies as partition_policies

Task = Callable[[Catalog], Plan]


def partitions(table: sa.Table, connection: sa.Connection, one: Partitioned | None) -> None:
    """Create the current partitions of a table that was just created, and register its policy."""
    if one is None:
        return
    name = name_of(table, connection)
    policy = one.policy(name)

    def made(catalog: Catalog) -> Plan:
        found = catalog.table(name)
        if found is None:
            raise PlanError(f"there is no table {name}: it was not created.")
        declared = DeclaredSet(found, (), policy, one.partition_by, one.sub_partitions, one.default_partition)
        return creation.create(catalog, declared)

    _perform(connection, lambda catalog: partition_policies.drop_policy(catalog, name))  # of a table before this one
    _perform(connection, made)


def policies(table: sa.Table, connection: sa.Connection, archived: Archived | None, expiring: Expiring | None) -> None:
    """Create the archive of a table, and register what is archived and what expires."""
    name = name_of(table, connection)
    if archived:
        _perform(connection, lambda catalog: archives.create(catalog, archived.declared(name)))
        _perform(connection, lambda catalog: archives.set_policy(catalog, archived.policy(name)))
    if expiring:
        _perform(connection, lambda catalog: ttl.set_policy(catalog, checked(expiring.policy(name))))


def forget(table: sa.Table, connection: sa.Connection, archived: Archived | None) -> None:
    """Drop the policies of a table that is about to be dropped, and its archive with all rows."""
    name = name_of(table, connection)
    _perform(connection, lambda catalog: ttl.drop_policy(catalog, name))
    if archived:
        declared = archived.declared(name)
        _perform(connection, lambda catalog: archives.drop_policy(catalog, name))
        if Catalog(connection).exists(declared.archive):
            connection.exec_driver_sql(f"TRUNCATE {declared.archive.sql}")
        _perform(connection, lambda catalog: archives.drop(catalog, declared.archive, declared.view))
    _perform(connection, lambda catalog: partition_policies.drop_policy(catalog, name))


def name_of(table: sa.Table, connection: sa.Connection) -> QualifiedName:
    """Return where the table is: schema_translate_map and then search_path decide."""
    translations = connection.get_execution_options().get("schema_translate_map") or {}
    schema = translations.get(table.schema, table.schema)
    return QualifiedName(schema or schema_of(connection, table.name), table.name)


def _perform(connection: sa.Connection, task: Task) -> None:
    """In the transaction of the caller; where there is none, step by step."""
    if not autocommits(connection):
        run_shared(connection, lambda: task(Catalog(connection)), LockPolicy(), _quiet)
    elif speaks_psycopg(connection.dialect):
        execute.run(connection, lambda: task(Catalog(connection)), LockPolicy(), _quiet)
    else:
        with Beside.of(connection).connect() as session:
            execute.run(session, lambda: task(Catalog(session)), LockPolicy(), _quiet)


def _quiet(_: execute.Event) -> None:
    pass
