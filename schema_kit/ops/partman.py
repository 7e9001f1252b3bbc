"""Operations on pg_partman's functions in SQL."""

from __future__ import annotations

from alembic.operations import Operations

from schema_kit.ops.operation import Task, operation, task
from schema_kit.plans.partman import refuse_schema
from schema_kit.sqlscripts import PARTMAN
from schema_kit.tasks import partman


@operation(shared=True, reversed_by="remove_partman_sql")
def install_partman_sql(operations: Operations, *, schema: str = PARTMAN) -> Task:
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
    refuse_schema(schema)
    return task(partman.install, schema)


@operation(shared=True)
def remove_partman_sql(operations: Operations, *, schema: str = PARTMAN) -> Task:
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
    refuse_schema(schema)
    return task(partman.remove, schema)
