"""Operations on materialized views."""

from __future__ import annotations

from alembic.operations import Operations

from schema_kit.ops.naming import existing
from schema_kit.ops.operation import Task, nothing, operation, task
from schema_kit.tasks import views


@operation(reversed_by=nothing)
def refresh_materialized_view_concurrently(
    operations: Operations, view_name: str, *, schema: str | None = None
) -> Task:
    """Refresh a materialized view while it is read.

    Every run refreshes it once. A view that was never filled (WITH NO DATA) is filled by a plain REFRESH, as
    PostgreSQL requires; its ACCESS EXCLUSIVE lock blocks no query, because the view cannot be read yet. With
    ``--sql`` it is a plain REFRESH: such a script is for a database that was empty at base.

    Locks: EXCLUSIVE on the view, taken within the lock budget and held while its query runs and old and new rows
    are compared: readers continue, other refreshes wait; ACCESS SHARE on the tables that it reads. No
    statement_timeout applies.

    Args:
        operations: given by Alembic.
        view_name: the materialized view.
        schema: the view's schema. If left out, ``schema_translate_map`` and then ``search_path`` decide.

    Raises:
        PlanError: the view does not exist, or it lacks a valid unique index over plain columns without WHERE.
        LockNotAvailable: another session held the view through every try, for example another refresh.
        ExecutionError: its query failed, or two of the new rows are equal.

    Example:
        op.refresh_materialized_view_concurrently("sales")

    See Also:
        https://www.postgresql.org/docs/current/sql-refreshmaterializedview.html
    """
    return task(views.refresh, existing(operations, view_name, schema))
