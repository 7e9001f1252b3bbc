"""Operations on pg_partman's functions in SQL."""

from __future__ import annotations

from alembic.operations import Operations

from schema_kit.ops.operation import Task, operation, task
from schema_kit.plans.partman import refuse_schema
from schema_kit.sqlscripts import PARTMAN
from schema_kit.tasks import partman


@operation(shared=True, reversed_by="remove_partman_sql")
def install_partman_sql(operations: Operations, *, schema: str = PARTMAN) -> Task:
    """Install or update pg_partman's functions in SQL: its calls, without the extension.

    It does in a migration what ``schema_kit sql apply`` does: create_parent, run_maintenance and the other
    functions of pg_partman 5.1, and the views part_config and part_config_sub, over the policies in
    ``schema_kit.part_config``. A second call replaces functions that are older or were changed by hand; policies
    are kept. It runs in the migration's transaction.

    Locks: ACCESS EXCLUSIVE on part_config, part_config_sub and the two views briefly, where they change; none on
    tables of yours.

    Args:
        operations: given by Alembic.
        schema: the schema of the functions; it is created if it does not exist.

    Raises:
        DeclarationError: the schema is PostgreSQL's or schema_kit's own.
        PlanError: the schema holds the extension pg_partman, or functions that schema_kit has not created.
        LockNotAvailable: the locks could not be taken; the error names the sessions that hold them.

    Example:
        op.install_partman_sql()

    See Also:
        https://www.postgresql.org/docs/current/sql-createfunction.html
    """
    refuse_schema(schema)
    return task(partman.install, schema)


@operation(shared=True, reversed_by="install_partman_sql")
def remove_partman_sql(operations: Operations, *, schema: str = PARTMAN) -> Task:
    """Drop pg_partman's functions in SQL; policies, partitions and templates are kept.

    It reverses ``install_partman_sql``. The schema is dropped if it is empty. Nothing else is dropped: if a view or
    function of yours uses a function, PostgreSQL refuses. It runs in the migration's transaction.

    Locks: ACCESS EXCLUSIVE on the two views briefly.

    Args:
        operations: given by Alembic.
        schema: the schema of the functions.

    Raises:
        DeclarationError: the schema is PostgreSQL's or schema_kit's own.
        ExecutionError: another object depends on the functions.
        LockNotAvailable: the locks could not be taken; the error names the sessions that hold them.

    Example:
        op.remove_partman_sql()

    See Also:
        https://www.postgresql.org/docs/current/sql-dropfunction.html
    """
    refuse_schema(schema)
    return task(partman.remove, schema)
